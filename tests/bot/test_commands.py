"""The words that steer, and the names of languages, in every language and script."""

import pytest

from bot import commands
from bot.commands import Command, command_of, label_of, language_named, normalised, number_of
from bot.wording import isolate


@pytest.mark.parametrize("text", ["2", "٢", "۲", "২", "੨", "２", "二", "2.", " 2) ", "②"])
def test_two_in_any_digits(text: str) -> None:
    assert number_of(text) == 2


@pytest.mark.parametrize("text", ["2️⃣", "两", "兩", "(2)", "2、", "২।", "\u20682\u2069", "\u200f2"])
def test_two_as_phones_and_people_also_write_it(text: str) -> None:
    assert number_of(text) == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("十一", 11), ("十二", 12), ("十四", 14), ("1️⃣2️⃣", 12), ("١٢", 12), ("১২", 12), ("⑫", 12)],
)
def test_long_lists_have_numbers_above_nine(text: str, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("text", ["十十", "十个", "一二", "两个", "\u20e3", "十½"])
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["", "due", "2 o 3", "½", "123", "-", "二十", "0"])
def test_what_is_no_number_of_a_list(text: str) -> None:
    assert number_of(text) in {None, 0}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("MENU!", Command.MENU),
        ("  Menù ", Command.MENU),
        ("/stop", Command.STOP),
        ("मenu", None),
        ("menu della mensa", None),
        ("گrazie", None),
        ("شکریہ۔", Command.THANKS),
        ("৭", None),
        ("谢谢！", Command.THANKS),
        ("👍🏽", None),
    ],
)
def test_a_word_steers_only_when_it_is_the_whole_message(text: str, command: Command | None) -> None:
    assert command_of(text) is command


@pytest.mark.parametrize(
    "text",
    [
        "persona",
        "person",
        "人工",
        "شخص",
        "মানুষ",
        "ਬੰਦਾ",
        "njeri",
        "persoană",
        "persoana",
        "personne",
        "людина",
        "Людина!",
        "bande naal gal",
        "quiero hablar con una persona",
    ],
)
def test_a_person_is_asked_for_in_twelve_languages(text: str) -> None:
    assert command_of(text) is Command.PERSON


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("شكراً", Command.THANKS),
        ("dhanwad", Command.THANKS),
        ("faleminderit", Command.THANKS),
        ("ਹਾਂ ਜੀ", Command.YES),
        ("na3am", Command.YES),
        ("po", Command.YES),
        ("ні", Command.NO),
        ("jo", Command.NO),
        ("bună ziua", Command.GREETING),
        ("добрий день", Command.GREETING),
        ("ajutor", Command.MENU),
        ("зупинити", Command.STOP),
        ("borrar mis datos", Command.DELETE),
        ("changer de langue", Command.LANGUAGE),
    ],
)
def test_the_other_languages_steer_too(text: str, command: Command) -> None:
    assert command_of(text) is command


@pytest.mark.parametrize(
    "text",
    [
        "fine",
        "end",
        "bas",
        "fin",
        "alto",
        "para",
        "la",
        "dil",
        "naam",
        "boli",
        "bine",
        "personne ne répond",
        "persona anziana",
        "je cherche une personne",
        "njeri i mirë",
        "людина похилого віку",
    ],
)
def test_words_with_another_meaning_do_not_steer(text: str) -> None:
    assert command_of(text) is None


def test_every_language_is_known_by_its_name_in_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    twelve = ("it", "en", "zh", "ur", "bn", "pa", "ar", "sq", "ro", "fr", "es", "uk")
    monkeypatch.setattr(commands, "CODES", twelve)
    names = commands._language_names()
    for name, code in {
        "română": "ro",
        "rumeno": "ro",
        "罗马尼亚语": "ro",
        "urduisht": "ur",
        "乌尔都语": "ur",
        "shqip": "sq",
        "албанська": "sq",
        "ਪੰਜਾਬੀ": "pa",
        "punjabi": "pa",
        "العربية": "ar",
        "عربي": "ar",
        "espanol": "es",
        "français": "fr",
        "українська": "uk",
        "angrezi": "en",
    }.items():
        assert names[normalised(name)] == code, name
    assert len(names) > 12 * 12
    assert not [name for name in names if command_of(name) or number_of(name)]


def test_a_language_that_is_not_offered_is_no_language_to_choose() -> None:
    assert {language_named(name) for name in ("italiano", "بنگالی", "klingon")} == {"it", "bn", None}


LABELS = ["Guardia medica, di notte", "شہریت", "居留许可", "居留许可", "Il mio caso è un altro"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("guardia medica di notte", 0),
        ("1. Guardia medica, di notte", 0),
        (f"1. {isolate('Guardia medica, di notte')}", 0),
        ("2. Guardia medica, di notte", None),
        ("شہریت۔", 1),
        ("居留许可", None),
        ("3. 居留许可", 2),
        ("4. 居留许可", 3),
        ("guardia medica", None),
        ("", None),
        ("!", None),
    ],
)
def test_the_words_of_a_choice_pick_it(text: str, place: int | None) -> None:
    assert label_of(text, LABELS) == place


def test_an_empty_list_has_no_labels() -> None:
    assert label_of("menu", []) is None
    assert label_of("menu", ["", "!"]) is None
