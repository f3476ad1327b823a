"""What is done to every text before it is matched."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cleaning import clean, says_nothing, without_identifiers, without_stretching
from knowledge.romanising import in_latin, skeleton
from knowledge.scripts import kind_of, script_of


@given(st.text(max_size=400))
def test_a_cleaned_text_is_short_normal_and_stable(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= 300
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert "\0" not in cleaned


def test_joiners_that_urdu_and_bengali_need_are_kept() -> None:
    assert clean("ক্\u200dষ\u200c") == "ক্\u200dষ\u200c"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("guarda https://example.org/a?b=1 qui", "guarda qui"),
        ("scrivi a anna.rossi@example.org grazie", "scrivi a grazie"),
        ("il mio codice RSSMRA80A01G999X", "il mio codice"),
        ("passaporto YA1234567 scaduto", "passaporto scaduto"),
        ("chiamami +39 333 123 45 67", "chiamami"),
        ("iban IT60X0542811101000000123456", "iban"),
        ("il 730, il 1522 e il 116117", "il 730, il 1522 e il 116117"),
        ("permesso 2 anni nel 2026", "permesso 2 anni nel 2026"),
        ("800 600 500", ""),
        ("codice RSS MRA 80A01 G999X", "codice"),
        ("codice RSSMRA8LA0MG9VVX", "codice"),
        ("护照G12345678号到期了", "护照 号到期了"),
        ("passport AB 1234567", "passport"),
        ("il 1161170", "il 1161170"),
        ("my id 12345678 please", "my id please"),
        ("carta CA12345AB persa", "carta persa"),
        ("pratica 12PO345678", "pratica"),
        ("iban IT60 X054 2811 1010 0000 0123 456 come pago", "iban come pago"),
        ("iban GB29NWBK60161331926819", "iban"),
        ("iban GB29 NWBK 6016 1331 9268 19", "iban"),
        ("我的电话是13812345678请打", "我的电话是 请打"),
        ("3331234567رقمي", "رقمي"),
        ("رقمي ٠٣٣٣١٢٣٤٥٦٧", "رقمي"),
        ("আমার নম্বর ০১৭১২৩৪৫৬৭৮", "আমার নম্বর"),
        ("333–123‑4567", ""),
        ("wa.me/393331234567 ciao", "ciao"),
        ("看https://example.org/a怎么办", "看 怎么办"),
        ("我的邮箱anna@example.org怎么办", "我的邮箱 怎么办"),
        ("il D.Lgs. 286/1998 dice", "il D.Lgs. 286/1998 dice"),
    ],
)
def test_what_names_somebody_is_set_apart(text: str, left: str) -> None:
    assert without_identifiers(clean(text)) == left


@pytest.mark.parametrize("part", ["@", "a@", "a", "1 ", "w.", "a-", "a.b/", "AB12 ", "http://", "RSS MRA "])
def test_setting_apart_takes_no_longer_for_odd_texts(part: str) -> None:
    began = time.perf_counter()
    without_identifiers((part * 1200)[:1200])
    # A hundred times of what it takes: where each letter looked at all others, and at all between, it was 0.7 s.
    assert time.perf_counter() - began < 0.1


@given(st.text(max_size=300))
def test_any_text_has_a_latin_form_and_a_skeleton(text: str) -> None:
    latin = in_latin(clean(text))
    assert latin.isascii()
    assert skeleton(latin).isascii()


@pytest.mark.parametrize(
    ("one", "other"), [("zindagi", "jindagee"), ("7afla", "haflah"), ("waqt", "vakt"), ("khushi", "kushee")]
)
def test_spellings_of_one_word_share_their_consonants(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("ur", "کاغذ", "ur"),
        ("ur", "kaghaz", "ur-Latn"),
        ("pa", "کاغذ", "pa-Arab"),
        ("pa", "ਕਾਗਜ਼", "pa"),
        ("zh", "juliu", "zh-Latn"),
        ("it", "carta", "it"),
        ("uk", "123", "uk"),
    ],
)
def test_a_kind_is_a_language_in_a_script(language: str, text: str, kind: str) -> None:
    assert kind_of(language, text) == kind


def test_script_is_that_of_most_letters() -> None:
    assert script_of("permesso کی تجدید کیسے ہوتی ہے") == "Arab"
    assert script_of("123 !") is None


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("", True),
        ("a", True),
        ("??? 12", True),
        ("aaaaaaaaaaaa", True),
        ("Zzzzz z z!", True),
        ("SOS", False),
        ("ok", False),
        ("aiutoooooooo", False),
        ("aaaaa no", False),
        # Two characters each, though one of them is only a sign on the other.
        ("মামামামামামা", False),
        ("谢谢谢谢", False),
        ("救救救救救", False),
    ],
)
def test_a_key_that_is_held_down_says_nothing(text: str, nothing: bool) -> None:  # noqa: FBT001 - a table
    assert says_nothing(text) is nothing


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("aiutooooo", "aiuto"),
        ("HELPPPP meeeee", "HELP me"),
        ("مدددددد", "مد"),
        ("unde duc copiii?", "unde duc copiii?"),
        ("救救救救我", "救救救救我"),
        ("call 1111", "call 1111"),
    ],
)
def test_letters_that_are_stretched_count_once(text: str, left: str) -> None:
    assert without_stretching(text) == left
