"""What waits to be handed over: to an operator, a phone or a bridge, who takes it and says how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update

from store.conversations import conversations
from store.database import Read, Write
from store.notify import Topic, notify
from store.outbox import OutboxKind, OutboxStatus, outbox

# What can still be said of a row by whoever took it. `UNKNOWN`: the word of who took it came after all, only late.
OPEN: Final = (OutboxStatus.QUEUED, OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
NOT_TAKEN: Final = "nobody took it in time"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits for its operator."""

    id: int
    seq: int | None
    payload: dict[str, Any]
    created_at: datetime


async def waiting(connection: Read, conversation_id: UUID) -> list[Waiting]:
    """Give what waits for a conversation, in the order in which it was said."""
    rows = await connection.execute(
        select(outbox.c.id, outbox.c.seq, outbox.c.payload, outbox.c.created_at)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status == OutboxStatus.QUEUED.value,
            outbox.c.kind == OutboxKind.MESSAGE.value,
        )
        .order_by(outbox.c.id)
    )
    return [Waiting(row.id, row.seq, row.payload, row.created_at) for row in rows]


@dataclass(frozen=True, slots=True)
class Thread:
    """A chat that an operator serves; `waiting` messages are to be sent, `name` is what the app shows."""

    conversation_id: UUID
    account: str
    name: str
    language: str | None
    waiting: int
    updated_at: datetime


async def threads(connection: Read, channel: str, *, most: int = 200) -> list[Thread]:
    """Give the chats of a channel: those first where something waits, the longest first; then the newest."""
    since = func.min(outbox.c.created_at)
    rows = await connection.execute(
        select(
            conversations.c.id,
            conversations.c.account,
            conversations.c.user_ref,
            func.coalesce(conversations.c.language, conversations.c.language_hint).label("language"),
            conversations.c.updated_at,
            func.count(outbox.c.id).label("waiting"),
        )
        .outerjoin(
            outbox,
            (outbox.c.conversation_id == conversations.c.id)
            & (outbox.c.status == OutboxStatus.QUEUED.value)
            & (outbox.c.kind == OutboxKind.MESSAGE.value),
        )
        .where(conversations.c.channel == channel)
        .group_by(conversations.c.id)
        .order_by(since.asc().nulls_last(), conversations.c.updated_at.desc(), conversations.c.id)
        .limit(most)
    )
    return [Thread(row.id, row.account, row.user_ref, row.language, row.waiting, row.updated_at) for row in rows]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a row stands, and whether it came to stand so now."""

    status: OutboxStatus
    is_new: bool
    conversation_id: UUID


async def recipient(connection: Read, conversation_id: UUID) -> str:
    """Give the resident's name or number as the app shows it. Raises where there is no such conversation."""
    found = await connection.execute(select(conversations.c.user_ref).where(conversations.c.id == conversation_id))
    name: str = found.scalar_one()
    return name


async def end(
    connection: Write,
    outbox_id: int,
    *,
    channel: str,
    account: str | None,
    status: OutboxStatus,
    error: str | None,
    now: datetime,
) -> Ended | None:
    """End a row as whoever took it says; gives how it stands now.

    None where there is no such row in the channel, and the account where one is named. A row that ended in another
    way stays as it ended.
    """
    ours = [outbox.c.id == outbox_id, outbox.c.channel == channel]
    if account is not None:
        ours.append(outbox.c.account == account)
    ended = await connection.execute(
        update(outbox)
        .where(*ours, outbox.c.status.in_([each.value for each in OPEN]))
        .values(status=status.value, error=error, payload=None, finished_at=now, lease_until=None)
        .returning(outbox.c.conversation_id)
    )
    conversation_id: UUID | None = ended.scalar_one_or_none()
    if conversation_id is not None:
        # The next one of the chat may go, and whoever watches the conversation sees how this one ended.
        notify(connection, Topic.OUTBOX, channel)
        notify(connection, Topic.CONVERSATION, str(conversation_id))
        return Ended(status, is_new=True, conversation_id=conversation_id)
    stands = (await connection.execute(select(outbox.c.status, outbox.c.conversation_id).where(*ours))).one_or_none()
    return (
        None
        if stands is None
        else Ended(OutboxStatus(stands.status), is_new=False, conversation_id=stands.conversation_id)
    )


async def give_up(connection: Write, channels: Sequence[str], *, before: datetime, now: datetime) -> int:
    """End what nobody took since a moment, so that it keeps no conversation from being deleted; gives its number."""
    ended = await connection.execute(
        update(outbox)
        .where(
            outbox.c.channel.in_(channels),
            outbox.c.status == OutboxStatus.QUEUED.value,
            outbox.c.created_at < before,
        )
        .values(status=OutboxStatus.NEEDS_PERSON.value, error=NOT_TAKEN, payload=None, finished_at=now)
        .returning(outbox.c.id)
    )
    return len(ended.all())
