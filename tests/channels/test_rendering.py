"""Rendering: within the platform's length in its own unit, nothing lost, never inside a grapheme."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import Capabilities, Outbound, OutboundChoice
from channels.gathering import merged
from channels.rendering import measure, render, shortened, shortened_to, split

UNITS: tuple[Literal["utf-16", "bytes"], ...] = ("utf-16", "bytes")
texts = st.text(
    st.sampled_from("ab .!?\n۔।。！中文اردو ক্ষ্মে👩🏽‍🚒🇮🇹é\u0301\u200d\u200c") | st.characters(codec="utf-8"),
    max_size=400,
)


def capabilities(text_max: int, unit: Literal["utf-16", "bytes"] = "utf-16", *, choices_max: int = 100) -> Capabilities:
    return Capabilities(text_max, unit, choices_max, timedelta(0), timedelta(0))


def without_space(text: str) -> str:
    return "".join(text.split())


@given(texts, st.integers(40, 120), st.sampled_from(UNITS))
def test_parts_fit_and_lose_only_white_space(text: str, longest: int, unit: Literal["utf-16", "bytes"]) -> None:
    parts = split(text, longest, unit)
    assert all(0 < measure(part, unit) <= longest for part in parts)
    assert without_space("".join(parts)) == without_space(text)


@given(texts, st.integers(60, 120), st.sampled_from(UNITS))
def test_no_grapheme_is_cut_that_fits(text: str, longest: int, unit: Literal["utf-16", "bytes"]) -> None:
    whole = [grapheme for grapheme in regex.findall(r"\X", text.strip()) if not grapheme.isspace()]
    if any(measure(grapheme, unit) > longest for grapheme in whole):
        return
    cut = [grapheme for part in split(text, longest, unit) for grapheme in regex.findall(r"\X", part)]
    assert [grapheme.strip() for grapheme in cut if grapheme.strip()] == [g.strip() for g in whole if g.strip()]


@given(st.lists(texts, max_size=4), st.lists(st.text(min_size=1, max_size=20), max_size=4), st.booleans())
def test_rendering_gives_at_least_one_message_and_buttons_on_the_last(
    paragraphs: list[str],
    labels: list[str],
    buttons: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    choices = tuple(OutboundChoice(f"1.{place}", label) for place, label in enumerate(labels))
    wire = render(Outbound("it", tuple(paragraphs), choices), capabilities(100, choices_max=100 if buttons else 0))
    assert wire
    assert all(message.text.strip() for message in wire)
    assert all(not message.choices for message in wire[:-1])
    assert wire[-1].choices == (choices if buttons else ())


@given(texts, st.integers(80, 240), st.booleans())
def test_what_was_too_long_is_cut_into_parts_of_half_the_length(text: str, longest: int, tap: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    choices = (OutboundChoice("1.0", "Sì"),) if tap else ()
    can = replace(capabilities(longest), choices_text_max=longest // 2)
    wire = render(Outbound("it", (text,), choices, halved_from=0), can)
    assert all(0 < measure(message.text, "utf-16") <= longest // 2 for message in wire)
    assert all(measure(message.text, "utf-16") <= longest // 4 for message in wire if message.choices)
    assert without_space("".join(message.text for message in wire)).startswith(without_space(text))


def test_what_is_to_be_halved_stays_so_in_the_outbox_and_with_what_it_is_merged() -> None:
    halved = Outbound("it", ("a",), halved_from=2)
    assert Outbound.from_json(halved.to_json()) == halved
    assert merged([Outbound("it", ("b",)), halved, Outbound("it", ("c",))]).halved_from == 0
    assert merged([Outbound("it", ("b",)), Outbound("it", ("c",))]).halved_from is None


@given(texts, st.integers(80, 240), st.integers(0, 4), st.sampled_from(UNITS))
def test_what_arrived_stays_as_it_was_where_the_rest_is_cut_smaller(
    text: str, longest: int, arrived: int, unit: Literal["utf-16", "bytes"]
) -> None:
    whole = split(text, longest, unit)
    halved = split(text, longest, unit, halved_from=arrived)
    assert halved[:arrived] == whole[:arrived]
    assert all(0 < measure(part, unit) <= longest // 2 for part in halved[arrived:])
    assert without_space("".join(halved)) == without_space("".join(whole))


def test_a_long_answer_is_cut_between_sentences() -> None:
    text = "Prima frase. " * 30
    parts = split(text, 100, "utf-16")
    assert all(part.endswith(".") for part in parts)


@pytest.mark.parametrize("end", ["۔ ", "। ", "。", "？"])
def test_sentences_end_in_every_script(end: str) -> None:
    parts = split(f"{'ا' * 30}{end}" * 6, 70, "utf-16")
    assert all(part.endswith(end.strip()) for part in parts)


def test_paragraphs_are_set_apart_and_choices_numbered_without_buttons() -> None:
    outbound = Outbound("ur", ("سلام", " ", "کیا؟"), (OutboundChoice("1.0", "جی ہاں"), OutboundChoice("1.1", "No (2)")))
    (message,) = render(outbound, capabilities(4096, choices_max=0))
    assert message.text == "سلام\n\nکیا؟\n\n1. \u2068جی ہاں\u2069\n2. \u2068No (2)\u2069"


@pytest.mark.parametrize("before", ["parola " * 8, "这是一个没有空格的句子然后" * 3])
@pytest.mark.parametrize(
    "link",
    [
        "https://www.comune.prato.it/it/servizi/anagrafe",
        "HTTPS://WWW.COMUNE.PRATO.IT/IT/SERVIZI/ANAGRAFE",
        "www.comune.prato.it/it/servizi/anagrafe?anno=2026",
        "comune.prato.it/it/servizi",
        "t.me/sportello_prato_bot?start=mercato",
        "mailto:sportello@comune.prato.it",
        "sportello.stranieri@comune.prato.it",
    ],
)
def test_a_link_stays_whole_where_it_fits(link: str, before: str) -> None:
    for shift in range(40):
        parts = split(f"{before[shift:]}{link} {before}", 60, "utf-16")
        assert any(link in part for part in parts), (shift, parts)


def test_what_might_be_a_link_is_looked_through_once() -> None:
    """A long word with dots and no end is no link, and is not tried again from each of its letters."""
    assert "".join(split("a-b." * 20_000, 4096, "utf-16")) == "a-b." * 20_000


def test_bytes_are_counted_and_not_characters() -> None:
    parts = split("বাংলা " * 100, 2048, "bytes")
    assert max(len(part.encode()) for part in parts) <= 2048
    assert len(parts) == 1
    assert len(split("বাংলা " * 200, 2048, "bytes")) == 2


def test_a_label_is_shortened_at_a_grapheme() -> None:
    assert shortened("👩🏽‍🚒" * 5, 3) == "👩🏽‍🚒👩🏽‍🚒…"
    assert shortened("breve", 60) == "breve"


@given(st.text(st.sampled_from("ab 中اردক্ষ্মে👩🏽‍🚒"), max_size=60), st.integers(4, 90), st.sampled_from(UNITS))
def test_a_label_is_cut_to_a_length_in_whole_graphemes(
    label: str, longest: int, unit: Literal["utf-16", "bytes"]
) -> None:
    cut = shortened_to(label, longest, unit)
    assert measure(cut, unit) <= longest
    if measure(label, unit) <= longest:
        assert cut == label
        return
    assert cut.endswith("…")
    assert label.startswith(cut[:-1])
    whole = regex.findall(r"\X", label)
    if all(measure(grapheme, unit) <= longest for grapheme in whole):
        assert cut[:-1] in {"".join(whole[:number]) for number in range(len(whole))}


def test_choices_can_be_tapped_under_a_short_text_only_where_the_platform_says_so() -> None:
    choices = (OutboundChoice("1.0", "是"), OutboundChoice("1.1", "否"))
    can = replace(capabilities(200, "bytes"), choices_text_max=9)
    (short,) = render(Outbound("zh", ("你好吗",), choices), can)
    assert (short.text, short.choices) == ("你好吗", choices)
    (long,) = render(Outbound("zh", ("你好吗？",), choices), can)
    assert long.choices == ()
    assert [line[:3] for line in long.text.splitlines()[-2:]] == ["1. ", "2. "]
