"""The outbox: everything that goes out through a platform, before it goes out."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    case,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Address
from store.database import Read, Write
from store.metadata import Document, Moment, metadata
from store.notify import Topic, notify

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("seq", Integer),
    Column("payload", Document),
    Column("status", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("lease_until", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("parts_sent", Integer, nullable=False, server_default="0"),
    Column("platform_ids", Document),
    Column("error", Text),
    Column("merged_into", BigInteger),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("ix_outbox_open", "channel", "account", "priority", "id", postgresql_where=text("status = 'queued'")),
    Index(
        "ix_outbox_undelivered_of_conversation",
        "conversation_id",
        "id",
        postgresql_where=text("status IN ('queued', 'sending')"),
    ),
    Index("ix_outbox_sending", "lease_until", postgresql_where=text("status = 'sending'")),
    Index("ix_outbox_finished_at", "finished_at"),
    Index(
        "ix_outbox_parked", "conversation_id", postgresql_where=text("status IN ('window-closed', 'quota-exhausted')")
    ),
)


class OutboxKind(StrEnum):
    """`ACKNOWLEDGE` answers a tap, `KNOCK` asks a resident to write again; both wait for no message and no pace."""

    MESSAGE = "message"
    ACKNOWLEDGE = "acknowledge"
    KNOCK = "knock"


class Priority(IntEnum):
    """Smaller goes first, where several chats wait; within a chat the order is always that of the transcript."""

    ACKNOWLEDGE = 0
    MEDIATOR = 1
    LIVE = 2
    BROADCAST = 3


class OutboxStatus(StrEnum):
    """Where a row stands: on its way, delivered, or ended in one of the ways a platform can refuse."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    WINDOW_CLOSED = "window-closed"
    QUOTA_EXHAUSTED = "quota-exhausted"
    TOO_LONG = "too-long"
    NEEDS_PERSON = "needs-person"
    CANCELLED = "cancelled"
    # Went as a part of another row.
    MERGED = "merged"


# Not sent, and sent after all as soon as the resident writes again.
PARKED: Final = frozenset({OutboxStatus.WINDOW_CLOSED, OutboxStatus.QUOTA_EXHAUSTED})

# Within `platform_ids`: what the platform calls each part that it took, null where it failed to deliver it after that;
# and how often that happened, by the number of the part; and from which part on they are of half the length.
IDS: Final = "ids"
FAILURES: Final = "failures"
HALVED_FROM: Final = "halved_from"


def _named(platform_ids: list[str | None]) -> ColumnElement[Any]:
    """Give the value of `platform_ids` with other ids in it."""
    before = func.coalesce(outbox.c.platform_ids, literal({}, Document))
    return before.op("||", return_type=Document)(literal({IDS: platform_ids}, Document))


def arrived(platform_ids: Sequence[str | None]) -> int:
    """Count the parts that the platform took, as far as we know."""
    return sum(platform_id is not None for platform_id in platform_ids)


async def queue(
    connection: Write,
    *,
    conversation_id: UUID,
    address: Address,
    kind: OutboxKind,
    priority: Priority,
    payload: dict[str, Any],
    seq: int | None,
    now: datetime,
) -> None:
    """Add a row and wake the deliveries at commit."""
    await connection.execute(
        insert(outbox).values(
            conversation_id=conversation_id,
            channel=address.channel,
            account=address.account,
            kind=kind.value,
            priority=priority.value,
            seq=seq,
            payload=payload,
            status=OutboxStatus.QUEUED.value,
            due_at=now,
            created_at=now,
        )
    )
    notify(connection, Topic.OUTBOX, address.channel)


