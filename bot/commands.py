"""The words that steer a conversation, in every language and script: "menu", "stop", "a person" ..."""

import unicodedata
from enum import StrEnum
from typing import Final

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


# One line a language: it, en, zh, ur (script, then romanised), bn (likewise). A word counts only when
# it is the whole message, so that "menu della mensa" stays a question.
_WORDS: Final[dict[Command, str]] = {
    Command.MENU: """
        menu, menù, argomenti, temi, inizio, aiuto
        topics, start, help, main menu
        菜单, 目录, 主题, 帮助, caidan
        مینو, موضوعات, مدد, شروع, madad, shuru
        মেনু, বিষয়, সাহায্য, শুরু, sahajjo, shuru
        /menu, /help
    """,
    Command.LANGUAGE: """
        lingua, lingue, cambia lingua, cambiare lingua
        language, languages, change language
        语言, 換語言, 换语言, yuyan
        زبان, زبان بدلیں, zaban, zuban, zaban badlo
        ভাষা, ভাষা বদলান, bhasha, basha
        /language, /lingua
    """,
    Command.STOP: """
        stop, basta, ferma, annulla, esci
        cancel, quit, exit
        停止, 停, 结束, 取消, tingzhi
        روکیں, منسوخ, بند کرو, band karo, roko
        থামুন, বন্ধ করুন, বাতিল, bondho koro, thamun
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
        /delete
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
        /person
    """,
    Command.YES: """
        sì, si, certo, va bene, ok sì, d'accordo
        yes, yeah, yep, sure, ok yes, y
        是, 是的, 好, 好的, 对, 要, 可以, shi, hao, hao de
        ہاں, جی, جی ہاں, ٹھیک ہے, haan, han, ji, ji haan, jee, theek hai, thik hai
        হ্যাঁ, হ্যা, জি, ঠিক আছে, hae, hya, ji ha, thik ache, thik ase, haa
        👍, ✅
    """,
    Command.NO: """
        no, no grazie, non adesso
        nope, no thanks, no thank you, not now
        不, 不是, 不要, 不用, 不用了, bu, buyao
        نہیں, جی نہیں, nahi, nahin, ji nahi, nai
        না, না ধন্যবাদ, na
        👎, ❌
    """,
    Command.GREETING: """
        ciao, salve, buongiorno, buonasera, buon giorno, buona sera, ehi
        hello, hi, hey, good morning, good evening, how far
        你好, 您好, 早上好, 晚上好, 在吗, nihao, ni hao
        سلام, السلام علیکم, اسلام علیکم, ہیلو, salam, assalam o alaikum, asalam o alikum, aoa, assalamualaikum
        হ্যালো, আসসালামু আলাইকুম, সালাম, নমস্কার, নমস্কার, assalamu alaikum, nomoshkar, kemon achen
        👋
    """,
    Command.THANKS: """
        grazie, grazie mille, molte grazie, ok grazie, perfetto grazie
        thanks, thank you, thank you very much, thx, ok thanks
        谢谢, 谢谢你, 多谢, 谢谢您, xiexie
        شکریہ, بہت شکریہ, مہربانی, shukriya, shukria, bohat shukriya, meherbani
        ধন্যবাদ, অনেক ধন্যবাদ, dhonnobad, onek dhonnobad, donnobad
        🙏, ❤️
    """,
}


def normalised(text: str) -> str:
    """Bring a text into the form in which words are compared: NFKC, no case, no punctuation, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # The variation selectors and joiners of emoji come and go between phones.
    kept = (" " if unicodedata.category(c)[0] in "PZC" and c not in "/'" else c for c in folded if c != "\ufe0f")
    return " ".join("".join(kept).split())


def _table() -> dict[str, Command]:
    table: dict[str, Command] = {}
    for command, lines in _WORDS.items():
        for word in lines.replace("\n", ",").split(","):
            key = normalised(word)
            if key and table.setdefault(key, command) is not command:
                raise ValueError(f"{key!r} stands for {table[key]} and for {command}")
    return table


_TABLE: Final = _table()
_AUTONYMS: Final = {normalised(language.autonym): language.code for language in LANGUAGES} | {
    normalised(name): code
    for code, names in {
        "it": "italian, 意大利语, 意大利文, اطالوی, ইতালীয়",
        "en": "inglese, 英语, 英文, انگریزی, ইংরেজি",
        "zh": "chinese, cinese, 汉语, 普通话, چینی, চীনা",
        "ur": "urdu, 乌尔都语, উর্দু",
        "bn": "bengali, bangla, bengalese, 孟加拉语, بنگالی",
    }.items()
    for name in names.split(",")
    if code in CODES
}


def command_of(text: str) -> Command | None:
    """Give the command that a whole message is, or None."""
    return _TABLE.get(normalised(text))


def language_named(text: str) -> str | None:
    """Give the language whose name a whole message is, or None."""
    return _AUTONYMS.get(normalised(text))


def number_of(text: str) -> int | None:
    """Give the number that a whole message is, in any digits or as a Chinese numeral, or None.

    "2", "2.", "٢", "২", "２" and "二" are all two.
    """
    key = normalised(text)
    if not key or len(key) > 2:  # noqa: PLR2004 - no list has a hundred choices
        return None
    try:
        if key.isdecimal():
            return int(key)
        value = unicodedata.numeric(key) if len(key) == 1 else 0.0
    except (ValueError, TypeError):
        return None
    return int(value) if value >= 1 and value == int(value) else None
