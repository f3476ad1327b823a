"""A resident's WhatsApp before the whole program: the fake Cloud API has the program's clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from channels.receiving import take_in
from channels.whatsapp import WhatsAppAdapter
from handoff import queue, ticket
from store import conversations, outbox, tickets
from store.conversations import Address, Message
from store.outbox import OutboxKind
from store.staff import Role, StaffMember
from tests.channels.whatsapp_peer import adapter_for, call_of
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import PHONE_ID, FakeCloudApi, text_value
from tests.sportello.desk import Desk

RESIDENT = "393331234567"


@dataclass
class Phone:
    """A resident's WhatsApp, and the program behind the number."""

    desk: Desk
    api: FakeCloudApi
    adapter: WhatsAppAdapter
    member: StaffMember | None = None
    _written: int = 0

    async def call(self, value: dict[str, Any]) -> None:
        """Let the platform call, and take the turns that follow."""
        payload = self.adapter.verify(call_of(value), now=self.desk.clock())
        program = self.desk.program
        await take_in(
            program.database,
            self.adapter,
            payload,
            clock=self.desk.clock,
            new_id=self.desk.new_id,
            counts=program.inbox_counts,
        )
        await self.desk.turns()

    async def write(self, text: str, sender: str = RESIDENT) -> None:
        self._written += 1
        key = f"wamid.in{self._written}"
        self.api.heard(sender, key)
        await self.call(text_value(text, key=key, sender=sender, at=self.api.clock()))

    async def deliver(self) -> None:
        """Send whatever may be sent, with the pauses that the pace asks for."""
        deliveries = self.desk.program.deliveries[0]
        await deliveries.open()
        # Even a row that was only parked has taken its chat's turn.
        self.desk.clock.advance(seconds=1.1)
        while await deliveries.deliver():
            self.desk.clock.advance(seconds=1.1)

    async def rows(self) -> list[Any]:
        async with self.desk.program.database.read() as connection:
            return list((await connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id))).all())

    async def statuses(self) -> list[str]:
        return [row.status for row in await self.rows() if row.kind == OutboxKind.MESSAGE.value]

    async def knocks(self) -> list[str]:
        return [message.language for message in self.api.sent if message.via == "template"]

    async def conversation(self, sender: str = RESIDENT) -> UUID:
        async with self.desk.program.database.read() as connection:
            found = await conversations.find(connection, Address("whatsapp", PHONE_ID, sender))
        assert found is not None
        return found

    async def transcript(self, sender: str = RESIDENT) -> list[Message]:
        conversation = await self.conversation(sender)
        async with self.desk.program.database.read() as connection:
            return await conversations.transcript(connection, conversation)

    async def with_mediator(self) -> None:
        """Let the resident ask for a person, and a mediator claim."""
        await self.write("persona")
        self.member = member = await self.desk.staff("ines", Role.MEDIATOR)
        now = self.desk.clock()
        async with self.desk.program.database.begin() as connection:
            (waiting,) = await tickets.waiting(connection)
            claimed = await queue.claim(connection, waiting.id, member, new_id=self.desk.new_id, now=now)
            assert isinstance(claimed, queue.Claimed)
        await self.desk.turns()
        await self.deliver()

    async def reply(self, text: str) -> None:
        """Let the mediator answer."""
        now = self.desk.clock()
        async with self.desk.program.database.begin() as connection:
            (held,) = await tickets.claimed(connection)
            assert self.member is not None
            done = await ticket.reply(connection, held.id, self.member, text, key=self.desk.new_id(), now=now)
            assert not isinstance(done, ticket.Refused)
        await self.desk.turns()
        await self.deliver()


@asynccontextmanager
async def phone_at(desk: Desk, template: str = "") -> AsyncIterator[Phone]:
    """Put WhatsApp in the place of the program's only platform."""
    api = FakeCloudApi(clock=desk.clock.timestamp)
    with LoopbackServer(api.app()) as server:
        adapter = adapter_for(server.url, template)
        deliveries = replace(desk.program.deliveries[0], adapter=adapter)
        object.__setattr__(desk.program, "deliveries", (deliveries,))
        object.__setattr__(desk.program, "adapters", (adapter,))
        await deliveries.open()
        yield Phone(desk, api, adapter)
        await adapter.close()
