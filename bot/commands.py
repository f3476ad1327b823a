"""The words that steer a conversation, in every language and script: "menu", "stop", "a person" ..."""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from babel import Locale

from bot.characters import Table
from bot.languages import CODES, LANGUAGES


class Command(StrEnum):
    """What a word can ask for. `YES` and `NO` mean something only after a question of the bot."""

    MENU = "menu"
    LANGUAGE = "language"
    STOP = "stop"
    DELETE = "delete"
    PERSON = "person"
    YES = "yes"
    NO = "no"
    GREETING = "greeting"
    THANKS = "thanks"


# In the order it, en, zh, ur, bn, pa, ar, sq, ro, fr, es, uk, in the script and romanised where people write so. A word
# counts only when it is the whole message, so that "menu della mensa" stays a question. Left out is whatever people
# also write with another meaning: "fine", "end", "bas", "fin", "alto", "para", "la", "dil", "naam",
# "boli", "bine", "accueil" ...
_WORDS: Final[dict[Command, str]] = {
    Command.MENU: """
        menu, menù, argomenti, temi, inizio, aiuto
        topics, start, help, main menu
        菜单, 目录, 主题, 帮助, caidan
        مینو, موضوعات, مدد, شروع, madad, shuru
        মেনু, বিষয়, সাহায্য, শুরু, sahajjo, shuru
        ਮੀਨੂ, ਵਿਸ਼ੇ, ਮਦਦ, ਸ਼ੁਰੂ
        القائمة, قائمة, المواضيع, مساعدة, ابدأ, al qaima, musaada, mosa3ada
        menuja, meny, temat, fillo, ndihmë, ndihme
        meniu, subiecte, teme, ajutor
        thèmes, themes, sujets, aide, début
        menú, temas, inicio, ayuda
        меню, теми, допомога, початок, dopomoha
        /menu, /help, /aiuto
    """,
    Command.LANGUAGE: """
        lingua, lingue, cambia lingua, cambiare lingua
        language, languages, change language
        语言, 換語言, 换语言, yuyan
        زبان, زبان بدلیں, zaban, zuban, zaban badlo
        ভাষা, ভাষা বদলান, bhasha, basha
        ਭਾਸ਼ਾ, ਬੋਲੀ, ਭਾਸ਼ਾ ਬਦਲੋ, bhasha badlo
        اللغة, لغة, تغيير اللغة, غير اللغة, lugha, logha, taghyir al lugha
        gjuha, gjuhë, gjuhe, ndrysho gjuhën, ndrysho gjuhen
        limba, limbă, limbi, schimbă limba, schimba limba
        langue, langues, changer de langue, changer la langue
        idioma, idiomas, lengua, cambiar idioma, cambiar de idioma
        мова, мови, змінити мову, mova
        /language, /lingua
    """,
    Command.STOP: """
        stop, basta, ferma, annulla, esci
        cancel, quit, exit
        停止, 停, 结束, 取消, tingzhi
        روکیں, منسوخ, بند کرو, band karo, roko
        থামুন, বন্ধ করুন, বাতিল, bondho koro, thamun
        ਰੋਕੋ, ਬੰਦ ਕਰੋ, ਰੱਦ ਕਰੋ, radd karo
        توقف, قف, إلغاء, الغاء, اخرج, tawaqqaf, ilgha
        ndalo, anulo
        oprește, opreste, opriți, anulează, anuleaza, renunț, renunt
        arrêter, arreter, arrête, arrete, annuler, quitter
        cancelar, salir
        стоп, зупинити, скасувати, вийти, zupynyty, skasuvaty
        /stop, /cancel
    """,
    Command.DELETE: """
        cancella i miei dati, elimina i miei dati, cancella dati, cancella tutto
        delete my data, erase my data, delete data, delete everything
        删除我的数据, 删除数据, 删除我的资料, 删除全部
        میرا ڈیٹا حذف کریں, میرا ڈیٹا ڈیلیٹ کریں, ڈیٹا حذف کریں, mera data delete karo, mera data delete karen,
        data delete
        আমার তথ্য মুছুন, আমার তথ্য মুছে দিন, আমার ডেটা মুছুন, amar data delete koro,
        amar data delete korun, amar totho muchun
        ਮੇਰਾ ਡਾਟਾ ਮਿਟਾਓ, ਮੇਰੀ ਜਾਣਕਾਰੀ ਮਿਟਾਓ, ਡਾਟਾ ਮਿਟਾਓ, mera data mitao
        احذف بياناتي, امسح بياناتي, حذف بياناتي, احذف كل شيء, ihdhif bayanati, ihzif bayanati
        fshi të dhënat e mia, fshi te dhenat e mia, fshij të dhënat e mia, fshij te dhenat e mia, fshi gjithçka
        șterge datele mele, sterge datele mele, șterge tot, sterge tot
        supprimer mes données, supprimer mes donnees, supprime mes données, efface mes données, effacer tout
        borra mis datos, borrar mis datos, elimina mis datos, eliminar mis datos, borrar todo
        видалити мої дані, видаліть мої дані, видали мої дані, видалити все, vydalyty moi dani
        /delete, /cancella
    """,
    Command.PERSON: """
        persona, una persona, parlare con una persona, voglio parlare con una persona, operatore, mediatore,
        mediatrice, voglio una persona, umano
        person, a person, talk to a person, i want a person, human, operator, agent, mediator, real person,
        talk to someone, i want to talk to a person, speak to a person
        人工, 真人, 人工服务, 转人工, 找人工, 我要人工, 客服, 调解员, rengong, zhen ren
        شخص, کسی شخص سے بات, انسان, کسی سے بات کرنی ہے,
        نمائندہ, shakhs, insan, insan se baat, banda, kisi se baat karni hai,
        kisi bande se baat karni hai, operator se baat
        মানুষ, একজন মানুষ, মানুষের সাথে কথা, মানুষের সাথে কথা বলতে চাই, লোক, manush, manusher sathe kotha, lok,
        manusher sathe kotha bolte chai
        ਬੰਦਾ, ਬੰਦੇ ਨਾਲ ਗੱਲ, ਇਨਸਾਨ, ਕਿਸੇ ਨਾਲ ਗੱਲ ਕਰਨੀ ਹੈ, ਮੈਂ ਕਿਸੇ ਨਾਲ ਗੱਲ ਕਰਨੀ ਹੈ, bande naal gal, bande nal gall,
        kise naal gal karni hai
        إنسان, موظف, أريد شخصا, أريد التحدث مع شخص, التحدث مع شخص, اريد شخص, اريد التحدث مع شخص, بغيت نهضر مع شي واحد,
        muwazzaf, bghit nhder m3a chi wahed
        njeri, një njeri, nje njeri, një person, nje person, dua një njeri, dua nje njeri, dua të flas me dikë,
        dua te flas me dike, operatori
        persoană, persoana, o persoană, o persoana, vreau o persoană, vreau o persoana,
        vreau să vorbesc cu cineva, vreau sa vorbesc cu cineva, operatorul, mediatorul
        personne, une personne, parler à une personne, parler a une personne, je veux parler à quelqu'un,
        je veux parler a quelqu'un, parler à quelqu'un, conseiller, médiateur, médiatrice, humain
        hablar con una persona, quiero hablar con una persona, quiero una persona, hablar con alguien, operador,
        mediador, mediadora
        людина, людину, жива людина, поговорити з людиною, хочу поговорити з людиною, оператор, liudyna, lyudyna
        /person, /persona
    """,
    Command.YES: """
        sì, si, certo, va bene, ok sì, d'accordo
        yes, yeah, yep, sure, ok yes, y
        是, 是的, 好, 好的, 对, 要, 可以, shi, hao, hao de
        ہاں, جی, جی ہاں, ٹھیک ہے, haan, han, ji, ji haan, jee, theek hai, thik hai
        হ্যাঁ, হ্যা, জি, ঠিক আছে, hae, hya, ji ha, thik ache, thik ase, haa
        ਹਾਂ, ਹਾਂ ਜੀ, ਹਾਂਜੀ, ਜੀ, ਠੀਕ ਹੈ, haanji, haan ji, hanji
        نعم, أجل, ايوه, أيوه, اي نعم, واخا, طيب, موافق, na3am, aywa, aiwa, wakha
        po, po po, patjetër, patjeter, dakord
        da, da da, sigur, desigur, de acord
        oui, ouais, d'accord, bien sûr, bien sur, volontiers
        sí, sí sí, claro, vale, de acuerdo, por supuesto
        так, да, звичайно, добре, гаразд, tak, dobre
        👍, ✅
    """,
    Command.NO: """
        no, no grazie, non adesso
        nope, no thanks, no thank you, not now
        不, 不是, 不要, 不用, 不用了, bu, buyao
        نہیں, جی نہیں, nahi, nahin, ji nahi, nai
        না, না ধন্যবাদ, na
        ਨਹੀਂ, ਨਹੀਂ ਜੀ, ਨਾ, ਜੀ ਨਹੀਂ, nahi ji, nahin ji
        لا, لا شكرا, ليس الآن, كلا, laa, la shukran, la choukran
        jo, jo faleminderit, jo tani
        nu, nu mulțumesc, nu multumesc, nu acum
        non, non merci, pas maintenant
        no gracias, ahora no
        ні, ні дякую, не зараз, нет, ni diakuiu
        👎, ❌
    """,
    Command.GREETING: """
        ciao, salve, buongiorno, buonasera, buon giorno, buona sera, ehi
        hello, hi, hey, good morning, good evening, how far
        你好, 您好, 早上好, 晚上好, 在吗, nihao, ni hao
        سلام, السلام علیکم, اسلام علیکم, ہیلو, salam, assalam o alaikum, asalam o alikum, aoa, assalamualaikum
        হ্যালো, আসসালামু আলাইকুম, সালাম, নমস্কার, নমস্কার, assalamu alaikum, nomoshkar, kemon achen
        ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ, ਨਮਸਤੇ, ਸਲਾਮ, sat sri akal, sasriakal, sasrikal, namaste
        السلام عليكم, مرحبا, أهلا, اهلا, أهلا وسهلا, صباح الخير, مساء الخير, marhaba, ahlan, salam alaykum,
        salam alaikum, assalamu alaykum, sabah al khair
        përshëndetje, pershendetje, tungjatjeta, mirëdita, miredita, mirëmëngjes, miremengjes, mirëmbrëma,
        ç'kemi, c'kemi
        bună, buna, bună ziua, buna ziua, bună seara, buna seara, bună dimineața, buna dimineata, noroc
        bonjour, bonsoir, salut, coucou, bonjour madame, bonjour monsieur
        hola, buenos días, buenos dias, buenas tardes, buenas noches, buenas
        привіт, вітаю, добрий день, доброго дня, добрий ранок, добрий вечір, доброго вечора, pryvit, privit,
        dobryi den, dobryy den
        👋
    """,
    Command.THANKS: """
        grazie, grazie mille, molte grazie, ok grazie, perfetto grazie
        thanks, thank you, thank you very much, thx, ok thanks
        谢谢, 谢谢你, 多谢, 谢谢您, xiexie
        شکریہ, بہت شکریہ, مہربانی, shukriya, shukria, bohat shukriya, meherbani
        ধন্যবাদ, অনেক ধন্যবাদ, dhonnobad, onek dhonnobad, donnobad
        ਧੰਨਵਾਦ, ਬਹੁਤ ਧੰਨਵਾਦ, ਸ਼ੁਕਰੀਆ, ਮਿਹਰਬਾਨੀ, dhanvaad, dhanwad, dhannvaad, bahut dhanvaad
        شكرا, شكرًا, شكراً, شكرا جزيلا, شكرا لك, بارك الله فيك, shukran, choukran, chokran
        faleminderit, shumë faleminderit, shume faleminderit, flm, rrofsh
        mulțumesc, multumesc, mulţumesc, mulțumesc frumos, multumesc frumos, mersi
        merci, merci beaucoup, merci bien, ok merci
        gracias, muchas gracias, mil gracias, ok gracias
        дякую, дуже дякую, щиро дякую, спасибі, diakuiu, dyakuyu, dyakuju, spasybi
        🙏, ❤️
    """,
}


