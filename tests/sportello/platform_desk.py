"""What the desks of WeChat's two platforms have in common: a program, its deliveries, and one chat after the other."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import httpx
from sqlalchemy import select

from channels.adapter import Outbound
from handoff import queue, ticket
from handoff.queue import Claimed
from handoff.ticket import Done
from sportello.deliveries import Deliveries
from store import budgets, conversations, outbox, tickets
from store.budgets import Budget
from store.conversations import Address, Message
from store.outbox import OutboxKind, Priority
from store.staff import StaffMember
from tests.sportello.desk import Desk


@dataclass
class PlatformDesk:
    """The desk and its web, with verbs for mediators, and what is known of a chat."""

    channel: ClassVar[str]
    account: ClassVar[str]
    desk: Desk
    web: httpx.AsyncClient

    @property
    def deliveries(self) -> Deliveries:
        return next(each for each in self.desk.program.deliveries if each.adapter.channel == self.channel)

    async def says(self, user: str, text: str, *, priority: Priority = Priority.LIVE) -> None:
        """Put a message of ours into the outbox, beside any turn."""
        conversation = await self.conversation(user)
        async with self.desk.program.database.begin() as connection:
            await outbox.queue(
                connection,
                conversation_id=conversation,
                address=Address(self.channel, self.account, user),
                kind=OutboxKind.MESSAGE,
                priority=priority,
                payload=Outbound("it", (text,)).to_json(),
                seq=None,
                now=self.desk.clock(),
            )

    # --- mediators ---

    async def claim(self, member: StaffMember) -> UUID:
        """Let a mediator take the oldest conversation that waits."""
        async with self.desk.program.database.begin() as connection:
            (first, *_) = await tickets.waiting(connection)
            claimed = await queue.claim(connection, first.id, member, new_id=self.desk.new_id, now=self.desk.clock())
            assert claimed == Claimed()
        return first.id

    async def reply(self, ticket_id: UUID, member: StaffMember, text: str) -> None:
        async with self.desk.program.database.begin() as connection:
            done = await ticket.reply(
                connection, ticket_id, member, text, key=self.desk.new_id(), now=self.desk.clock()
            )
            assert done == Done()

    # --- what is known ---

    async def conversation(self, user: str) -> UUID:
        async with self.desk.program.database.read() as connection:
            found = await conversations.find(connection, Address(self.channel, self.account, user))
        assert found is not None
        return found

    async def transcript(self, user: str) -> list[Message]:
        conversation = await self.conversation(user)
        async with self.desk.program.database.read() as connection:
            return await conversations.transcript(connection, conversation)

    async def budget(self, user: str) -> Budget:
        """Give what our own count allows."""
        conversation = await self.conversation(user)
        async with self.desk.program.database.read() as connection:
            found = await budgets.of(connection, conversation)
        assert found is not None
        return found

    async def statuses(self, user: str) -> list[str]:
        conversation = await self.conversation(user)
        async with self.desk.program.database.read() as connection:
            rows = await connection.execute(
                select(outbox.outbox.c.status)
                .where(outbox.outbox.c.conversation_id == conversation)
                .order_by(outbox.outbox.c.id)
            )
            return list(rows.scalars())
