"""The first reply, given back with the request that brought the message, where a platform waits for one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from channels.adapter import Adapter, Outbound, WireMessage
from channels.gathering import gathered
from channels.receiving import Received
from channels.rendering import render
from store import health, inbox, outbox, pacing
from store.database import Database, Write
from store.notify import Topic
from store.outbox import OutboxStatus
from web.live import Hub, wait

# What the outbox keeps instead of a platform's id.
PASSIVE_ID: Final = "reply"
_LEASE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class PassiveReplies:
    """Waits for first replies in this process; who takes the turn may be another."""

    database: Database
    hub: Hub
    clock: Callable[[], datetime]

    async def first(self, adapter: Adapter, received: Received, *, patience: timedelta) -> WireMessage | None:
        """Wait for the first reply to what came in; None where there is none in time: it goes by the outbox then.

        A repetition of the same request gets the same reply.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience.total_seconds()
        with self.hub.subscribe(Topic.CONVERSATION, str(received.conversation_id)) as woken:
            while True:
                async with self.database.begin() as connection:
                    over, reply = await self._claim(connection, adapter, received)
                if over:
                    return reply
                left = deadline - loop.time()
                if left <= 0 or not await wait(woken, seconds=left):
                    return None

    async def _claim(self, connection: Write, adapter: Adapter, received: Received) -> tuple[bool, WireMessage | None]:
        """Take what waits for the chat, once the turn is over; False where it is not over yet."""
        inbound, now = received.inbound, self.clock()
        row = await inbox.answered(
            connection, channel=inbound.channel, account=inbound.account, event_key=inbound.event_key
        )
        if row is None or row.reply is not None:
            return True, None if row is None or row.reply is None else WireMessage(row.reply)
        if not row.done:
            return False, None
        leased = await pacing.lease_reply(connection, received.conversation_id, lease_for=_LEASE, now=now)
        await pacing.release_chat(connection, received.conversation_id, now=now)
        if leased is None:
            return True, None
        leased = await gathered(connection, leased, adapter.capabilities, now=now)
        wire = render(Outbound.from_json(leased.payload), adapter.capabilities)
        ids = [*leased.platform_ids, PASSIVE_ID]
        if leased.parts_sent + 1 < len(wire):
            await outbox.part_sent(connection, leased.id, parts_sent=leased.parts_sent + 1, platform_ids=ids)
            await outbox.postpone(connection, leased.id, until=now, error="")
        else:
            await outbox.finish(connection, leased.id, status=OutboxStatus.SENT, error=None, platform_ids=ids, now=now)
        reply = wire[leased.parts_sent]
        await inbox.keep_reply(connection, row.id, reply.text)
        await health.went_out(connection, channel=inbound.channel, account=inbound.account, now=now)
        return True, reply
