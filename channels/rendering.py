"""An outbound message fitted to what a platform can carry. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import regex

from bot.wording import isolate
from channels.adapter import Capabilities, Outbound, OutboundChoice, WireMessage

Unit = Literal["utf-16", "bytes"]

_GRAPHEME: Final = regex.compile(r"\X")
# Where a text may be cut, best first: after a paragraph, a line, a sentence in any of our scripts, a word.
_CUTS: Final = (
    regex.compile(r"\n\s*\n\s*"),
    regex.compile(r"\n\s*"),
    regex.compile(r"(?:(?<=[.!?۔؟।])\s+|(?<=[。！？])\s*)"),
    regex.compile(r"\s+"),
)
# What belongs together: a link, also as people and phones write them, an e-mail address, and what is set apart from
# the writing direction around it.
_WHOLE: Final = regex.compile(
    r"(?i:https?://|mailto:|www\.|(?<![a-z0-9.-])(?:[a-z0-9-]++\.)++[a-z]{2,}+/)[^\s\u2066-\u2069、。，！？]+"
    r"|(?<![a-zA-Z0-9.+_-])[a-zA-Z0-9.+_-]++@[a-zA-Z0-9.-]++"
    r"|[\u2066-\u2068](?:[^\u2066-\u2069]|[\u2066-\u2068][^\u2066-\u2069]*+\u2069)*+\u2069"
)
# A part is cut at a better place only where this much of it is filled; otherwise parts would be tiny.
_LEAST_FILLED: Final = 0.4


def measure(text: str, unit: Unit) -> int:
    """Give the length of a text as a platform counts it; lone surrogates count as they would be replaced."""
    if unit == "bytes":
        return len(text.encode("utf-8", "replace"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def render(outbound: Outbound, capabilities: Capabilities) -> tuple[WireMessage, ...]:
    """Give the messages to send, in their order; at least one, none of them empty or too long.

    Choices stand on the last part to be tapped, or as a numbered list at the end of the text where a platform has
    no place for so many, or not under so long a text.
    """
    paragraphs = [paragraph.strip() for paragraph in outbound.paragraphs]
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    choices = outbound.choices
    share = 1 if outbound.halved_from is None else 2
    if choices and not _can_be_tapped(text, len(choices), capabilities, share):
        listed = numbered(choices)
        text = f"{text}\n\n{listed}" if text else listed
        choices = ()
    parts = split(text, capabilities.text_max, capabilities.unit, halved_from=outbound.halved_from) or ["…"]
    language = outbound.language
    before = [WireMessage(part, language=language) for part in parts[:-1]]
    return (*before, WireMessage(parts[-1], choices, language=language))


def _can_be_tapped(text: str, number: int, can: Capabilities, share: int) -> bool:
    longest = can.choices_text_max
    return number <= can.choices_max and (longest is None or measure(text, can.unit) <= longest // share)


def numbered(choices: Sequence[OutboundChoice]) -> str:
    """Give choices as lines to answer by their number."""
    return "\n".join(f"{number}. {isolate(choice.label)}" for number, choice in enumerate(choices, 1))


def split(text: str, longest: int, unit: Unit, *, halved_from: int | None = None) -> list[str]:
    """Cut a text into parts of at most `longest`, losing nothing but white space where it is cut.

    Never inside a grapheme, as long as the grapheme itself fits; a link, and what is set apart with isolates, is
    cut only where it does not fit into a part of its own. From the part numbered `halved_from` on, parts are of half
    the length; those before it are as without.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        most = longest if halved_from is None or len(parts) < halved_from else longest // 2
        if measure(rest, unit) <= most:
            parts.append(rest)
            break
        end = _cut(rest, most, unit)
        part = rest[:end].rstrip()
        if part:
            parts.append(part)
        rest = rest[end:].lstrip()
    return parts


def _cut(text: str, longest: int, unit: Unit) -> int:
    """Give where to cut a text that is too long: within `longest`, and after at least one character."""
    limit = _fitting(text, longest, unit)
    wholes = [
        found.span()
        for found in _WHOLE.finditer(text, 0, limit + longest)
        if found.start() < limit and measure(found.group(), unit) <= longest
    ]
    if wholes and 0 < wholes[-1][0] < limit < wholes[-1][1]:
        limit = wholes[-1][0]
    for pattern in _CUTS:
        ends = [
            found.end()
            for found in pattern.finditer(text, 0, limit + 1)
            if found.start() <= limit and not any(start < found.end() < end for start, end in wholes)
        ]
        if ends and min(ends[-1], limit) >= limit * _LEAST_FILLED:
            return ends[-1]
    return limit


def _fitting(text: str, longest: int, unit: Unit) -> int:
    """Give how many characters of a text that is too long fit, at least one, in whole graphemes.

    A grapheme that is itself too long is cut by characters.
    """
    # No character is shorter than one unit.
    fitting = bisect_right(range(1, longest + 1), longest, key=lambda length: measure(text[:length], unit))
    *_, last = _GRAPHEME.findall(text, 0, fitting) or [""]
    whole = _GRAPHEME.match(text, fitting - len(last))
    if whole is None or whole.end() == fitting or measure(whole.group(), unit) > longest:
        return max(fitting, 1)
    return max(whole.start(), 1)


def _pieces(text: str, longest: int, unit: Unit) -> Iterator[str]:
    for found in _GRAPHEME.finditer(text):
        grapheme = found.group()
        if measure(grapheme, unit) <= longest:
            yield grapheme
        else:
            yield from grapheme


def shortened(text: str, longest: int) -> str:
    """Cut a label to a number of graphemes, with an ellipsis where something is left out."""
    graphemes = _GRAPHEME.findall(text)
    return text if len(graphemes) <= longest else "".join(graphemes[: longest - 1]) + "…"


def shortened_to(label: str, longest: int, unit: Unit) -> str:
    """Cut a label to a length as a platform counts it, in whole graphemes, with an ellipsis where something is gone.

    `longest` has room for the ellipsis at least.
    """
    if measure(label, unit) <= longest:
        return label
    kept, used = "", measure("…", unit)
    for piece in _pieces(label, longest, unit):
        used += measure(piece, unit)
        if used > longest:
            break
        kept += piece
    return kept + "…"
