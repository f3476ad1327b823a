"""Rows of the outbox that are to be sent in another form than the one that a platform refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from store.database import Write
from store.outbox import HALVED, OutboxStatus, outbox


async def halve(connection: Write, outbox_id: int, *, payload: dict[str, Any], error: str, now: datetime) -> bool:
    """Put a row that is being sent back at once, with a payload that is cut into smaller parts.

    False where what it said was erased meanwhile, or its lease was over: then it is not to be sent again.
    """
    rewritten = await connection.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.status == OutboxStatus.SENDING.value, outbox.c.payload.is_not(None))
        .values(
            status=OutboxStatus.QUEUED.value,
            payload=payload,
            due_at=now,
            lease_until=None,
            error=error,
            platform_ids={HALVED: True},
        )
        .returning(outbox.c.id)
    )
    return rewritten.scalar_one_or_none() is not None
