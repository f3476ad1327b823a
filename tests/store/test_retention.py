"""What residents wrote is deleted on time, and not before."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from store import conversations, inbox, limits, retention, tickets
from store.conversations import Address, Author, Message
from store.database import Database
from store.retention import Terms
from store.turn import Outcome, keep
from tests.conftest import FakeClock

TERMS = Terms(chat=timedelta(days=1), ticket=timedelta(days=30), keys=timedelta(days=8))


async def conversation(database: Database, clock: FakeClock, new_id: Callable[[], UUID], key: str) -> UUID:
    async with database.begin() as connection:
        found = await conversations.find_or_add(
            connection,
            new_id=new_id(),
            address=Address("telegram", "1", key),
            user_ref=key,
            language_hint=None,
            now=clock(),
        )
        await inbox.receive(
            connection,
            channel="telegram",
            account="1",
            event_key=key,
            conversation_id=found,
            payload={"kind": "text", "text": "x"},
            now=clock(),
        )
        row = Message(found, 1, Author.RESIDENT, None, None, {"text": "x"}, clock())
        waiting = await inbox.take(connection, now=clock())
        assert waiting is not None
        outcome = Outcome(
            conversation_id=found,
            address=waiting.conversation.address,
            state={},
            language="it",
            last_seq=1,
            reachable=True,
            said=[row],
            outgoing=[],
            inbox_ids=[waiting.id],
        )
        await keep(connection, outcome, now=clock())
    return found


async def sweep(database: Database, clock: FakeClock) -> int:
    async with database.begin() as connection:
        return await retention.sweep(connection, TERMS, now=clock())


async def count(database: Database, table: object) -> int:
    async with database.read() as connection:
        found: int = (await connection.execute(select(func.count()).select_from(table))).scalar_one()  # type: ignore[arg-type]
        return found


async def test_a_chat_goes_after_a_day_and_its_key_after_eight(
    database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> None:
    await conversation(database, clock, new_id, "a")
    clock.advance(hours=23)
    assert await sweep(database, clock) == 0
    clock.advance(hours=2)
    assert await sweep(database, clock) == 1
    assert await count(database, conversations.messages) == 0
    async with database.begin() as connection:
        again = await conversations.find_or_add(
            connection,
            new_id=new_id(),
            address=Address("telegram", "1", "a"),
            user_ref="a",
            language_hint=None,
            now=clock(),
        )
        assert not await inbox.receive(
            connection, channel="telegram", account="1", event_key="a", conversation_id=again, payload={}, now=clock()
        ), "a late repetition starts nothing anew"
    clock.advance(days=8)
    await sweep(database, clock)
    assert await count(database, inbox.inbox) == 0


async def test_a_ticket_keeps_its_chat_until_a_month_after_it_was_closed(
    database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> None:
    found = await conversation(database, clock, new_id, "a")
    async with database.begin() as connection:
        ticket = await tickets.open_ticket(
            connection,
            new_id=new_id(),
            conversation_id=found,
            language="it",
            reason="asked",
            question_seq=1,
            now=clock(),
        )
    clock.advance(days=90)
    assert await sweep(database, clock) == 0
    async with database.begin() as connection:
        await tickets.close(connection, ticket, outcome="solved", now=clock())
    clock.advance(days=29)
    assert await sweep(database, clock) == 0
    clock.advance(days=2)
    assert await sweep(database, clock) == 1
    assert await count(database, tickets.tickets) == 0


async def test_what_waits_is_never_deleted(database: Database, clock: FakeClock, new_id: Callable[[], UUID]) -> None:
    found = await conversation(database, clock, new_id, "a")
    async with database.begin() as connection:
        await inbox.receive(
            connection,
            channel="telegram",
            account="1",
            event_key="b",
            conversation_id=found,
            payload={"kind": "text", "text": "y"},
            now=clock(),
        )
    clock.advance(days=60)
    assert await sweep(database, clock) == 0


async def test_limits_begin_anew_after_their_window(database: Database, clock: FakeClock) -> None:
    window = timedelta(minutes=1)
    async with database.begin() as connection:
        assert [await limits.hit(connection, "k", window=window, now=clock()) for _ in range(3)] == [1, 2, 3]
        clock.advance(seconds=60)
        assert await limits.hit(connection, "k", window=window, now=clock()) == 1
        await limits.forget(connection, "k")
        assert await limits.hit(connection, "k", window=window, now=clock()) == 1


async def test_a_message_that_comes_in_during_the_sweep_is_kept(
    database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> None:
    """The sweep waits behind a receiver that has not committed yet, and must look again afterwards."""
    found = await conversation(database, clock, new_id, "a")
    clock.advance(days=2)
    async with database.begin() as receiver:
        # A foreign key's share lock on the conversation, as any message that comes in takes it.
        await inbox.receive(
            receiver,
            channel="telegram",
            account="1",
            event_key="late",
            conversation_id=found,
            payload={"kind": "text", "text": "late"},
            now=clock(),
        )
        assert await sweep(database, clock) == 0, "skipped while somebody writes"
    assert await sweep(database, clock) == 0, "and kept while the message waits for its turn"
    async with database.begin() as connection:
        waiting = await inbox.take(connection, now=clock())
    assert waiting is not None
    assert waiting.payload["text"] == "late"


async def test_what_could_not_be_parsed_loses_its_text_on_time(database: Database, clock: FakeClock) -> None:
    async with database.begin() as connection:
        await inbox.set_aside(
            connection, channel="telegram", account="1", event_key="x", raw={"raw": "text"}, error="odd", now=clock()
        )
    clock.advance(days=2)
    await sweep(database, clock)
    async with database.read() as connection:
        row = (await connection.execute(select(inbox.inbox))).one()
        assert row.payload is None
        assert [trouble.error for trouble in await inbox.troubles(connection)] == ["odd"]
