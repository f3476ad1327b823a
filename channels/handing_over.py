"""Handing over: who delivers takes what waits by itself, and says how it ended. No task of ours pushes it.

The outbox stays the one truth: a row is leased, handed over, and ends when who took it says so. Where nobody says
anything until the lease is over, it is in doubt, shown to the staff, and never handed over again by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from channels.adapter import Outbound, Source, WireMessage
from channels.gathering import gathered
from channels.rendering import render
from store import handovers, health, leasing, pacing
from store.database import Database, Write
from store.notify import Topic
from store.outbox import OutboxStatus, Priority
from store.pacing import Pace
from web.live import Hub, wait

# Who is asked for more may wait so long, in seconds: proxies and phones often end a silent request after 30.
LONGEST_WAIT: Final = 25.0
MOST_AT_ONCE: Final = 10
# The highest number of a row that PostgreSQL holds (bigint, 64 bits).
ID_MAX: Final = 2**63 - 1
# A wake-up is a hint: without one, it is looked again so often. In seconds.
_LOOK_EVERY: Final = 2.0
# What can be said of a message that was handed over.
ENDINGS: Final = {"done": OutboxStatus.SENT, "failed": OutboxStatus.NEEDS_PERSON}


@dataclass(frozen=True, slots=True)
class Handed:
    """A message as it is handed over, all its parts together; `id` is to be named with how it ended."""

    id: int
    thread: str
    recipient: str
    language: str
    parts: tuple[WireMessage, ...]
    by_person: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HandingOver:
    """Hands over in this process; any number of processes may, and no row goes to two.

    `lease_for`: so long whoever took a row may need to say how it ended.
    """

    database: Database
    hub: Hub
    clock: Callable[[], datetime]
    lease_for: timedelta

    async def open(self, connection: Write, source: Source) -> None:
        """Make the rows that keep a source's pace and health, where they are missing."""
        channel, account = source.channel, source.account
        await pacing.open_account(connection, channel=channel, account=account, now=self.clock())
        await health.open_channel(connection, channel=channel, account=account)

    async def take(self, source: Source, *, most: int) -> list[Handed]:
        """Lease what may go now, at most so many messages, one for each chat."""
        can = source.capabilities
        pace = Pace(can.chat_interval, can.account_interval)
        handed: list[Handed] = []
        async with self.database.begin() as connection:
            await self.open(connection, source)
            while len(handed) < most:
                now = self.clock()
                leased = await leasing.lease(
                    connection,
                    channel=source.channel,
                    account=source.account,
                    pace=pace,
                    lease_for=self.lease_for,
                    now=now,
                )
                if leased is None:
                    break
                leased = await gathered(connection, leased, can, now=now)
                message = Outbound.from_json(leased.payload)
                wire = render(message, can)
                handed.append(
                    Handed(
                        id=leased.id,
                        thread=leased.address.thread,
                        recipient=await handovers.recipient(connection, leased.conversation_id),
                        language=message.language,
                        parts=tuple(wire[number] for number in leased.left(len(wire))),
                        by_person=leased.priority is Priority.MEDIATOR,
                        created_at=leased.created_at,
                    )
                )
        return handed

    async def wait(
        self, source: Source, *, most: int, seconds: float, gone: Callable[[], Awaitable[bool]]
    ) -> Sequence[Handed]:
        """Lease what may go, waiting for it up to a time; nothing where the asker is `gone` meanwhile."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(max(seconds, 0.0), LONGEST_WAIT)
        with self.hub.subscribe(Topic.OUTBOX, source.channel) as woken:
            # Looked at before each lease: what is leased to nobody would be in doubt.
            while not await gone():
                if handed := await self.take(source, most=min(max(most, 1), MOST_AT_ONCE)):
                    return handed
                left = deadline - loop.time()
                if left <= 0 or self.hub.closing.is_set():
                    break
                await wait(woken, seconds=min(left, _LOOK_EVERY))
        return ()

    async def acknowledge(
        self, source: Source, outbox_id: int, *, ending: OutboxStatus, error: str | None
    ) -> OutboxStatus | None:
        """End a row as who took it says; gives how it stands now, None where it is none of the source's."""
        now = self.clock()
        async with self.database.begin() as connection:
            ended = await handovers.end(
                connection,
                outbox_id,
                channel=source.channel,
                account=source.account,
                status=ending,
                error=error,
                now=now,
            )
            if ended is None:
                return None
            channel, account = source.channel, source.account
            if ended.is_new and ended.status is OutboxStatus.SENT:
                await health.went_out(connection, channel=channel, account=account, now=now)
            elif ended.is_new:
                await health.went_wrong(connection, channel=channel, account=account, reason=error or "failed", now=now)
        return ended.status
