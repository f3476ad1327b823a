"""A whole program behind the fake of WeCom's server, in injected time, driven step by step."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.engine import URL

from channels.adapter import Call, Outbound
from handoff import queue, ticket
from handoff.queue import Claimed
from handoff.ticket import Done
from sportello.deliveries import Deliveries
from sportello.program import compose
from sportello.pulling import Pulls
from store import budgets, conversations, health, outbox, tickets
from store.budgets import Budget
from store.conversations import Address, Message
from store.health import ChannelHealth
from store.outbox import OutboxKind, Priority
from store.staff import StaffMember
from tests.conftest import FakeClock, copy_of
from tests.fakes.servers import LoopbackServer
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID
from tests.sportello.conftest import VOCABULARIES, Desk, settings_for


@dataclass(frozen=True)
class WecomDesk:
    """The desk and the platform, with verbs for what happens between them."""

    desk: Desk
    kf: FakeKf
    web: httpx.AsyncClient

    @property
    def deliveries(self) -> Deliveries:
        (found,) = self.desk.program.deliveries
        return found

    @property
    def pulls(self) -> Pulls:
        (found,) = self.desk.program.pulls
        return found

    async def post(self, call: Call) -> int:
        """Let the platform call."""
        answer = await self.web.post(
            "/webhooks/wecom", params=dict(call.query), headers=dict(call.headers), content=call.body
        )
        return answer.status_code

    async def rings(self) -> None:
        """Let the platform ring, and fetch what it announces."""
        assert await self.post(self.kf.rings()) == 200
        await self.fetch()

    async def fetch(self) -> int:
        """Fetch as long as something is due; gives how often."""
        fetched = 0
        while await self.pulls.pull():
            fetched += 1
            assert fetched < 50
        return fetched

    async def deliver(self) -> int:
        """Take the turns that wait, and send whatever may be sent now; gives how often something was."""
        await self.desk.turns()
        await self.deliveries.open()
        # Whatever went to a chat before, its pace is kept.
        self.desk.clock.advance(milliseconds=600)
        delivered = 0
        while await self.deliveries.deliver():
            delivered += 1
            self.desk.clock.advance(milliseconds=600)
            assert delivered < 50
        return delivered

    async def answers(self) -> int:
        """Ring, fetch, take turns and send."""
        await self.rings()
        return await self.deliver()

    async def says(self, user: str, text: str, *, priority: Priority = Priority.LIVE) -> None:
        """Put a message of ours into the outbox, beside any turn."""
        conversation = await self.conversation(user)
        async with self.desk.program.database.begin() as connection:
            await outbox.queue(
                connection,
                conversation_id=conversation,
                address=Address("wecom", OPEN_KFID, user),
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

    def texts(self, user: str) -> list[str]:
        """Give what reached a customer."""
        return [message.text for message in self.kf.sent if message.touser == user]

    async def conversation(self, user: str) -> UUID:
        async with self.desk.program.database.read() as connection:
            found = await conversations.find(connection, Address("wecom", OPEN_KFID, user))
        assert found is not None
        return found

    async def transcript(self, user: str) -> list[Message]:
        conversation = await self.conversation(user)
        async with self.desk.program.database.read() as connection:
            return await conversations.transcript(connection, conversation)

    async def budget(self, user: str) -> Budget:
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

    async def health(self) -> ChannelHealth:
        async with self.desk.program.database.read() as connection:
            (found,) = await health.everything(connection)
        return found


@asynccontextmanager
async def wecom_desk(
    server_url: URL, furnished: str, folder: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[WecomDesk]:
    """Put the program together, with WeCom alone."""
    kf = FakeKf(clock=clock.timestamp)
    async with copy_of(furnished, server_url) as url:
        with LoopbackServer(kf.app()) as server:
            settings = settings_for(
                url,
                folder,
                telegram_token=SecretStr(""),
                wecom_corp_id=CORP_ID,
                wecom_secret=SecretStr(SECRET),
                wecom_open_kfid=OPEN_KFID,
                wecom_token=SecretStr(CALLBACK_TOKEN),
                wecom_aes_key=SecretStr(AES_KEY),
                wecom_api_base=server.url,
            )
            program = compose(settings, url, works=True, clock=clock, new_id=new_id, vocabularies=VOCABULARIES)
            await program.library.refresh()
            desk = Desk(program, clock, new_id)
            (pulls,) = program.pulls
            await pulls.open()
            async with desk.browser() as web:
                yield WecomDesk(desk, kf, web)
            await program.close()