def normalised(text: str) -> str:
    """Bring a text into the form in which words are compared: NFKC, no case, no punctuation, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_COMPARED).split())


def _compared(character: str) -> str:
    if character == "\ufe0f":
        # The variation selectors and joiners of emoji come and go between phones.
        return ""
    return " " if unicodedata.category(character)[0] in "PZC" and character not in "/'" else character


_COMPARED: Final = Table(_compared)


def _table() -> dict[str, Command]:
    table: dict[str, Command] = {}
    for command, lines in _WORDS.items():
        for word in lines.replace("\n", ",").split(","):
            key = normalised(word)
            if key and table.setdefault(key, command) is not command:
                raise ValueError(f"{key!r} stands for {table[key]} and for {command}")
    return table


_TABLE: Final = _table()
# Names that speakers use beside those that Babel knows, and romanised ones.
_MORE_NAMES: Final[dict[str, str]] = {
    "it": "意大利文, ইতালীয়, ইতালিয়ান, ਇਟਾਲੀਅਨ, ايطالي, إيطالي, italien, italiana, итальянский, italian zaban",
    "en": "英文, انگلش, ইংলিশ, angrezi, angreji, engreji, ingreji, ਇੰਗਲਿਸ਼, ingles, إنجليزي, انجليزي, engleza, inglisht",
    "zh": "汉语, 普通话, 华语, 中国话, zhongwen, hanyu, putonghua, cinese mandarino, mandarin, chineza, صيني",
    "ur": "urdu zaban, اردو زبان, ওর্দু, أردو, اردية",
    "bn": "bengali, bangla, bengalese, বাংলা ভাষা, بنگالی, بنغالي, bengaleza, bengali zaban",
    "pa": "panjabi, punjabi, پنجابی, ਪੰਜਾਬੀ ਬੋਲੀ, پنجابی زبان, بنجابي, পাঞ্জাবি",
    "ar": "عربي, arabi, arabic, 阿拉伯文, আরবী, araba",
    "sq": "shqipe, gjuha shqipe, ألباني, albaneza, albanés, البانوی, আলবেনিয়ান, ਅਲਬਾਨੀਅਨ",
    "ro": "romana, limba română, limba romana, romeno, روماني, رومانوی, রোমানিয়ান, ਰੋਮਾਨੀਅਨ",
    "fr": "francais, 法文, فرنسي, فرنچ, ফ্রেঞ্চ, franceza, ਫ੍ਰੈਂਚ, frengjisht, французский",
    "es": "espanol, castellano, castigliano, اسباني, إسباني, ہسپانوی زبان, spaniola, স্পেনীয়, ਸਪੈਨਿਸ਼",
    "uk": "українська мова, ukrainska, ukrainiana, أوكراني, یوکرینی, ইউক্রেনিয়ান, ਯੂਕਰੇਨੀ, украинский",
}


def _language_names() -> dict[str, str]:
    """Give every name of our languages with its code: their own, that in each of the others, and some more."""
    names = {normalised(language.autonym): language.code for language in LANGUAGES}
    readers = [Locale(reader).languages for reader in _MORE_NAMES]
    for code, more in _MORE_NAMES.items():
        if code in CODES:
            for name in (*(reader[code] for reader in readers), *more.split(",")):
                key = normalised(name)
                if names.setdefault(key, code) != code:
                    raise ValueError(f"{key!r} names {names[key]} and {code}")
    return names


_NAMES: Final = _language_names()


# What makes a key of a digit, as in 2️⃣.
_KEYCAP: Final = "\u20e3"


def command_of(text: str) -> Command | None:
    """Give the command that a whole message is, or None."""
    return _TABLE.get(normalised(text))


def language_named(text: str) -> str | None:
    """Give the language whose name a whole message is, or None."""
    return _NAMES.get(normalised(text))


def number_of(text: str) -> int | None:
    """Give the number that a whole message is, in any digits or as a Chinese numeral, or None.

    "2", "2.", "٢", "২", "２", "二", "两" and the key 2️⃣ of a keyboard of emoji are all two.
    """
    key = normalised(text).replace(_KEYCAP, "")
    if not key or len(key) > 2:  # noqa: PLR2004 - no list has a hundred choices
        return None
    if key.isdecimal():
        return int(key)
    # Two of something, which people also answer with.
    if key in {"两", "兩"}:
        return 2
    ten = 0
    if len(key) == 2 and key[0] == "十":  # noqa: PLR2004 - eleven to nineteen
        ten, key = 10, key[1]
    value = unicodedata.numeric(key, 0.0) if len(key) == 1 else 0.0
    if value < 1 or value != int(value) or (ten and value >= ten):
        return None
    return ten + int(value)


def label_of(text: str, labels: Sequence[str]) -> int | None:
    """Give the place, from 0, of the label that a whole message is, or None.

    The label may have its number before it, as a line of a list has when it is copied. Where two labels are alike,
    neither is meant.
    """
    key = normalised(text)
    if not key:
        return None
    names = [normalised(label) for label in labels]
    found = [place for place, name in enumerate(names) if key in {name, f"{place + 1} {name}"}]
    return found[0] if len(found) == 1 else None
