"""The inbox: everything that comes in, once, in the order in which it came."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Conversation, conversations, from_row
from store.database import Read, Write
from store.metadata import Document, Moment, fixed, metadata, there_is_none, unguessed
from store.notify import Topic, notify

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("payload", Document),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment, nullable=False),
    Column("error", Text),
    Column("reply", Text),
    Column("received_at", Moment, nullable=False),
    Column("finished_at", Moment),
    UniqueConstraint("channel", "account", "event_key"),
    Index("ix_inbox_waiting", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_inbox_waiting_of_conversation", "conversation_id", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_inbox_finished_at", "finished_at"),
)


class InboxStatus(StrEnum):
    """`SET_ASIDE`: could not be parsed. `FAILED`: made the program fail too often."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An inbox row that a turn has taken, with its conversation, whose row is locked."""

    id: int
    payload: dict[str, Any]
    attempts: int
    received_at: datetime
    conversation: Conversation


async def receive(
    connection: Write,
    *,
    channel: str,
    account: str,
    event_key: str,
    conversation_id: UUID,
    payload: dict[str, Any],
    now: datetime,
    not_before: datetime | None = None,
) -> bool:
    """Add what came in and wake the workers; False where its key was seen before. No turn takes it `not_before`."""
    added = await connection.execute(
        insert(inbox)
        .values(
            channel=channel,
            account=account,
            event_key=event_key,
            conversation_id=conversation_id,
            payload=payload,
            status=InboxStatus.WAITING.value,
            not_before=not_before or now,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(inbox.c.id)
    )
    if added.scalar_one_or_none() is None:
        return False
    notify(connection, Topic.INBOX)
    return True


async def set_aside(
    connection: Write, *, channel: str, account: str, event_key: str, raw: dict[str, Any], error: str, now: datetime
) -> bool:
    """Keep what could not be parsed for an administrator; False where its key was seen before."""
    added = await connection.execute(
        insert(inbox)
        .values(
            channel=channel,
            account=account,
            event_key=event_key,
            payload=raw,
            status=InboxStatus.SET_ASIDE.value,
            not_before=now,
            error=error,
            received_at=now,
            finished_at=now,
        )
        .on_conflict_do_nothing()
        .returning(inbox.c.id)
    )
    return added.scalar_one_or_none() is not None


def _next() -> Select[Any]:
    """Make the statement that finds the next conversation. Made once: it costs more to make than to run."""
    now, waiting = bindparam("now", type_=Moment), fixed(InboxStatus.WAITING.value)
    # Only the oldest row counts: one that is put off holds back the later ones of its conversation, but nobody else's.
    earlier = inbox.alias()
    is_oldest = there_is_none(
        earlier.c.conversation_id == inbox.c.conversation_id,
        earlier.c.status == waiting,
        earlier.c.id < inbox.c.id,
    )
    return (
        select(*conversations.c)
        .join(inbox, inbox.c.conversation_id == conversations.c.id)
        .where(inbox.c.status == waiting, unguessed(inbox.c.not_before <= now), is_oldest)
        .order_by(inbox.c.id)
        .limit(literal_column("1"))
        .with_for_update(of=conversations, key_share=True, skip_locked=True)
    )


_NEXT: Final = _next()
_OLDEST: Final = (
    select(inbox.c.id, inbox.c.payload, inbox.c.attempts, inbox.c.not_before, inbox.c.received_at)
    .where(inbox.c.conversation_id == bindparam("of"), inbox.c.status == fixed(InboxStatus.WAITING.value))
    .order_by(inbox.c.id)
    .limit(literal_column("1"))
)


async def take(connection: Write, *, now: datetime) -> Waiting | None:
    """Take the oldest waiting row whose conversation nobody works on, and lock that conversation.

    FOR NO KEY UPDATE, because a new inbox row's foreign key needs a key share lock on the
    conversation: with FOR UPDATE, receiving would wait for the turn.
    """
    candidate = (await connection.execute(_NEXT, {"now": now})).one_or_none()
    if candidate is None:
        return None
    # Looked up anew: another worker may have finished the row between our snapshot and our lock.
    row = (await connection.execute(_OLDEST, {"of": candidate.id})).one_or_none()
    if row is None or row.not_before > now:
        return None
    return Waiting(row.id, row.payload, row.attempts, row.received_at, from_row(candidate))


@dataclass(frozen=True, slots=True)
class Answered:
    """How far a row is: `done` when its turn is over.

    `reply` is what went back with the platform's own request: its texts, as a JSON list.
    """

    id: int
    done: bool
    reply: str | None


async def answered(connection: Write, *, channel: str, account: str, event_key: str) -> Answered | None:
    """Give how far a row is, and lock it, so that a repeated request waits for the first."""
    row = (
        await connection.execute(
            select(inbox.c.id, inbox.c.status, inbox.c.reply)
            .where(inbox.c.channel == channel, inbox.c.account == account, inbox.c.event_key == event_key)
            .with_for_update()
        )
    ).one_or_none()
    return None if row is None else Answered(row.id, row.status != InboxStatus.WAITING.value, row.reply)


async def keep_reply(connection: Write, inbox_id: int, reply: str) -> None:
    """Keep what goes back with the platform's request, to say the same to a repetition of it."""
    await connection.execute(update(inbox).where(inbox.c.id == inbox_id).values(reply=reply))


async def forget_replies(connection: Write, *, before: datetime) -> None:
    """Drop the replies that no repetition will ask for any more."""
    await connection.execute(
        update(inbox).where(inbox.c.reply.is_not(None), inbox.c.finished_at < before).values(reply=None)
    )


async def put_off(connection: Write, inbox_id: int, *, until: datetime) -> None:
    """Let a row wait until a moment, without any fault of it."""
    await connection.execute(update(inbox).where(inbox.c.id == inbox_id).values(not_before=until))


async def count_failure(
    connection: Write, inbox_id: int, *, error: str, limit: int, retry_at: datetime, now: datetime
) -> bool:
    """Count a failed turn; at `limit` the row is set aside as failed. True where that happened now."""
    attempts = (
        await connection.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id, inbox.c.status == InboxStatus.WAITING.value)
            .values(attempts=inbox.c.attempts + 1, error=error, not_before=retry_at)
            .returning(inbox.c.attempts)
        )
    ).scalar_one_or_none()
    if attempts is None or attempts < limit:
        return False
    await connection.execute(
        update(inbox).where(inbox.c.id == inbox_id).values(status=InboxStatus.FAILED.value, finished_at=now)
    )
    return True


