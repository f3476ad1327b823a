"""The pace of what goes out: how long an account and a chat rest, and what goes whatever the pace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Address, conversations
from store.database import Write
from store.outbox import FAILURES, IDS, OutboxKind, OutboxStatus, Priority, outbox
from store.paces import accounts, chats


@dataclass(frozen=True, slots=True)
class Pace:
    """The least time between two messages, to one chat and over the whole account."""

    chat: timedelta
    account: timedelta


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that this process is to send now.

    `parts_sent` of its parts were sent before, `reply_code` may be used. `platform_ids` are those of its parts in their
    order, None where the platform took one and could not deliver it; `failures` counts how often, by the part.
    """

    id: int
    conversation_id: UUID
    address: Address
    kind: OutboxKind
    priority: Priority
    seq: int | None
    payload: dict[str, Any]
    attempts: int
    parts_sent: int
    platform_ids: tuple[str | None, ...]
    created_at: datetime
    reply_code: str | None = None
    failures: Mapping[str, int] = field(default_factory=dict)

    def left(self, parts: int) -> list[int]:
        """Give which of so many parts are still to be sent: not one that arrived, though one before it did not."""
        known = self.platform_ids
        return [number for number in range(parts) if number >= len(known) or known[number] is None]

    def key(self, number: int) -> str:
        """Name a part: the same whenever it is tried again, and another once the platform failed to deliver it."""
        failures = self.failures.get(str(number), 0)
        again = f"-{failures}" if failures else ""
        return f"{self.id}-{number}{again}"

    def named(self, given: Mapping[int, str]) -> list[str | None]:
        """Give the platform's ids with those of parts that it took now, by their numbers."""
        longest = max(len(self.platform_ids), *(number + 1 for number in given))
        known = [*self.platform_ids, *[None] * (longest - len(self.platform_ids))]
        return [given.get(number, known[number]) for number in range(longest)]


async def open_account(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Make the row that keeps an account's pace, where it is missing."""
    await connection.execute(
        insert(accounts).values(channel=channel, account=account, next_send_at=now).on_conflict_do_nothing()
    )


def leased_of(row: Row[Any]) -> Leased:
    """Read a row that has all columns of the outbox, and the thread of its conversation."""
    return Leased(
        id=row.id,
        conversation_id=row.conversation_id,
        address=Address(row.channel, row.account, row.thread),
        kind=OutboxKind(row.kind),
        priority=Priority(row.priority),
        seq=row.seq,
        payload=row.payload,
        attempts=row.attempts,
        parts_sent=row.parts_sent,
        platform_ids=tuple((row.platform_ids or {}).get(IDS, ())),
        created_at=row.created_at,
        failures=(row.platform_ids or {}).get(FAILURES, {}),
    )


async def lease_reply(
    connection: Write, conversation_id: UUID, *, lease_for: timedelta, now: datetime
) -> Leased | None:
    """Take the oldest message that waits for a chat, whatever the pace: it goes with the platform's own request.

    None where nothing waits, or something is being sent already.
    """
    open_now = (
        select(outbox.c.id, outbox.c.status)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status.in_([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value]),
            outbox.c.kind == OutboxKind.MESSAGE.value,
        )
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update()
    )
    first = (await connection.execute(open_now)).one_or_none()
    if first is None or first.status != OutboxStatus.QUEUED.value:
        return None
    row = (
        await connection.execute(
            update(outbox)
            .where(outbox.c.id == first.id, conversations.c.id == outbox.c.conversation_id)
            .values(status=OutboxStatus.SENDING.value, lease_until=now + lease_for, attempts=outbox.c.attempts + 1)
            .returning(*outbox.c, conversations.c.thread)
        )
    ).one()
    return leased_of(row)


async def pause_account(connection: Write, *, channel: str, account: str, until: datetime) -> None:
    """Hold back all messages of an account until a moment."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.channel == channel, accounts.c.account == account)
        .values(next_send_at=func.greatest(accounts.c.next_send_at, until))
    )


async def pause_chat(connection: Write, conversation_id: UUID, *, until: datetime) -> None:
    """Hold back all messages to one chat until a moment."""
    paused = insert(chats).values(conversation_id=conversation_id, next_send_at=until)
    await connection.execute(
        paused.on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={"next_send_at": func.greatest(chats.c.next_send_at, paused.excluded.next_send_at)},
        )
    )


async def release_chat(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Let messages to one chat go again."""
    await connection.execute(update(chats).where(chats.c.conversation_id == conversation_id).values(next_send_at=now))
