"""Messages that a platform took and could not deliver after all, as it tells later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update

from store.database import Read, Write
from store.outbox import OutboxStatus, outbox


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A row that did not arrive after all: `part` is the first part that did not, `seq` its place in the transcript."""

    id: int
    seq: int | None
    part: int


async def contradict(
    connection: Write,
    conversation_id: UUID,
    platform_id: str,
    *,
    status: OutboxStatus,
    error: str | None,
    now: datetime,
) -> Contradicted | None:
    """Remember that a message which the platform had taken did not arrive; None where there is none such.

    What was left of it does not go either. A parked one needs its payload back, by `keep_for_later`.
    """
    row = (
        await connection.execute(
            update(outbox)
            .where(
                outbox.c.conversation_id == conversation_id,
                outbox.c.status.in_([OutboxStatus.SENT.value, OutboxStatus.QUEUED.value]),
                outbox.c.platform_ids["ids"].contains([platform_id]),
            )
            .values(status=status.value, error=error, payload=None, finished_at=now)
            .returning(outbox.c.id, outbox.c.seq, outbox.c.platform_ids)
        )
    ).one_or_none()
    return None if row is None else Contradicted(row.id, row.seq, row.platform_ids["ids"].index(platform_id))


async def keep_for_later(connection: Write, found: Contradicted, *, payload: dict[str, Any]) -> None:
    """Give a parked row its payload back; `resume` goes on with the part that did not arrive."""
    await connection.execute(
        update(outbox).where(outbox.c.id == found.id).values(payload=payload, parts_sent=found.part)
    )


async def being_sent(connection: Read, conversation_id: UUID) -> bool:
    """Tell whether something is on its way to a chat, so that nobody knows yet what the platform calls it."""
    sending = exists().where(outbox.c.conversation_id == conversation_id, outbox.c.status == OutboxStatus.SENDING.value)
    return bool((await connection.execute(select(sending))).scalar_one())
