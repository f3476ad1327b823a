"""When the desk is open, and when it opens next, also when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.hours import DeskHours

ROME = ZoneInfo("Europe/Rome")
HOURS = DeskHours.parse("mon-fri 09:00-13:00, tue thu 15:00-17:30", ROME)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-23T08:59", False, "2026-11-23T09:00"),
        ("2026-11-23T09:00", True, None),
        ("2026-11-23T12:59", True, None),
        ("2026-11-23T13:00", False, "2026-11-24T09:00"),
        ("2026-11-24T14:00", False, "2026-11-24T15:00"),
        ("2026-11-27T13:00", False, "2026-11-30T09:00"),
        ("2026-03-28T12:00", False, "2026-03-30T09:00"),
        ("2026-10-24T12:00", False, "2026-10-26T09:00"),
    ],
)
def test_open_and_next(moment: str, is_open: bool, opens: str | None) -> None:  # noqa: FBT001 - a table
    now = at(moment).astimezone(UTC)
    assert HOURS.is_open(now) is is_open
    assert HOURS.opens_at(now) == (None if opens is None else at(opens))


def test_without_hours_nothing_is_told() -> None:
    none = DeskHours.parse("", ROME)
    assert not none.is_open(at("2026-11-23T10:00"))
    assert none.opens_at(at("2026-11-23T10:00")) is None


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-28T21:59", False, "2026-11-28T22:00"),
        ("2026-11-28T23:59:59", True, None),
        ("2026-11-29T00:00", True, None),
        ("2026-11-29T02:00", False, "2026-12-05T22:00"),
    ],
)
def test_a_night_is_written_as_two_days(moment: str, is_open: bool, opens: str | None) -> None:  # noqa: FBT001 - a table
    night = DeskHours.parse("sat 22:00-24:00, sun 00:00-02:00", ROME)
    assert night.is_open(at(moment)) is is_open
    assert night.opens_at(at(moment)) == (None if opens is None else at(opens))


def test_a_desk_may_never_close() -> None:
    always = DeskHours.parse("mon-sun 00:00-24:00", ROME)
    assert all(always.is_open(at("2026-11-23T00:00") + timedelta(minutes=17 * step)) for step in range(600))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("mon", "mon"),
        ("09:00-10:00", "09:00-10:00"),
        ("lun 09:00-10:00", "lun"),
        ("fri-mon 09:00-10:00", "fri-mon"),
        ("mon 25:00-26:00", "25:00"),
        ("mon 10:00-09:00", "10:00-09:00"),
        ("mon 10:00-00:00", "10:00-00:00"),
        ("mon 10:00-24:01", "24:01"),
        ("mon 24:00-24:00", "24:00-24:00"),
        ("mon 9-13", "9-13"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        DeskHours.parse(text, ROME)


# Hypothesis wants bounds without a zone and adds it itself.
@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_opening_is_open_and_nothing_before_it_is(now: datetime) -> None:
    opens = HOURS.opens_at(now)
    if opens is None:
        assert HOURS.is_open(now)
        return
    assert opens > now
    assert HOURS.is_open(opens)
    quarter = timedelta(minutes=15)
    assert not any(HOURS.is_open(now + quarter * step) for step in range(int((opens - now) / quarter)))