async def counts(connection: Read) -> dict[InboxStatus, int]:
    """Count the rows of every status."""
    rows = await connection.execute(select(inbox.c.status, func.count()).group_by(inbox.c.status))
    found = {InboxStatus(status): count for status, count in rows}
    return {status: found.get(status, 0) for status in InboxStatus}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row that no turn will take any more, without what it said."""

    id: int
    channel: str
    status: InboxStatus
    error: str | None
    received_at: datetime


async def troubles(connection: Read, *, most: int = 100) -> list[Trouble]:
    """Give the newest rows that failed or were set aside, for an administrator."""
    rows = await connection.execute(
        select(inbox.c.id, inbox.c.channel, inbox.c.status, inbox.c.error, inbox.c.received_at)
        .where(inbox.c.status.in_([InboxStatus.FAILED.value, InboxStatus.SET_ASIDE.value]))
        .order_by(inbox.c.id.desc())
        .limit(most)
    )
    return [Trouble(row.id, row.channel, InboxStatus(row.status), row.error, row.received_at) for row in rows]


async def erase_payloads(connection: Write, conversation_id: UUID, *, but: int) -> None:
    """Drop what the finished rows of a conversation say, except row `but`; waiting ones are kept for their turn."""
    await connection.execute(
        update(inbox)
        .where(
            inbox.c.conversation_id == conversation_id,
            inbox.c.id != but,
            inbox.c.status != InboxStatus.WAITING.value,
        )
        .values(payload=None, reply=None)
    )
