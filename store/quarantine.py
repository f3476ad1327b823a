"""Messages of people whom nobody can tell apart by machine: they wait for an operator, who assigns or drops them."""

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
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import conversations
from store.database import Read, Write
from store.metadata import Moment, metadata
from store.notify import Topic, notify

# The wake-up of the outbox that pages which show the quarantine wait for.
WAKES: Final = "relay"

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("app", Text, nullable=False),
    # Both are dropped when it is decided: from then on, only the conversation keeps the text.
    Column("sender", Text),
    Column("text", Text),
    Column("reason", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE")),
    Column("received_at", Moment, nullable=False),
    Column("decided_at", Moment),
    UniqueConstraint("channel", "account", "event_key"),
    Index("ix_quarantine_waiting", "id", postgresql_where=text("status = 'waiting'")),
)


class QuarantineStatus(StrEnum):
    """Where a row stands."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that waits; `app` is the package of the app, `sender` the name as the phone shows it."""

    id: int
    account: str
    app: str
    sender: str
    text: str
    reason: str
    received_at: datetime


def _quarantined(row: Row[Any]) -> Quarantined:
    return Quarantined(row.id, row.account, row.app, row.sender, row.text, row.reason, row.received_at)


async def add(
    connection: Write,
    *,
    channel: str,
    account: str,
    event_key: str,
    app: str,
    sender: str,
    message: str,
    reason: str,
    now: datetime,
) -> bool:
    """Keep a message for an operator; False where its key was seen before."""
    added = await connection.execute(
        insert(quarantine)
        .values(
            channel=channel,
            account=account,
            event_key=event_key,
            app=app,
            sender=sender,
            text=message,
            reason=reason,
            status=QuarantineStatus.WAITING.value,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(quarantine.c.id)
    )
    if added.scalar_one_or_none() is None:
        return False
    notify(connection, Topic.OUTBOX, WAKES)
    return True


async def waiting(connection: Read, *, most: int = 50) -> list[Quarantined]:
    """Give what waits for an operator, the oldest first."""
    rows = await connection.execute(
        select(quarantine)
        .where(quarantine.c.status == QuarantineStatus.WAITING.value)
        .order_by(quarantine.c.id)
        .limit(most)
    )
    return [_quarantined(row) for row in rows]


async def one_waiting(connection: Write, quarantine_id: int) -> Quarantined | None:
    """Give a row that waits, and lock it, so that two operators cannot both decide; None where it waits no longer."""
    row = (
        await connection.execute(
            select(quarantine)
            .where(quarantine.c.id == quarantine_id, quarantine.c.status == QuarantineStatus.WAITING.value)
            .with_for_update()
        )
    ).one_or_none()
    return None if row is None else _quarantined(row)


async def decide(
    connection: Write, quarantine_id: int, *, status: QuarantineStatus, conversation_id: UUID | None, now: datetime
) -> None:
    """Take a row that `one_waiting` gave out of the quarantine."""
    await connection.execute(
        update(quarantine)
        .where(quarantine.c.id == quarantine_id)
        .values(status=status.value, conversation_id=conversation_id, sender=None, text=None, decided_at=now)
    )
    notify(connection, Topic.OUTBOX, WAKES)


async def forget(connection: Write, conversation_id: UUID) -> None:
    """Delete what was assigned to a conversation that its resident erases."""
    await connection.execute(delete(quarantine).where(quarantine.c.conversation_id == conversation_id))


async def sweep(connection: Write, *, texts_before: datetime, keys_before: datetime) -> None:
    """Delete on time: what nobody decided like any text, what was decided like any key."""
    undecided = (quarantine.c.status == QuarantineStatus.WAITING.value) & (quarantine.c.received_at < texts_before)
    await connection.execute(delete(quarantine).where(undecided | (quarantine.c.decided_at < keys_before)))
