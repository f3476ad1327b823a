"""Messages that a platform took and could not deliver after all, as it tells later."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, update

from store.database import Read, Write
from store.notify import Topic, notify
from store.outbox import FAILURES, HALVED_FROM, IDS, PARKED, OutboxStatus, arrived, outbox

# A row may have parts on their way, or at rest, when one that went before turns out not to have arrived.
_SENT = (OutboxStatus.SENT, OutboxStatus.QUEUED, *PARKED)


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A row that did not arrive after all.

    `part` is the one that did not, `failures` how often each failed before, `platform_ids` are those of all of its
    parts. `seqs` are the places in the transcript of all that it said, also for the rows that went with it, in their
    order. `halved_from`: from this part on they are of half the length, and whatever goes again is cut like that.
    """

    id: int
    channel: str
    part: int
    failures: Mapping[str, int]
    platform_ids: tuple[str | None, ...]
    seqs: tuple[int, ...]
    halved_from: int | None = None

    @property
    def failed_before(self) -> int:
        """Tell how often the part failed before."""
        return self.failures.get(str(self.part), 0)


async def contradicted(connection: Write, conversation_id: UUID, platform_id: str) -> Contradicted | None:
    """Find the row of a message that did not arrive, and lock it; None where there is none such."""
    row = (
        await connection.execute(
            select(outbox.c.id, outbox.c.channel, outbox.c.platform_ids)
            .where(
                outbox.c.conversation_id == conversation_id,
                outbox.c.status.in_([status.value for status in _SENT]),
                outbox.c.platform_ids[IDS].contains([platform_id]),
            )
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return None
    said = await connection.execute(
        select(outbox.c.seq)
        .where(or_(outbox.c.id == row.id, outbox.c.merged_into == row.id), outbox.c.seq.is_not(None))
        .order_by(outbox.c.id)
    )
    ids, failures = row.platform_ids[IDS], row.platform_ids.get(FAILURES, {})
    part, seqs = ids.index(platform_id), tuple(said.scalars())
    return Contradicted(row.id, row.channel, part, failures, tuple(ids), seqs, row.platform_ids.get(HALVED_FROM))


async def end(
    connection: Write, found: Contradicted, *, status: OutboxStatus, error: str | None, now: datetime
) -> None:
    """End the row; what was left of it does not go either."""
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == found.id)
        .values(status=status.value, error=error, payload=None, finished_at=now)
    )


async def keep_for_later(
    connection: Write,
    found: Contradicted,
    *,
    status: OutboxStatus,
    error: str | None,
    payload: dict[str, Any],
    due_at: datetime,
    now: datetime,
) -> None:
    """Let the part go that did not arrive, and no other: from `due_at` where it is queued, else when `resume` says.

    It remembers that it failed once more, so that it goes under another name then.
    """
    queued = status is OutboxStatus.QUEUED
    ids = [None if part == found.part else platform_id for part, platform_id in enumerate(found.platform_ids)]
    failures = {**found.failures, str(found.part): found.failed_before + 1}
    await connection.execute(
        update(outbox)
        .where(outbox.c.id == found.id)
        .values(
            status=status.value,
            error=error,
            payload=payload,
            parts_sent=arrived(ids),
            platform_ids={IDS: ids, FAILURES: failures}
            | ({} if found.halved_from is None else {HALVED_FROM: found.halved_from}),
            due_at=due_at,
            finished_at=None if queued else now,
        )
    )
    if queued:
        notify(connection, Topic.OUTBOX, found.channel)


async def being_sent(connection: Read, conversation_id: UUID) -> bool:
    """Tell whether something is on its way to a chat, so that nobody knows yet what the platform calls it."""
    sending = exists().where(outbox.c.conversation_id == conversation_id, outbox.c.status == OutboxStatus.SENDING.value)
    return bool((await connection.execute(select(sending))).scalar_one())
