"""What else waits for a chat to which a message is about to go, so that it can go with it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from store.database import Write
from store.outbox import PARKED, OutboxKind, OutboxStatus, Priority, outbox
from store.pacing import Leased


@dataclass(frozen=True, slots=True)
class Companion:
    """A row that waits for the same chat as a leased one."""

    id: int
    priority: Priority
    payload: dict[str, Any]


async def behind(connection: Write, leased: Leased) -> list[Companion]:
    """Give the rows that wait behind a leased one, in their order, and lock them."""
    rows = await connection.execute(
        select(outbox.c.id, outbox.c.priority, outbox.c.payload)
        .where(
            outbox.c.conversation_id == leased.conversation_id,
            outbox.c.status == OutboxStatus.QUEUED.value,
            outbox.c.kind == OutboxKind.MESSAGE.value,
            outbox.c.id > leased.id,
        )
        .order_by(outbox.c.id)
        .with_for_update(skip_locked=True)
    )
    return [Companion(row.id, Priority(row.priority), row.payload) for row in rows]


async def resting(connection: Write, leased: Leased) -> list[Companion]:
    """Give the rows before a leased one that were parked whole, the latest first, and lock them."""
    rows = await connection.execute(
        select(outbox.c.id, outbox.c.priority, outbox.c.payload)
        .where(
            outbox.c.conversation_id == leased.conversation_id,
            outbox.c.status.in_([status.value for status in PARKED]),
            outbox.c.kind == OutboxKind.MESSAGE.value,
            outbox.c.parts_sent == 0,
            outbox.c.payload.is_not(None),
            outbox.c.id < leased.id,
        )
        .order_by(outbox.c.id.desc())
        .with_for_update(skip_locked=True)
    )
    return [Companion(row.id, Priority(row.priority), row.payload) for row in rows]
