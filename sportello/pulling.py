"""Fetching from platforms that only ring: what is fetched and where to go on are stored together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from channels.adapter import Pulled, PulledAdapter
from channels.counting import InboxCounts
from channels.receiving import Received, store
from channels.results import RetryAfter, SendResult
from store import cursors, health
from store.cursors import Cursor
from store.database import Database

log = structlog.get_logger(__name__)

# Longer than fetching may take: after it, whoever fetched is taken for dead.
LEASE: Final = timedelta(seconds=60)
# The token of a ring is good for ten minutes (WeCom, document/path/94670): a little less here.
TOKEN_LASTS: Final = timedelta(minutes=9)
# Without a ring: a lost one costs a resident no more than this. Without a token a platform lets us ask less often.
EVERY: Final = timedelta(minutes=1)
EVERY_WITHOUT_TOKEN: Final = timedelta(minutes=5)
AFTER_TROUBLE: Final = timedelta(seconds=5)
# More is said to be there, and yet nothing came and nothing moved: looked at again, but not without end at once.
AFTER_NOTHING: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Pulls:
    """Fetches for one platform. Any number of processes may have one; one at a time fetches."""

    database: Database
    adapter: PulledAdapter
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    counts: InboxCounts

    async def open(self) -> None:
        """Make sure that there is a cursor."""
        async with self.database.begin() as connection:
            channel, account = self.adapter.channel, self.adapter.account
            await cursors.open_account(connection, channel=channel, account=account, now=self.clock())
            await health.open_channel(connection, channel=channel, account=account)

    async def next_due(self) -> datetime | None:
        """Give the moment from which there is something to fetch."""
        async with self.database.read() as connection:
            return await cursors.next_due(connection, channel=self.adapter.channel, account=self.adapter.account)

    async def pull(self) -> bool:
        """Fetch once, and store it; False where nothing is due or another process fetches."""
        async with self.database.begin() as connection:
            taken = await cursors.take(
                connection,
                channel=self.adapter.channel,
                account=self.adapter.account,
                lease_for=LEASE,
                now=self.clock(),
            )
        if taken is None:
            return False
        token = taken.token if self._is_fresh(taken) else ""
        pulled = await self.adapter.pull(taken.cursor, token)
        if isinstance(pulled, Pulled):
            await self._store(taken, pulled)
        else:
            await self._put_off(taken, pulled)
        return True

    def _is_fresh(self, taken: Cursor) -> bool:
        return taken.rung_at is not None and taken.rung_at + TOKEN_LASTS > self.clock()

    async def _store(self, taken: Cursor, pulled: Pulled) -> None:
        now = self.clock()
        received: list[Received] = []
        async with self.database.begin() as connection:
            for payload in pulled.payloads:
                received += await store(
                    connection, self.adapter, payload, now=now, new_id=self.new_id, counts=self.counts
                )
            await cursors.keep(
                connection,
                taken,
                channel=self.adapter.channel,
                account=self.adapter.account,
                cursor=pulled.cursor,
                due_at=now + self._rests(taken, pulled),
            )
        for each in received:
            counted = self.counts.received.labels(channel=self.adapter.channel, kind=each.inbound.kind.value)
            (counted if each.is_new else self.counts.repeated.labels(channel=self.adapter.channel)).inc()

    def _rests(self, taken: Cursor, pulled: Pulled) -> timedelta:
        """Give how long to wait until the next time: more may be there although nothing was in this answer."""
        if not pulled.more:
            return EVERY if self._is_fresh(taken) else EVERY_WITHOUT_TOKEN
        return timedelta() if pulled.payloads or pulled.cursor != taken.cursor else AFTER_NOTHING

    async def _put_off(self, taken: Cursor, result: SendResult) -> None:
        now = self.clock()
        delay = result.delay if isinstance(result, RetryAfter) else AFTER_TROUBLE
        reason = getattr(result, "reason", "") or type(result).__name__
        log.warning("pull_put_off", channel=self.adapter.channel, reason=reason)
        async with self.database.begin() as connection:
            channel, account = self.adapter.channel, self.adapter.account
            await cursors.keep(
                connection, taken, channel=channel, account=account, cursor=taken.cursor, due_at=now + delay
            )
            await health.went_wrong(connection, channel=channel, account=account, reason=reason, now=now)
