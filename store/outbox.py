"""The outbox: everything that goes out through a platform, before it goes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Address, conversations
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
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index("ix_outbox_open", "priority", "id", postgresql_where=text("status = 'queued'")),
    Index(
        "ix_outbox_undelivered_of_conversation",
        "conversation_id",
        "id",
        postgresql_where=text("status IN ('queued', 'sending')"),
    ),
    Index("ix_outbox_sending", "lease_until", postgresql_where=text("status = 'sending'")),
    Index("ix_outbox_finished_at", "finished_at"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("next_send_at", Moment, nullable=False),
    PrimaryKeyConstraint("channel", "account"),
)


class OutboxKind(StrEnum):
    """`ACKNOWLEDGE` answers a tap; it waits for no message and no pace."""

    MESSAGE = "message"
    ACKNOWLEDGE = "acknowledge"


class Priority(IntEnum):
    """Smaller goes first."""

    ACKNOWLEDGE = 0
    LIVE = 1
    BROADCAST = 2


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


@dataclass(frozen=True, slots=True)
class Pace:
    """The least time between two messages, to one chat and over the whole account."""

    chat: timedelta
    account: timedelta


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that this process is to send now. `parts_sent` of its parts were sent before."""

    id: int
    conversation_id: UUID
    address: Address
    kind: OutboxKind
    seq: int | None
    payload: dict[str, Any]
    attempts: int
    parts_sent: int
    platform_ids: tuple[str, ...]
    created_at: datetime


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
    await notify(connection, Topic.OUTBOX)


async def open_account(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Make the row that keeps an account's pace, where it is missing."""
    await connection.execute(
        insert(accounts).values(channel=channel, account=account, next_send_at=now).on_conflict_do_nothing()
    )


async def lease(
    connection: Write, *, channel: str, account: str, pace: Pace, lease_for: timedelta, now: datetime
) -> Leased | None:
    """Take the next row that may be sent now: the oldest undelivered of its conversation, within both paces.

    Marks it as being sent; where the process then dies, `doubt_expired` finds it.
    """
    earlier = outbox.alias()
    blocked_by_earlier = (
        select(earlier.c.id)
        .where(
            earlier.c.conversation_id == outbox.c.conversation_id,
            earlier.c.id < outbox.c.id,
            earlier.c.status.in_([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value]),
            earlier.c.kind == OutboxKind.MESSAGE.value,
        )
        .exists()
    )
    account_free = (
        select(accounts.c.account)
        .where(accounts.c.channel == channel, accounts.c.account == account, accounts.c.next_send_at <= now)
        .exists()
    )
    message_may_go = (conversations.c.next_send_at <= now) & account_free & ~blocked_by_earlier
    row = (
        await connection.execute(
            select(outbox, conversations.c.thread)
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(
                outbox.c.status == OutboxStatus.QUEUED.value,
                outbox.c.channel == channel,
                outbox.c.account == account,
                outbox.c.due_at <= now,
                or_(outbox.c.kind == OutboxKind.ACKNOWLEDGE.value, message_may_go),
            )
            .order_by(outbox.c.priority, outbox.c.id)
            .limit(1)
            .with_for_update(of=outbox, skip_locked=True)
        )
    ).one_or_none()
    if row is None:
        return None
    if row.kind == OutboxKind.MESSAGE.value and not await _take_slot(connection, row, pace=pace, now=now):
        return None
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(status=OutboxStatus.SENDING.value, lease_until=now + lease_for, attempts=outbox.c.attempts + 1)
    )
    return Leased(
        id=row.id,
        conversation_id=row.conversation_id,
        address=Address(row.channel, row.account, row.thread),
        kind=OutboxKind(row.kind),
        seq=row.seq,
        payload=row.payload,
        attempts=row.attempts + 1,
        parts_sent=row.parts_sent,
        platform_ids=tuple((row.platform_ids or {}).get("ids", ())),
        created_at=row.created_at,
    )


