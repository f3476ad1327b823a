"""What no answer says: promises, judgements of a person's status, and advice that can do harm.

A small table of patterns a language. It finds what slips in, and is no proof that a text is careful.
"""

import re
from collections.abc import Mapping
from typing import Final


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)


FORBIDDEN: Final[Mapping[str, tuple[re.Pattern[str], ...]]] = {
    "it": _patterns(
        # Promises.
        r"\bavrai (?:di sicuro |sicuramente |certamente )?il (?:permesso|visto|contributo|sussidio|bonus)\b",
        r"\b(?:otterrai|riceverai|avrai|vincerai) (?:di sicuro|sicuramente|certamente|senz'altro)\b",
        r"\b(?:sicuramente|certamente|di sicuro) (?:otterrai|riceverai|avrai|vincerai)\b",
        r"\bti daranno (?:di sicuro |sicuramente )?(?:il permesso|la cittadinanza|la casa)\b",
        r"\bgarantiamo\b|\bè garantit[oa]\b",
        # Judgements of a person.
        r"\bsei (?:regolare|irregolare|clandestin[oa]|illegale)\b",
        r"\b(?:non )?(?:sarai|verrai) espuls[oa]\b|\bnon ti espell\w+",
        r"\b(?:senza|nessun|non c'è) (?:alcun )?rischi[o]?\b",
        # Advice that does harm.
        r"\baffrontal[oaie]\b|\btratta con (?:lui|lei|il (?:tuo )?sfruttatore)\b|\bnasconditi\b",
        r"\bscrivici (?:il|la) (?:tuo |tua )?(?:nome|numero del (?:permesso|passaporto)|foto)\b",
    ),
    "en": _patterns(
        r"\byou(?:'ll| will) (?:surely |certainly |definitely )?(?:get|receive|obtain) (?:the|a|your) "
        r"(?:permit|visa|citizenship|benefit)\b",
        r"\byou(?:'ll| will) (?:surely|certainly|definitely)\b|\bwe guarantee\b|\bis guaranteed\b",
        r"\byou are (?:a )?(?:regular|irregular|illegal|undocumented|clandestine)\b",
        r"\byou(?:'ll| will) (?:not )?be (?:expelled|deported)\b|\bwon't be (?:expelled|deported)\b",
        r"\b(?:there is )?no risk\b|\bwithout (?:any )?risk\b",
        r"\b(?:confront|negotiate with) (?:him|her|them|your (?:boss|husband|exploiter))\b|\bhide from the\b",
        r"\bsend us (?:a photo|your (?:name|passport|permit))\b",
    ),
    "fr": _patterns(
        r"\bvous (?:obtiendrez|recevrez|aurez) (?:sûrement|certainement|à coup sûr)\b",
        r"\bvous (?:obtiendrez|aurez) (?:le|votre) (?:permis|visa|titre)\b",
        r"\bvous êtes (?:en situation )?(?:irréguli|clandestin|illégal)",
        r"\bvous (?:ne )?serez (?:pas )?expulsé|\b(?:aucun|sans) risque\b",
    ),
    "es": _patterns(
        r"\b(?:obtendrá|recibirá|tendrá) (?:seguramente|seguro|con seguridad)\b",
        r"\b(?:obtendrá|tendrá) (?:el|su) (?:permiso|visado)\b",
        r"\b(?:usted )?es (?:irregular|ilegal)\b|\b(?:no )?será expulsad[oa]\b|\b(?:ningún|sin) riesgo\b",
    ),
    "ro": _patterns(
        r"\bveți (?:primi|obține) (?:sigur|cu siguranță)\b",
        r"\b(?:nu )?veți fi expulzat|\b(?:niciun|fără) risc\b|\bsunteți ilegal\b",
    ),
    "sq": _patterns(
        r"\bdo t(?:a|ë) merrni patjetër\b|\bpatjetër do\b",
        r"\b(?:nuk )?do t(?:ë|')?\s?dëboheni\b|\basnjë rrezik\b|\bpa (?:asnjë )?rrezik\b",
    ),
    "uk": _patterns(
        r"\bви (?:обов'язково|точно|напевно) отримаєте\b|\bгарантуємо\b",
        r"\bвас (?:не )?(?:депортують|вишлють)\b|\b(?:немає|без) (?:жодного )?ризику\b|\bви нелегал",
    ),
    "zh": _patterns(
        r"(?:一定|肯定|保证)(?:会|能|可以)?(?:得到|拿到|获得|批准)",
        r"(?:您|你)(?:不)?会被(?:驱逐|遣返)|(?:没有|无)(?:任何)?风险|(?:您|你)是(?:非法|黑户)",
    ),
    "ur": _patterns(
        r"(?:ضرور|یقیناً|لازمی) (?:مل|ملے|ملیں) ?(?:جائے|گا|گی|گے)",
        r"کوئی خطرہ نہیں|ملک بدر (?:نہیں )?(?:کیا|کیے|کر دیا|ہوں)|آپ غیر قانونی ہیں",
    ),
    "bn": _patterns(
        r"(?:অবশ্যই|নিশ্চয়ই|নিশ্চিত) পাবেন",
        r"কোনো ঝুঁকি নেই|আপনাকে (?:বহিষ্কার|বের করে)|আপনি (?:অবৈধ|অনিয়মিত)",
    ),
    "pa": _patterns(r"ਜ਼ਰੂਰ ਮਿਲੇਗ|ਜ਼ਰੂਰ ਮਿਲੂਗ", r"ਕੋਈ ਖ਼?ਤਰਾ ਨਹੀਂ|ਤੁਸੀਂ ਗ਼?ੈਰ-?ਕਾਨੂੰਨੀ ਹੋ"),
    "ar": _patterns(
        r"(?:ستحصل|تحصل) (?:بالتأكيد|حتما|حتمًا)|(?:بالتأكيد|حتما) ستحصل",
        r"(?:لن يتم|سيتم) (?:ترحيلك|طردك)|لا (?:يوجد |توجد )?(?:أي )?(?:خطر|مخاطرة)|أنت غير (?:قانوني|نظامي)",
    ),
}
