"""When the desk is open, and when it opens next."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_DAYS_AHEAD: Final = 8


@dataclass(frozen=True, slots=True)
class Opening:
    """One span of a weekday (0 is Monday), in the desk's own time; the end is not part of it, and None is midnight."""

    weekday: int
    start: time
    end: time | None

    def covers(self, moment: datetime) -> bool:
        """Tell whether a moment of the desk's own time lies within."""
        return self.weekday == moment.weekday() and self.start <= moment.time() and self._lasts(moment.time())

    def _lasts(self, clock: time) -> bool:
        return self.end is None or clock < self.end


@dataclass(frozen=True, slots=True)
class DeskHours:
    """The weekly hours of the desk. Without any opening, nothing is told about hours."""

    openings: tuple[Opening, ...]
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Self:
        """Read hours such as "mon-fri 09:00-13:00, tue thu 15:00-24:00"; raises ValueError naming the bad part."""
        openings: list[Opening] = []
        for part in filter(None, (part.strip() for part in text.lower().split(","))):
            *days, span = part.split()
            found = _SPAN.fullmatch(span)
            if not days or found is None:
                raise ValueError(f"{part!r} is not as in 'mon-fri 09:00-13:00'")
            try:
                start = time(int(found[1]), int(found[2]))
                # No clock shows it, but it is how people write that a day is open to its end.
                end = None if span.endswith("-24:00") else time(int(found[3]), int(found[4]))
            except ValueError as error:
                raise ValueError(f"{span!r} has a time that no clock shows") from error
            if end is not None and start >= end:
                raise ValueError(f"{span!r} ends before it begins")
            openings += (Opening(day, start, end) for name in days for day in _weekdays(name))
        return cls(tuple(sorted(openings, key=lambda opening: (opening.weekday, opening.start))), zone)

    def is_open(self, now: datetime) -> bool:
        """Tell whether the desk is open at a moment."""
        local = now.astimezone(self.zone)
        return any(opening.covers(local) for opening in self.openings)

    def opens_at(self, now: datetime) -> datetime | None:
        """Give the next opening after a moment; None where the desk is open, or has no hours."""
        if self.is_open(now):
            return None
        today = now.astimezone(self.zone).date()
        for ahead in range(_DAYS_AHEAD):
            day = today + timedelta(days=ahead)
            for opening in self.openings:
                start = datetime.combine(day, opening.start, self.zone)
                # Compared as moments, not as local times: clocks are put forward and back.
                if opening.weekday == day.weekday() and start.timestamp() > now.timestamp():
                    return start
        return None


def _weekdays(name: str) -> list[int]:
    """Give the weekdays of "tue" or "mon-fri"."""
    first, _, last = name.partition("-")
    try:
        start, end = DAYS.index(first), DAYS.index(last or first)
    except ValueError as error:
        raise ValueError(f"{name!r} is no day; the days are {' '.join(DAYS)}") from error
    if start > end:
        raise ValueError(f"{name!r} runs backwards through the week")
    return list(range(start, end + 1))
