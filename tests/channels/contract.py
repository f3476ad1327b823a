"""What the suite for all platforms drives: one adapter on a real database, with the routes and loops around it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, text

from channels import webhooks
from channels.adapter import Call, CalledAdapter, CalledSource, Outbound, PulledAdapter
from channels.counting import InboxCounts
from channels.passive import PassiveReplies
from channels.webhooks import Webhooks
from sportello.counting import Counts
from sportello.deliveries import Deliveries, doubt
from sportello.pulling import Pulls
from store import budgets, conversations, inbox, outbox
from store.conversations import Address
from store.database import Database
from store.inbox import InboxStatus
from store.outbox import OutboxKind, Priority
from tests.channels.handed_over import LEASE, PATHS, handed_over_router
from tests.channels.peer import Peer, TakingPeer
from tests.conftest import FakeClock
from web.live import Hub

# Where things are stored when a platform calls.
TABLES = ("inbox", "cursors")


@dataclass(frozen=True)
class Line:
    """One platform, its adapter, and what stands behind it; no turns are taken."""

    peer: Peer
    adapter: CalledSource
    database: Database
    clock: FakeClock
    new_id: Callable[[], UUID]
    web: httpx.AsyncClient
    deliveries: Deliveries | None
    pulls: Pulls | None
    inbox_counts: InboxCounts

    async def call(self, call: Call) -> httpx.Response:
        """Let the platform call; where it only rings, what it announced is fetched."""
        answer = await self.post(call)
        await self.fetch()
        return answer

    async def post(self, call: Call) -> httpx.Response:
        """Post a request as it is."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in call.headers.items()]
        return await self.web.post(
            self._path,
            params=dict(call.query),
            headers=headers,
            content=call.body,
        )

    async def get(self, call: Call) -> httpx.Response:
        """Ask at the same address, as a platform does that checks it."""
        return await self.web.get(self._path, params=dict(call.query))

    @property
    def _path(self) -> str:
        return PATHS.get(self.adapter.channel, f"/webhooks/{self.adapter.channel}")

    async def fetch(self) -> None:
        """Fetch until nothing is due."""
        if self.pulls is not None:
            for _ in range(50):
                if not await self.pulls.pull():
                    return
            raise AssertionError("fetching never ends")

    async def counts(self) -> dict[InboxStatus, int]:
        """Count the inbox by status."""
        async with self.database.read() as connection:
            return await inbox.counts(connection)

    async def stored(self) -> int:
        """Count all rows of the inbox."""
        return sum((await self.counts()).values())

    async def kept(self) -> int:
        """Count all that anybody can still see: the inbox, and what waits for an operator to say whose it is."""
        async with self.database.read() as connection:
            rows = await connection.execute(text("SELECT (SELECT count(*) FROM inbox) + count(*) FROM quarantine"))
            return int(rows.scalar_one())

    async def forget(self) -> None:
        """Begin anew: nobody has written, and nothing is a repetition."""
        async with self.database.begin() as connection:
            await connection.execute(text("TRUNCATE inbox, quarantine, conversations CASCADE"))

    async def conversations(self) -> int:
        """Count the conversations."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(func.count()).select_from(conversations.conversations))
            return int(rows.scalar_one())

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        """Take away what a call needs, for a while."""
        async with self.database.begin() as connection:
            for table in TABLES:
                await connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
        yield
        async with self.database.begin() as connection:
            for table in TABLES:
                await connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))

    async def talk(self, thread: str) -> UUID:
        """Make a conversation whose resident has just written, so that the platform lets us write."""
        address = Address(self.adapter.channel, self.adapter.account, thread)
        async with self.database.begin() as connection:
            found = await conversations.find_or_add(
                connection,
                new_id=self.new_id(),
                address=address,
                user_ref=thread,
                language_hint="it",
                now=self.clock(),
            )
            window = self.adapter.capabilities.after_text
            if window is not None:
                until = self.clock() + window.lasts
                messages = window.messages
                await budgets.renew(
                    connection,
                    found,
                    messages=messages,
                    until=until,
                    reply_code=None,
                    since=self.clock(),
                    now=self.clock(),
                )
        return found

    async def queue(self, thread: str, conversation_id: UUID, *paragraphs: str) -> None:
        """Put a message into the outbox."""
        async with self.database.begin() as connection:
            await outbox.queue(
                connection,
                conversation_id=conversation_id,
                address=Address(self.adapter.channel, self.adapter.account, thread),
                kind=OutboxKind.MESSAGE,
                priority=Priority.LIVE,
                payload=Outbound("it", paragraphs).to_json(),
                seq=None,
                now=self.clock(),
            )

    async def deliver(self) -> int:
        """Send what may be sent now, or let it be taken; gives how often something was."""
        if self.deliveries is None:
            assert isinstance(self.peer, TakingPeer)
            taken = await self.peer.takes(self.web)
            self.clock.now += LEASE + timedelta(seconds=1)
            await doubt(self.database, self.clock())
            return taken
        await self.deliveries.open()
        delivered = 0
        while await self.deliveries.deliver():
            delivered += 1
            self.clock.now += self.adapter.capabilities.chat_interval + timedelta(milliseconds=50)
            assert delivered < 20
        return delivered

    async def statuses(self) -> list[str]:
        """Give the status of every row of the outbox."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
            return list(rows.scalars())


@asynccontextmanager
async def line(
    peer: Peer, adapter: CalledSource, database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[Line]:
    """Put a platform's adapter behind the routes, over HTTP in this process."""
    registry = CollectorRegistry()
    counts = InboxCounts.on(registry)
    app = FastAPI()
    handed_over = handed_over_router(adapter, database, clock, new_id, counts)
    if handed_over is None:
        passive = PassiveReplies(database, Hub(), clock)
        platforms = [cast("CalledAdapter", adapter)]
        app.include_router(
            webhooks.router(platforms, Webhooks(database, passive, clock=clock, new_id=new_id, counts=counts))
        )
    else:
        app.include_router(handed_over)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
        pulls = None
        if hasattr(adapter, "pull"):
            pulls = Pulls(database, cast("PulledAdapter", adapter), clock, new_id, counts)
            await pulls.open()
            # What is due at the start is done: from here on a ring alone brings something.
            await pulls.pull()
        deliveries = None
        if hasattr(adapter, "send"):
            deliveries = Deliveries(database, cast("CalledAdapter", adapter), clock, Counts.on(registry))
        yield Line(peer, adapter, database, clock, new_id, web, deliveries, pulls, counts)