async def _take_slot(connection: Write, row: Any, *, pace: Pace, now: datetime) -> bool:
    """Reserve the next slot of the account and of the chat; False where another process was faster."""
    taken = await connection.execute(
        update(accounts)
        .where(accounts.c.channel == row.channel, accounts.c.account == row.account, accounts.c.next_send_at <= now)
        .values(next_send_at=now + pace.account)
        .returning(accounts.c.account)
    )
    if taken.scalar_one_or_none() is None:
        return False
    await connection.execute(
        update(conversations).where(conversations.c.id == row.conversation_id).values(next_send_at=now + pace.chat)
    )
    return True


async def next_due(connection: Read, *, channel: str, account: str) -> datetime | None:
    """Give the moment from which the next queued row may go, or None where nothing is queued."""
    result = await connection.execute(
        select(func.min(func.greatest(outbox.c.due_at, conversations.c.next_send_at, accounts.c.next_send_at)))
        .join(conversations, conversations.c.id == outbox.c.conversation_id)
        .join(accounts, (accounts.c.channel == outbox.c.channel) & (accounts.c.account == outbox.c.account))
        .where(outbox.c.status == OutboxStatus.QUEUED.value, outbox.c.channel == channel, outbox.c.account == account)
    )
    moment: datetime | None = result.scalar_one()
    return moment


async def part_sent(connection: Write, outbox_id: int, *, parts_sent: int, platform_ids: list[str]) -> None:
    """Remember that one more part of a long message was sent, so that it is not sent again."""
    await connection.execute(
        update(outbox).where(outbox.c.id == outbox_id).values(parts_sent=parts_sent, platform_ids={"ids": platform_ids})
    )


async def finish(
    connection: Write,
    outbox_id: int,
    *,
    status: OutboxStatus,
    error: str | None,
    platform_ids: list[str],
    now: datetime,
) -> None:
    """End a row. What was delivered needs its payload no longer: the transcript keeps the text."""
    values: dict[str, Any] = {"status": status.value, "error": error, "finished_at": now, "lease_until": None}
    if platform_ids:
        values["platform_ids"] = {"ids": platform_ids}
    if status is OutboxStatus.SENT:
        values["payload"] = None
    await connection.execute(update(outbox).where(outbox.c.id == outbox_id).values(**values))


async def postpone(connection: Write, outbox_id: int, *, until: datetime, error: str) -> None:
    """Put a row back until a moment, because the platform asked for it or could not be reached."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(status=OutboxStatus.QUEUED.value, due_at=until, lease_until=None, error=error)
    )


async def pause_account(connection: Write, *, channel: str, account: str, until: datetime) -> None:
    """Hold back all messages of an account until a moment."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.channel == channel, accounts.c.account == account)
        .values(next_send_at=func.greatest(accounts.c.next_send_at, until))
    )


async def pause_chat(connection: Write, conversation_id: UUID, *, until: datetime) -> None:
    """Hold back all messages to one chat until a moment."""
    await connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(next_send_at=func.greatest(conversations.c.next_send_at, until))
    )


async def doubt_expired(connection: Write, *, now: datetime) -> int:
    """End the rows whose sender died in the middle: nobody knows whether they arrived. Gives their number."""
    result = await connection.execute(
        update(outbox)
        .where(outbox.c.status == OutboxStatus.SENDING.value, outbox.c.lease_until < now)
        .values(status=OutboxStatus.UNKNOWN.value, error="the sender stopped while sending", finished_at=now)
        .returning(outbox.c.id)
    )
    return len(result.all())


async def cancel_all(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Drop what is still queued for a conversation, as when the resident left or erased it."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.status == OutboxStatus.QUEUED.value)
        .values(status=OutboxStatus.CANCELLED.value, payload=None, finished_at=now)
    )


async def erase_payloads(connection: Write, conversation_id: UUID) -> None:
    """Drop the texts of a conversation's ended rows."""
    await connection.execute(
        update(outbox)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status.not_in([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value]),
        )
        .values(payload=None)
    )


async def deliveries(connection: Read, conversation_id: UUID) -> dict[int, OutboxStatus]:
    """Give, for each message of a conversation that went through a platform, how it stands."""
    rows = await connection.execute(
        select(outbox.c.seq, outbox.c.status)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.seq.is_not(None))
        .order_by(outbox.c.id)
    )
    return {seq: OutboxStatus(status) for seq, status in rows}