async def part_sent(connection: Write, outbox_id: int, *, platform_ids: list[str | None]) -> None:
    """Remember which parts of a long message were sent, so that they are not sent again."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(parts_sent=arrived(platform_ids), platform_ids=_named(platform_ids))
    )


async def finish(
    connection: Write,
    outbox_id: int,
    *,
    status: OutboxStatus,
    error: str | None,
    platform_ids: list[str | None],
    now: datetime,
) -> None:
    """End a row. It needs its payload no longer: the transcript keeps the text."""
    values: dict[str, Any] = {"status": status.value, "error": error, "finished_at": now, "lease_until": None}
    values["payload"] = None
    if platform_ids:
        values["platform_ids"] = _named(platform_ids)
    await connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(**values))


async def postpone(connection: Write, outbox_id: int, *, until: datetime, error: str) -> None:
    """Put a row back until a moment, because the platform asked for it or could not be reached."""
    ended_at = case((outbox.c.payload.is_(None), literal(until, Moment)))
    await _put_back(connection, outbox_id, OutboxStatus.QUEUED, due_at=until, error=error, finished_at=ended_at)


async def park(connection: Write, outbox_id: int, *, status: OutboxStatus, error: str | None, now: datetime) -> bool:
    """End a row for now, with a status of `PARKED`: it keeps its payload, and `resume` sends it after all.

    False where there is nothing any more that could be sent.
    """
    return await _put_back(connection, outbox_id, status, error=error, finished_at=now)


async def _put_back(connection: Write, outbox_id: int, status: OutboxStatus, **values: Any) -> bool:
    """Let a row that is being sent wait; gives whether it does.

    One that was erased meanwhile has nothing to send any more, and ends. One whose lease was over has ended in doubt.
    """
    put_back = await connection.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.status == OutboxStatus.SENDING.value)
        .values(
            status=case((outbox.c.payload.is_(None), OutboxStatus.CANCELLED.value), else_=status.value),
            lease_until=None,
            **values,
        )
        .returning(outbox.c.status)
    )
    stands: str | None = put_back.scalar_one_or_none()
    return stands == status.value


async def resume(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Queue again what was parked for a conversation."""
    resumed = await connection.execute(
        update(outbox)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status.in_([status.value for status in PARKED]),
            outbox.c.payload.is_not(None),
        )
        .values(status=OutboxStatus.QUEUED.value, due_at=now, error=None, finished_at=None, attempts=0)
        .returning(outbox.c.channel)
    )
    for channel in resumed.scalars():
        notify(connection, Topic.OUTBOX, channel)


async def fold(
    connection: Write,
    outbox_id: int,
    *,
    payload: dict[str, Any],
    priority: Priority,
    merged: Sequence[int],
    now: datetime,
) -> None:
    """Let a row carry what the rows `merged` said; those end. `priority` is that of the most urgent."""
    carrying = update(outbox).where(outbox.c.id == outbox_id)
    await connection.execute(carrying.values(payload=payload, priority=priority.value))
    await connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(merged))
        .values(status=OutboxStatus.MERGED.value, merged_into=outbox_id, payload=None, error=None, finished_at=now)
    )


async def knocked(connection: Read, conversation_id: UUID, *, since: datetime | None) -> bool:
    """Tell whether the resident was asked to write again, since a moment or ever."""
    conditions = [outbox.c.conversation_id == conversation_id, outbox.c.kind == OutboxKind.KNOCK.value]
    if since is not None:
        conditions.append(outbox.c.created_at >= since)
    return bool((await connection.execute(select(exists().where(*conditions)))).scalar_one())


async def doubt_expired(connection: Write, *, now: datetime) -> int:
    """End the rows whose sender died in the middle: nobody knows whether they arrived. Gives their number."""
    result = await connection.execute(
        update(outbox)
        .where(outbox.c.status == OutboxStatus.SENDING.value, outbox.c.lease_until < now)
        .values(
            status=OutboxStatus.UNKNOWN.value, payload=None, error="the sender stopped while sending", finished_at=now
        )
        .returning(outbox.c.id)
    )
    return len(result.all())


async def cancel_all(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Drop what is still queued for a conversation, as when the resident left."""
    await connection.execute(
        update(outbox)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status.in_([OutboxStatus.QUEUED.value, *(status.value for status in PARKED)]),
        )
        .values(status=OutboxStatus.CANCELLED.value, payload=None, finished_at=now)
    )


async def erase(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Drop what waits for a conversation, and the texts of all its rows: what is being sent now is not sent again."""
    await cancel_all(connection, conversation_id, now=now)
    await connection.execute(update(outbox).where(outbox.c.conversation_id == conversation_id).values(payload=None))


async def deliveries(connection: Read, conversation_id: UUID) -> dict[int, OutboxStatus]:
    """Give, for each message of a conversation that went through a platform, how it stands."""
    carrier = outbox.alias()
    rows = await connection.execute(
        select(outbox.c.seq, func.coalesce(carrier.c.status, outbox.c.status).label("status"))
        .outerjoin(carrier, carrier.c.id == outbox.c.merged_into)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.seq.is_not(None))
        .order_by(outbox.c.id)
    )
    return {seq: OutboxStatus(status) for seq, status in rows}
