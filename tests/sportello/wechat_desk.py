"""A whole program behind WeChat's fake platform, in injected time, driven step by step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr

from channels.wechat import WeChatAdapter
from sportello.program import compose
from store.conversations import Author, Message
from store.notify import Topic
from tests.conftest import FakeClock
from tests.databases import Copies
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET
from tests.fakes.wechat_platform import AES_KEY, TOKEN, FakeWeChat
from tests.sportello.desk import Desk, furnish, next_due, settings_for, vocabularies
from tests.sportello.platform_desk import PlatformDesk


@dataclass
class WeChatDesk(PlatformDesk):
    """The desk and the platform, with verbs for residents, mediators and misfortune."""

    channel = "wechat"
    account = APP_ID
    platform: FakeWeChat
    # So many answers of ours get lost on the way back to the platform.
    lost: int = 0
    bodies: list[str] = field(default_factory=list)

    def hurry(self) -> None:
        """Let no request wait for its turn: every reply comes too late for it."""
        adapter = self.deliveries.adapter
        assert isinstance(adapter, WeChatAdapter)
        adapter.capabilities = replace(adapter.capabilities, passive=timedelta(0))

    async def post(self, query: dict[str, str], body: bytes) -> tuple[int, str]:
        """Bring a request, and take turns while it waits, as another process would."""
        asking = asyncio.create_task(self.web.post("/webhooks/wechat", params=query, content=body))
        waits = self.deliveries.adapter.capabilities.passive != timedelta(0)
        while not asking.done():
            assert self.desk.program.turns is not None
            if waits and await self.desk.program.turns.take():
                self.desk.program.hub.heard(Topic.CONVERSATION)
            await asyncio.sleep(0)
        answer = await asking
        self.bodies.append(answer.text)
        if self.lost:
            self.lost -= 1
            return 0, ""
        return answer.status_code, answer.text

    async def write(self, text: str, openid: str = OPENID) -> None:
        await self.platform.deliver(self.platform.text(text, openid), self.post)

    async def do(self, event: str, openid: str = OPENID, **fields: str) -> None:
        await self.platform.deliver(self.platform.event(event, openid, **fields), self.post)

    async def deliver(self) -> int:
        """Take the turns that wait, and send what may be sent within the next second; gives how often something was."""
        await self.desk.turns()
        await self.deliveries.open()
        delivered = 0
        for _ in range(100):
            sent = await self.deliveries.deliver()
            due = await next_due(self.deliveries)
            if not sent and (due is None or due > self.desk.clock() + timedelta(seconds=1)):
                return delivered
            delivered += sent
            self.desk.clock.advance(milliseconds=250)
        raise AssertionError("sending never ends")

    async def left(self, openid: str = OPENID) -> int | None:
        """Give how many messages our own count allows."""
        return (await self.budget(openid)).remaining

    # Nearly all tests have one resident.

    async def transcript(self, user: str = OPENID) -> list[Message]:
        return await super().transcript(user)

    async def statuses(self, user: str = OPENID) -> list[str]:
        return await super().statuses(user)

    async def conversation(self, user: str = OPENID) -> UUID:
        return await super().conversation(user)


async def replies_read_once(wechat: WeChatDesk, openid: str = OPENID) -> list[str]:
    """Give what mediators wrote, each of it read once, in the order in which it was written."""
    written = [row.body["text"] for row in await wechat.transcript(openid) if row.author is Author.MEDIATOR]
    read = "\n".join(wechat.platform.read_by(openid))
    assert [read.count(text) for text in written] == [1] * len(written)
    places = [read.index(text) for text in written]
    assert places == sorted(places)
    return written


async def first_answer(wechat: WeChatDesk) -> str:
    """Give the text of the first entry that answered."""
    blocks = [block for row in await wechat.transcript() if row.author is Author.BOT for block in row.body["blocks"]]
    return next(str(block["text"]) for block in blocks if block["kind"] == "answer")


@asynccontextmanager
async def wechat_desk(
    copies: Copies, furnished: str, folder: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[WeChatDesk]:
    """Put the program together, with Telegram and WeChat."""
    platform = FakeWeChat(clock=clock, advance=lambda seconds: clock.advance(seconds=seconds))
    async with copies.washed(furnished) as url:
        with LoopbackServer(platform.app()) as server:
            settings = settings_for(
                url,
                folder,
                wechat_app_id=APP_ID,
                wechat_secret=SecretStr(SECRET),
                wechat_token=SecretStr(TOKEN),
                wechat_aes_key=SecretStr(AES_KEY),
                wechat_api_base=server.url,
            )
            program = compose(settings, url, works=True, clock=clock, new_id=new_id, vocabularies=vocabularies())
            await furnish(program)
            desk = Desk(program, clock, new_id)
            async with desk.browser() as web:
                yield WeChatDesk(desk, web, platform)
            await program.close()
