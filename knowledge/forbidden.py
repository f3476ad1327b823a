"""What no text says: promises, judgements of a person's status, and advice that can do harm.

A small table of patterns a language, in the form in which the language addresses residents. It finds what slips in,
and is no proof that a text is careful. What is forbidden to do is often allowed to warn of: a pattern is a thing told
to be done, and does not begin with "not".
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

_APOSTROPHES: Final = str.maketrans("\u2019\u02bc", "''")


def _comparable(text: str) -> str:
    """Give a text with its letters and apostrophes in one form: Gurmukhi and Bengali have two of some letters."""
    return unicodedata.normalize("NFC", text).translate(_APOSTROPHES)


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_comparable(text), re.IGNORECASE) for text in texts)


# A language's patterns stand in one order: promises; what becomes of a person; what a person is; that there is no risk;
# confronting, bargaining, going back; hiding; false papers and bought ones; waiting with what is urgent;
# asking for names, numbers and pictures of papers.
FORBIDDEN: Final[Mapping[str, tuple[re.Pattern[str], ...]]] = {
    "it": _patterns(
        r"\bavrai (?:di sicuro |sicuramente |certamente )?il (?:permesso|visto|contributo|sussidio|bonus)\b",
        r"\b(?:otterrai|riceverai|avrai|vincerai) (?:di sicuro|sicuramente|certamente|senz'altro)\b",
        r"\b(?:sicuramente|certamente|di sicuro) (?:otterrai|riceverai|avrai|vincerai)\b",
        r"\bti daranno (?:di sicuro |sicuramente )?(?:il permesso|la cittadinanza|la casa)\b",
        r"\bgarantiamo\b|\bè garantit[oa]\b",
        r"\b(?:non )?(?:sarai|verrai) espuls[oa]\b|\bnon ti espell\w+",
        r"\bsei (?:regolare|irregolare|clandestin[oa]|illegale|al sicuro)\b",
        r"\b(?:senza|nessun|non c'è) (?:alcun )?rischi[o]?\b|\bnon rischi (?:nulla|niente)\b",
        r"\baffrontal[oaie]\b|\btratta con (?:lui|lei|il (?:tuo )?(?:sfruttatore|capo))\b",
        r"(?<!non )\btorna da (?:lui|lei)\b",
        r"\bnasconditi\b",
        r"(?<!non )\b(?:usa|compra|prendi|dichiara|scrivi) un (?:indirizzo|contratto|nome|documento) (?:falso|finto)\b",
        r"\baspetta e vedi\b|(?<!non )\baspetta che passi\b",
        r"(?<!non )\b(?:mandaci|inviaci|scrivici|dicci) (?:il|la|una?) (?:tuo |tua )?(?:nome|numero|passaporto|foto)\b",
    ),
    "en": _patterns(
        r"\byou(?:'ll| will) (?:surely |certainly |definitely )?(?:get|receive|obtain) (?:the|a|your) "
        r"(?:permit|visa|citizenship|benefit)\b",
        r"\byou(?:'ll| will) (?:surely|certainly|definitely)\b|\bwe guarantee\b|\bis guaranteed\b",
        r"\byou(?:'ll| will) (?:not )?be (?:expelled|deported)\b|\bwon't be (?:expelled|deported)\b",
        r"\byou are (?:a )?(?:regular|irregular|illegal|undocumented|clandestine|safe)\b",
        r"\b(?:there is )?no risk\b|\bwithout (?:any )?risk\b",
        r"\b(?:confront|negotiate with) (?:him|her|them|your (?:boss|husband|exploiter))\b",
        r"(?<!not )\bgo back to (?:him|her)\b",
        r"(?<!not )\bhide (?:from|yourself)\b",
        r"(?<!not )\b(?:use|buy|give|declare) a (?:false|fake) (?:address|contract|name|document)\b",
        r"\bwait and see\b|(?<!not )\bwait until it passes\b",
        r"\bsend us (?:a photo|your (?:name|passport|permit))\b|\btell us your (?:name|passport)\b",
    ),
    "fr": _patterns(
        r"\bvous (?:obtiendrez|recevrez|aurez) (?:sûrement|certainement|à coup sûr)\b|\bnous garantissons\b",
        r"\bvous (?:obtiendrez|aurez) (?:le|votre) (?:permis|visa|titre)\b",
        r"\bvous (?:ne )?serez (?:pas )?expulsé",
        r"\bvous êtes (?:en situation )?(?:irréguli|réguli|clandestin|illégal)|\bvous êtes en sécurité\b",
        r"\b(?:aucun|sans) risque\b",
        r"\b(?:affrontez|négociez avec)\b|\bretournez (?:chez|vers) (?:lui|elle)\b",
        r"\bcachez-vous\b",
        r"\b(?:utilisez|achetez|donnez|déclarez) une? (?:fausse?|contrat faux) ",
        r"\battendez de voir\b|\battendez que (?:ça|cela) passe\b",
        r"\benvoyez-nous (?:une photo|votre)\b|\b(?:écrivez|dites)-nous votre (?:nom|passeport)\b",
    ),
    "es": _patterns(
        r"\b(?:obtendrá|recibirá|tendrá) (?:seguramente|seguro|con seguridad)\b|\b(?:le )?garantizamos\b",
        r"\b(?:obtendrá|tendrá) (?:el|su) (?:permiso|visado)\b",
        r"\b(?:no )?será expulsad[oa]\b",
        r"\b(?:usted )?es (?:irregular|ilegal)\b|\busted está (?:a salvo|segur[oa])\b",
        r"\b(?:ningún|sin) riesgo\b|\bno hay riesgo\b",
        r"\benfréntese\b|(?<!no )\bnegocie con\b|(?<!no )\bvuelva con (?:él|ella)\b",
        r"\bescóndase\b",
        r"(?<!no )\b(?:use|compre|dé|declare) una? (?:dirección|contrato|nombre|documento) fals[oa]\b",
        r"\bespere a ver\b|(?<!no )\bespere a que (?:se le )?pase\b",
        r"\b(?:envíenos|mándenos|escríbanos|díganos) (?:una foto|su (?:nombre|pasaporte|permiso))\b",
    ),
    "ro": _patterns(
        r"\bveți (?:primi|obține) (?:sigur|cu siguranță|permisul|viza)\b|\bgarantăm\b",
        r"\b(?:nu )?veți fi expulzat",
        r"\bsunteți (?:ilegal|clandestin|în siguranță)\b",
        r"\b(?:niciun|fără) risc\b|\bnu există (?:niciun )?risc\b",
        r"\bconfruntați-(?:l|o|vă)\b|\bnegociați cu\b|\bîntoarceți-vă la (?:el|ea)\b",
        r"\bascundeți-vă\b",
        r"\b(?:folosiți|cumpărați|dați|declarați) (?:o adresă falsă|un (?:contract|nume|document) fals)\b",
        r"\bașteptați să (?:vedeți|treacă)\b",
        r"\b(?:trimiteți|scrieți|spuneți)-ne (?:o (?:poză|fotografie)|numele|pașaportul|permisul)\b",
    ),
    "sq": _patterns(
        r"\bdo t(?:a|ë) merrni patjetër\b|\bpatjetër do\b|\bju garantojmë\b|\bdo ta merrni lejen\b",
        r"\b(?:nuk )?do t(?:ë|')?\s?dëboheni\b",
        r"\bjeni (?:i |e )?(?:paligjsh|ilegal|klandestin)|\bjeni në siguri\b",
        r"\basnjë rrezik\b|\bpa (?:asnjë )?rrezik\b",
        r"\bpërballuni me\b|\bnegocioni me\b|\bkthehuni tek (?:ai|ajo)\b",
        r"\bfshihuni\b",
        r"\b(?:përdorni|blini|jepni|deklaroni) një (?:adresë|kontratë|emër|dokument) (?:të |e )?(?:rreme?|fals\w*)",
        r"\bprisni (?:të shihni|derisa të kalojë)\b",
        r"\bna (?:dërgoni|shkruani|thoni) (?:një foto|emrin|pasaportën|lejen)\b",
    ),
    "uk": _patterns(
        r"\bви (?:обов'язково|точно|напевно) отримаєте\b|\bгарантуємо\b|\bви отримаєте (?:дозвіл|візу)\b",
        r"\bвас (?:не )?(?:депортують|вишлють)\b",
        r"\bви (?:нелегал|в безпеці)",
        r"\b(?:немає|без) (?:жодного )?ризику\b",
        r"\bпротистойте\b|(?<!не )\bдомовляйтеся з (?:ним|нею|кривдником)\b|(?<!не )\bповерніться до (?:нього|неї)\b",
        r"\b(?:сховайтеся|ховайтеся)\b",
        r"(?<!не )\b(?:вкажіть|купіть|купуйте|використайте) (?:фальшив|підроблен)",
        r"\bзачекайте,? (?:поки|доки) (?:мине|минеться|пройде)\b|\bпочекайте і побачите\b",
        r"\b(?:надішліть|напишіть|скажіть) нам (?:фото|ваше ім'я|ваш паспорт|своє ім'я)",
    ),
    "zh": _patterns(
        r"(?:一定|肯定|保证)(?:会|能|可以)?(?:得到|拿到|获得|批准)",
        r"(?:您|你)(?:不)?会被(?:驱逐|遣返)",
        r"(?:您|你)是(?:非法|黑户|合法)|(?:您|你)(?:很|是)安全",
        r"(?:没有|无)(?:任何)?风险",
        r"(?<!不要)(?<!别)(?:去找他理论|和他对质|跟他谈判|与他谈判|回到他身边)",
        r"(?<!不要)(?<!别)躲起来",
        r"(?<!不要)(?<!别)(?<!勿)(?:用|买|写|填|报)(?:一个)?(?:假地址|假合同|假名|假证件)",
        r"等等看|等一等再看|观察几天",
        r"(?:把|请发|发送)(?:您|你)?的?(?:护照|居留|证件)(?:照片|号码)?(?:发给我们|给我们)|告诉我们您的(?:姓名|护照)",
    ),
    "ur": _patterns(
        r"(?:ضرور|یقیناً|لازمی) (?:مل|ملے|ملیں) ?(?:جائے|گا|گی|گے)",
        r"ملک بدر (?:نہیں )?(?:کیا|کیے|کر دیا|ہوں)",
        r"آپ غیر قانونی ہیں|آپ محفوظ ہیں",
        r"کوئی خطرہ نہیں",
        r"اس کا سامنا کریں|(?:مالک|شوہر|اس) سے (?:سودا|سمجھوتہ) کریں|(?:اس|ان) کے پاس واپس جائیں",
        r"چھپ جائیں",
        r"(?:جھوٹا|جعلی|فرضی) (?:پتہ|کنٹریکٹ|نام|کاغذ) (?:دیں|لکھیں|لکھوائیں|خریدیں|بنوائیں)",
        r"انتظار کریں اور دیکھیں|خود ٹھیک ہونے کا انتظار کریں",
        r"ہمیں (?:اپنا|اپنی|اپنے) (?:نام|پاسپورٹ|تصویر|کاغذ)",
    ),
    "bn": _patterns(
        r"(?:অবশ্যই|নিশ্চয়ই|নিশ্চিত) পাবেন",
        r"আপনাকে (?:বহিষ্কার|বের করে)",
        r"আপনি (?:অবৈধ|অনিয়মিত|নিরাপদ)",
        r"কোনো ঝুঁকি নেই",
        r"তার মুখোমুখি হোন|(?:মালিকের|স্বামীর|তার) সঙ্গে (?:দরকষাকষি|আপস) করুন|তার কাছে ফিরে যান",
        r"লুকিয়ে (?:থাকুন|পড়ুন)",
        r"(?:ভুয়া|মিথ্যা|নকল) (?:ঠিকানা|চুক্তি|নাম|কাগজ) (?:দিন|লিখুন|কিনুন|ব্যবহার করুন)",
        r"অপেক্ষা করে দেখুন",
        r"আমাদের (?:আপনার )?(?:নাম|পাসপোর্ট|ছবি)(?:ের ছবি|ের নম্বর)? (?:দিন|পাঠান|লিখুন)",
    ),
    "pa": _patterns(
        r"ਜ਼ਰੂਰ ਮਿਲੇਗ|ਜ਼ਰੂਰ ਮਿਲੂਗ",
        r"ਤੁਹਾਨੂੰ (?:ਡਿਪੋਰਟ|ਦੇਸ਼ ਨਿਕਾਲਾ)",
        r"ਤੁਸੀਂ ਗ਼?ੈਰ-?ਕਾਨੂੰਨੀ ਹੋ|ਤੁਸੀਂ ਸੁਰੱਖਿਅਤ ਹੋ",
        r"ਕੋਈ ਖ਼?ਤਰਾ ਨਹੀਂ",
        r"ਉਸ ਦਾ ਸਾਹਮਣਾ ਕਰੋ|(?:ਮਾਲਕ|ਪਤੀ|ਉਸ) ਨਾਲ (?:ਸੌਦਾ|ਸਮਝੌਤਾ) ਕਰੋ|ਉਸ ਕੋਲ ਵਾਪਸ ਜਾਓ",
        r"ਲੁਕ ਜਾਓ",
        r"(?:ਝੂਠਾ|ਨਕਲੀ|ਜਾਅਲੀ) (?:ਪਤਾ|ਕੰਟਰੈਕਟ|ਨਾਂ|ਕਾਗਜ਼) (?:ਦਿਓ|ਲਿਖੋ|ਖਰੀਦੋ|ਵਰਤੋ)",
        r"ਉਡੀਕ ਕਰੋ ਅਤੇ ਵੇਖੋ|ਉਡੀਕ ਕਰ ਕੇ ਵੇਖੋ",
        r"ਸਾਨੂੰ (?:ਆਪਣਾ|ਆਪਣੀ|ਆਪਣੇ) (?:ਨਾਂ|ਪਾਸਪੋਰਟ|ਫੋਟੋ)",
    ),
    "ar": _patterns(
        r"(?:ستحصل|تحصل)(?:ون)? (?:بالتأكيد|حتما|حتمًا)|(?:بالتأكيد|حتما) ستحصل|(?<!لا )نضمن لكم",
        r"(?:لن يتم|سيتم) (?:ترحيلكم?|طردكم?)",
        r"أنت(?:م)? غير (?:قانوني|نظامي)|أنت(?:م)? في أمان",
        r"لا (?:يوجد |توجد )?(?:أي )?(?:خطر|مخاطرة)|بدون (?:أي )?خطر",
        r"(?<!لا )(?:واجهوه|تفاوضوا مع|ارجعوا إليه)",
        r"(?<!لا )(?:اختبئوا|اختبئ)\b",
        r"(?<!لا )(?:استعملوا|اشتروا|اكتبوا|أعطوا) (?:عنوانًا|عنوانا|عقدًا|عقدا|اسمًا|اسما) (?:مزور|مزيف|كاذب)",
        r"انتظروا (?:وانظروا|لتروا|حتى يزول)",
        r"(?:أرسلوا|اكتبوا|قولوا) لنا (?:صورة|اسمكم|جوازكم|رقم)",
    ),
}


def forbidden_in(text: str, code: str) -> Iterator[str]:
    """Give what a text of a language says and must not."""
    text = _comparable(text)
    for pattern in FORBIDDEN.get(code, ()):
        if match := pattern.search(text):
            yield match[0]
