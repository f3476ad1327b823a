"""What waits to be handed over: to an operator, a phone or a bridge, who takes it and says how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

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
) -> tuple[OutboxStatus, bool] | None:
    """End a row as whoever took it says; gives how it stands now, and whether that is new.

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
        return status, True
    stands = (await connection.execute(select(outbox.c.status).where(*ours))).scalar_one_or_none()
    return None if stands is None else (OutboxStatus(stands), False)


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
