"""Rows of the outbox that are to be sent in another form than the one that a platform refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from store.database import Write
from store.outbox import FAILURES, HALVED_FROM, IDS, OutboxStatus, outbox
from store.pacing import Leased


async def halve(
    connection: Write, leased: Leased, *, halved_from: int, payload: dict[str, Any], error: str, now: datetime
) -> bool:
    """Put a row that is being sent back at once, with a payload that from a part on is cut into smaller ones.

    The parts before it arrived, and keep their numbers. False where what it said was erased meanwhile, or its lease was
    over: then it is not to be sent again.
    """
    rewritten = await connection.execute(
        update(outbox)
        .where(outbox.c.id == leased.id, outbox.c.status == OutboxStatus.SENDING.value, outbox.c.payload.is_not(None))
        .values(
            status=OutboxStatus.QUEUED.value,
            payload=payload,
            due_at=now,
            lease_until=None,
            error=error,
            platform_ids={
                IDS: list(leased.platform_ids[:halved_from]),
                FAILURES: dict(leased.failures),
                HALVED_FROM: halved_from,
            },
        )
        .returning(outbox.c.id)
    )
    return rewritten.scalar_one_or_none() is not None
