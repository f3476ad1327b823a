"""The first reply, given back with the request that brought the message, where a platform waits for one."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from channels.adapter import Outbound, Source, WireMessage
from channels.gathering import gathered
from channels.receiving import Received
from channels.rendering import render
from store import health, inbox, outbox, pacing
from store.database import Database, Write
from store.inbox import Answered
from store.notify import Topic
from store.outbox import OutboxStatus
from web.live import Hub, wait

# What the outbox keeps instead of a platform's id.
PASSIVE_ID: Final = "reply"
_LEASE: Final = timedelta(seconds=30)
# A wake-up is a hint: without one, it is looked again so often. In seconds.
_LOOK_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class PassiveReplies:
    """Waits for first replies in this process; who takes the turn may be another."""

    database: Database
    hub: Hub
    clock: Callable[[], datetime]

    async def first(self, adapter: Source, received: Received, *, patience: timedelta) -> WireMessage | None:
        """Wait for the first reply to what came in; None where there is none in time: it goes by the outbox then.

        A repetition of the same request gets the same reply.
        """
        found = await self._waited(adapter, received, patience=patience, whole=False)
        return found[0] if found else None

    async def whole(self, adapter: Source, received: Received, *, patience: timedelta) -> tuple[WireMessage, ...]:
        """Wait as `first` does, and give all that was said by then, every part of it.

        For a platform that takes several messages with one request, and may offer no other way to it.
        """
        return await self._waited(adapter, received, patience=patience, whole=True)

    async def _waited(
        self, adapter: Source, received: Received, *, patience: timedelta, whole: bool
    ) -> tuple[WireMessage, ...]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience.total_seconds()
        with self.hub.subscribe(Topic.CONVERSATION, str(received.conversation_id)) as woken:
            while True:
                async with self.database.begin() as connection:
                    replies = await self._claim(connection, adapter, received, whole=whole)
                if replies is not None:
                    return replies
                left = deadline - loop.time()
                if left <= 0:
                    return ()
                await wait(woken, seconds=min(left, _LOOK_EVERY))

    async def _claim(
        self, connection: Write, adapter: Source, received: Received, *, whole: bool
    ) -> tuple[WireMessage, ...] | None:
        """Take what waits for the chat, once the turn is over; None where it is not over yet."""
        inbound, now = received.inbound, self.clock()
        row = await inbox.answered(
            connection, channel=inbound.channel, account=inbound.account, event_key=inbound.event_key
        )
        if row is None or row.reply is not None:
            return _said_before(row)
        if not row.done:
            return None
        replies: list[WireMessage] = []
        while reply := await self._reply(connection, adapter, received, whole=whole):
            replies += reply
            if not whole:
                break
        await pacing.release_chat(connection, received.conversation_id, now=now)
        if replies:
            await inbox.keep_reply(connection, row.id, json.dumps([reply.text for reply in replies]))
            await health.went_out(connection, channel=inbound.channel, account=inbound.account, now=now)
        return tuple(replies)

    async def _reply(
        self, connection: Write, adapter: Source, received: Received, *, whole: bool
    ) -> tuple[WireMessage, ...]:
        """Take the next row that waits for the chat: its next part, or all parts that are left."""
        now = self.clock()
        leased = await pacing.lease_reply(connection, received.conversation_id, lease_for=_LEASE, now=now)
        if leased is None:
            return ()
        leased = await gathered(connection, leased, adapter.capabilities, now=now)
        wire = render(Outbound.from_json(leased.payload), adapter.capabilities)
        left = leased.left(len(wire))
        taken = left if whole else left[:1]
        ids = leased.named(dict.fromkeys(taken, PASSIVE_ID))
        if len(taken) < len(left):
            await outbox.part_sent(connection, leased.id, platform_ids=ids)
            await outbox.postpone(connection, leased.id, until=now, error="")
        else:
            await outbox.finish(connection, leased.id, status=OutboxStatus.SENT, error=None, platform_ids=ids, now=now)
        return tuple(wire[number] for number in taken)


def _said_before(row: Answered | None) -> tuple[WireMessage, ...]:
    if row is None or row.reply is None:
        return ()
    return tuple(WireMessage(text) for text in json.loads(row.reply))
