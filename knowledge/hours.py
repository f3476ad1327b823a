"""The hours of a contact: "mon-fri 09:00-13:00, tue thu 15:00-17:30", or "always"."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

ALWAYS: Final = "always"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """The same hours on some days; `days` are pairs of first and last weekday (0 is Monday), as they were written."""

    days: tuple[tuple[int, int], ...]
    start: time
    end: time


def told_hours(text: str) -> tuple[Span, ...]:
    """Read hours in the order in which they are told; none for "always". Raises ValueError naming the bad part."""
    spans: list[Span] = []
    for part in filter(None, (part.strip() for part in text.lower().split(","))):
        if part == ALWAYS:
            continue
        *days, hours = part.split()
        found = _SPAN.fullmatch(hours)
        if not days or found is None:
            raise ValueError(f"{part!r} is not as in 'mon-fri 09:00-13:00', nor is it 'always'")
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if start >= end:
            raise ValueError(f"{hours!r} ends before it begins")
        spans.append(Span(tuple(_days(name) for name in days), start, end))
    return tuple(spans)


def _days(name: str) -> tuple[int, int]:
    """Give the first and last weekday of "tue" or "mon-fri"."""
    first, _, last = name.partition("-")
    try:
        start, end = DAYS.index(first), DAYS.index(last or first)
    except ValueError as error:
        raise ValueError(f"{name!r} is no day; the days are {' '.join(DAYS)}") from error
    if start > end:
        raise ValueError(f"{name!r} runs backwards through the week")
    return start, end
