"""Taking from a long queue costs no more than taking from a short one, however PostgreSQL plans."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from store import inbox, leasing, pacing
from store.database import Database, Read, Write
from store.leasing import Following, Sent
from store.pacing import Leased, Pace
from tests.conftest import FakeClock

CHATS = 240
WAITING = 2000
# Of rows and entries of indexes; the first in the queue needs about ten.
FEW = 100
PACE = Pace(chat=timedelta(seconds=1), account=timedelta(milliseconds=1))


# Of both queues half was handled, and half waits, spread over the chats.
_CHATS = """
INSERT INTO conversations (id, channel, account, thread, user_ref, created_at, updated_at)
SELECT gen_random_uuid(), 'telegram', '1', n::text, n::text, :now, :now FROM generate_series(1, :chats) n
"""
_INBOX = """
INSERT INTO inbox (channel, account, event_key, conversation_id, payload, status, not_before, received_at)
SELECT 'telegram', '1', n::text, c.id, '{}', CASE WHEN n <= :waiting THEN 'done' ELSE 'waiting' END, :now, :now
FROM generate_series(1, 2 * :waiting) n JOIN conversations c ON c.thread = (n % :chats + 1)::text ORDER BY n
"""
_OUTBOX = """
INSERT INTO outbox (conversation_id, channel, account, kind, priority, payload, status, due_at, created_at)
SELECT c.id, 'telegram', '1', 'message', 2, '{}', CASE WHEN n <= :waiting THEN 'sent' ELSE 'queued' END, :now, :now
FROM generate_series(1, 2 * :waiting) n JOIN conversations c ON c.thread = (n % :chats + 1)::text ORDER BY n
"""


@pytest.fixture
async def database(database_url: URL) -> AsyncIterator[Database]:
    """Give a database that nobody had before: nothing of it is planned, and no deleted rows lie in it."""
    async with Database(database_url) as database:
        yield database


async def fill(database: Database, clock: FakeClock) -> None:
    async with database.begin() as connection:
        await pacing.open_account(connection, channel="telegram", account="1", now=clock())
        await connection.execute(text(_CHATS), {"now": clock(), "chats": CHATS})
        for statement in (_INBOX, _OUTBOX):
            await connection.execute(text(statement), {"now": clock(), "chats": CHATS, "waiting": WAITING})


async def lease(connection: Write, clock: FakeClock) -> Leased | None:
    now, lease_for = clock(), timedelta(seconds=90)
    return await leasing.lease(connection, channel="telegram", account="1", pace=PACE, lease_for=lease_for, now=now)


async def go_on(connection: Write, clock: FakeClock, sent: Sent | None = None) -> Following:
    now, lease_for = clock(), timedelta(seconds=90)
    return await leasing.go_on(
        connection, sent, channel="telegram", account="1", pace=PACE, lease_for=lease_for, now=now
    )


async def looked_at(connection: Read, table: str) -> int:
    """Give how many rows and entries of indexes this transaction has read of a table (PostgreSQL: pg_stat_xact)."""
    result = await connection.execute(
        text(
            "SELECT (SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = :table) + (SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)"
            " FROM pg_index WHERE indrelid = CAST(CAST(:table AS text) AS regclass))"
        ),
        {"table": table},
    )
    found: int = result.scalar_one()
    return found


@pytest.mark.parametrize("plans", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("analysed", [False, True])
async def test_the_first_of_a_queue_is_found_without_reading_what_waits_behind_it(
    database: Database, clock: FakeClock, plans: str, *, analysed: bool
) -> None:
    await fill(database, clock)
    async with database.begin() as connection:
        if analysed:
            await connection.execute(text("ANALYZE inbox, outbox, conversations"))
        await connection.execute(text(f"SET LOCAL plan_cache_mode TO {plans}"))
        before = await looked_at(connection, "inbox")
        waiting = await inbox.take(connection, now=clock())
        assert await looked_at(connection, "inbox") - before < FEW
        assert waiting is not None
        before = await looked_at(connection, "outbox")
        leased = await lease(connection, clock)
        assert await looked_at(connection, "outbox") - before < FEW
        assert leased is not None
        clock.advance(seconds=1)
        before = await looked_at(connection, "outbox")
        following = await go_on(connection, clock, Sent(leased.id, ["1"]))
        assert await looked_at(connection, "outbox") - before < FEW
        assert following.leased is not None


async def test_a_statement_that_takes_from_a_queue_is_planned_once(database: Database, clock: FakeClock) -> None:
    await fill(database, clock)
    async with database.begin() as connection:
        await connection.execute(text("ANALYZE"))
        for _ in range(12):
            await inbox.take(connection, now=clock())
            await lease(connection, clock)
            await leasing.next_due(connection, channel="telegram", account="1")
            clock.advance(seconds=1)
        planned = await connection.execute(
            text("SELECT max(custom_plans) FROM pg_prepared_statements WHERE statement ~ 'inbox|outbox'")
        )
        # PostgreSQL tries five times whether a plan of its own is better (Prepared statements: PREPARE).
        assert planned.scalar_one() == 5
