"""Cursors: one process fetches at a time, a ring is never overlooked, and where to go on is kept."""

from datetime import datetime, timedelta

from store import cursors
from store.cursors import Cursor
from store.database import Database
from tests.conftest import FakeClock

LEASE = timedelta(seconds=60)
WHO = {"channel": "wecom", "account": "wk1"}


async def opened(database: Database, clock: FakeClock) -> None:
    async with database.begin() as connection:
        await cursors.open_account(connection, **WHO, now=clock())


async def take(database: Database, clock: FakeClock) -> Cursor | None:
    async with database.begin() as connection:
        return await cursors.take(connection, **WHO, lease_for=LEASE, now=clock())


async def ring(database: Database, clock: FakeClock, token: str) -> None:
    async with database.begin() as connection:
        await cursors.ring(connection, **WHO, token=token, now=clock())


async def keep(database: Database, taken: Cursor, cursor: str, due_at: datetime) -> None:
    async with database.begin() as connection:
        await cursors.keep(connection, taken, **WHO, cursor=cursor, due_at=due_at)


async def due(database: Database) -> datetime | None:
    async with database.read() as connection:
        return await cursors.next_due(connection, **WHO)


async def test_a_new_account_is_due_at_once_and_opening_it_again_changes_nothing(
    database: Database, clock: FakeClock
) -> None:
    assert await due(database) is None
    assert await take(database, clock) is None
    await opened(database, clock)
    assert await due(database) == clock()
    taken = await take(database, clock)
    assert taken == Cursor("", "", None)
    await keep(database, taken, "c1", clock() + LEASE)
    await opened(database, clock)
    assert await due(database) == clock() + LEASE


async def test_one_fetches_at_a_time_until_it_is_taken_for_dead(database: Database, clock: FakeClock) -> None:
    await opened(database, clock)
    assert await take(database, clock) is not None
    assert await take(database, clock) is None
    clock.now += LEASE
    assert await take(database, clock) is None
    clock.advance(seconds=1)
    assert await take(database, clock) is not None


async def test_the_cursor_goes_on_where_it_was_left(database: Database, clock: FakeClock) -> None:
    await opened(database, clock)
    taken = await take(database, clock)
    assert taken is not None
    await keep(database, taken, "c7", clock() + timedelta(minutes=1))
    assert await take(database, clock) is None
    clock.advance(minutes=1)
    assert await take(database, clock) == Cursor("c7", "", None)


async def test_a_ring_makes_it_due_and_brings_its_token(database: Database, clock: FakeClock) -> None:
    await ring(database, clock, "t1")
    rung_at = clock()
    assert await take(database, clock) == Cursor("", "t1", rung_at)


async def test_a_ring_while_somebody_fetches_is_looked_at_at_once(database: Database, clock: FakeClock) -> None:
    await ring(database, clock, "t1")
    taken = await take(database, clock)
    assert taken is not None
    clock.advance(seconds=1)
    await ring(database, clock, "t2")
    assert await take(database, clock) is None, "the first is still at it"
    await keep(database, taken, "c1", clock() + timedelta(minutes=1))
    assert await due(database) == clock()
    assert await take(database, clock) == Cursor("c1", "t2", clock())


async def test_accounts_do_not_mind_each_other(database: Database, clock: FakeClock) -> None:
    await opened(database, clock)
    async with database.begin() as connection:
        await cursors.ring(connection, channel="wecom", account="wk2", token="t", now=clock())
    assert await take(database, clock) == Cursor("", "", None)
