"""Rendering for every platform: within its length in its own unit, nothing cut that belongs together."""

from dataclasses import replace

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands import number_of
from bot.wording import isolate
from channels.adapter import Capabilities, Outbound, OutboundChoice, WireMessage
from channels.rendering import measure, render

LINK = "https://www.comune.prato.it/it/servizi/anagrafe?anno=2026"
# Stands for a link that fills most of a part, whatever the platform takes.
LONG = "<long>"
PIECES = (
    "Una frase con parole. ",
    "یہ ایک جملہ ہے۔ ",
    "এটি একটি বাক্য। ",
    "这是一个句子。",
    "ਇਹ ਇੱਕ ਵਾਕ ਹੈ। ",
    "senzaspazi" * 30,
    "ক্ষ্মে" * 60,
    "ਸ੍ਰੀਕ੍ਰਿਪ੍ਰੂ" * 40,
    "ਸ੍ਰੀ👨‍👩‍👧‍👦ਕ੍ਰਿ🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f" * 30,
    "👩🏽‍🚒🇮🇹é\u0301" * 40,
    "\n",
    "\n\n",
    f"{LINK} ",
    f"{LINK.removeprefix('https://')} ",
    f"({LONG}) ",
    f"chiama {isolate('0574 1836 111, 0574 1836 222')} subito ",
    f"{isolate('دفتر برائے غیر ملکی شہری، پراتو')}",
)
# Long enough for three parts and more on every platform: a few pieces, again and again.
texts = st.builds(
    lambda pieces, times: "".join(pieces) * times, st.lists(st.sampled_from(PIECES), max_size=6), st.integers(1, 15)
)
labels = st.text(st.sampled_from("ab 中اردক্ষ(1)"), min_size=1, max_size=30).filter(str.strip)
DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "০১২৩৪৫৬৭৮৯", "੦੧੨੩੪੫੬੭੮੯", "０１２３４５６７８９")
CHINESE = "一二三四五六七八九"


def rendered(text: str, can: Capabilities, choices: tuple[OutboundChoice, ...] = ()) -> tuple[WireMessage, ...]:
    return render(Outbound("it", tuple(text.split("\n\n")), choices), can)


def long_link(can: Capabilities) -> str:
    return "https://example.it/".ljust(can.text_max * 4 // 5, "x")


def graphemes(text: str) -> list[str]:
    return [grapheme for grapheme in regex.findall(r"\X", text) if not grapheme.isspace()]


def depth(text: str) -> int:
    """Give how many isolates a text leaves open; -1 where it closes one that it did not open."""
    opened = 0
    for character in text:
        opened += {"\u2066": 1, "\u2067": 1, "\u2068": 1, "\u2069": -1}.get(character, 0)
        if opened < 0:
            return -1
    return opened


@given(text=texts)
@example(text=f"parola {LONG} parola")
def test_no_part_is_longer_than_the_platform_takes_and_nothing_is_lost(text: str, can: Capabilities) -> None:
    text = text.replace(LONG, long_link(can))
    parts = rendered(text, can)
    assert all(0 < measure(part.text, can.unit) <= can.text_max for part in parts)
    if text.strip():
        assert [g for part in parts for g in graphemes(part.text)] == graphemes(text)


@given(text=texts)
@example(text=f"{'parola ' * 20}{LONG} {'parola ' * 400}")
@example(text=f"{'senzaspazi' * 30}{LONG} {LONG}{'。' * 300}")
def test_a_link_is_never_cut(text: str, can: Capabilities) -> None:
    long = long_link(can)
    text = text.replace(LONG, long)
    parts = rendered(text, can)
    for link in (long, LINK):
        assert sum(part.text.count(link) for part in parts) == text.count(link)


@given(text=texts, before=st.integers(0, 40))
def test_what_is_set_apart_stays_so_in_every_part(text: str, before: int, can: Capabilities) -> None:
    name = isolate("Ufficio immigrazione e cittadinanza " * 3)
    straddling = f"{'x' * (can.text_max - before)} {name} {text}".replace(LONG, "")
    for outbound in (straddling, text.replace(LONG, "")):
        assert {depth(part.text) for part in rendered(outbound, can)} == {0}


@given(text=texts, labels=st.lists(labels, min_size=1, max_size=12))
def test_choices_can_be_tapped_or_answered_by_their_number(text: str, labels: list[str], can: Capabilities) -> None:
    choices = tuple(OutboundChoice(f"1.{place}", label) for place, label in enumerate(labels))
    text = text.replace(LONG, LINK)
    *_, last = parts = rendered(text, can, choices)
    assert not any(part.choices for part in parts[:-1])
    (*_, alone) = without = rendered(text, can)
    fits = can.choices_text_max is None or (
        len(without) == 1 and (not text.strip() or measure(alone.text, can.unit) <= can.choices_text_max)
    )
    if len(choices) <= can.choices_max and fits:
        assert last.choices == choices
        return
    assert last.choices == ()
    whole = "\n".join(part.text for part in parts)
    for number, choice in enumerate(choices, 1):
        assert f"{number}. {isolate(choice.label)}" in whole


def test_where_nothing_can_be_tapped_the_list_stands_below_the_text(can: Capabilities) -> None:
    choices = tuple(OutboundChoice(f"1.{place}", label) for place, label in enumerate(("Sì", "نہیں", "也许")))
    (part,) = rendered("Va bene?", replace(can, choices_max=0), choices)
    assert part.text.splitlines()[-3:] == [
        f"{n}. {isolate(label)}" for n, label in enumerate(("Sì", "نہیں", "也许"), 1)
    ]


@pytest.mark.parametrize("number", range(1, 10))
def test_every_number_is_understood_in_every_script(number: int) -> None:
    assert {number_of(digits[number]) for digits in DIGITS} | {number_of(CHINESE[number - 1])} == {number}
