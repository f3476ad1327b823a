"""A whole program behind the fake of WeCom's server, in injected time, driven step by step."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr

from channels.adapter import Call
from sportello.program import compose
from sportello.pulling import Pulls
from store import health
from store.health import ChannelHealth
from tests.conftest import FakeClock
from tests.databases import Copies
from tests.fakes.servers import LoopbackServer
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID
from tests.sportello.desk import Desk, furnish, settings_for, vocabularies
from tests.sportello.platform_desk import PlatformDesk


@dataclass
class WecomDesk(PlatformDesk):
    """The desk and the platform, with verbs for what happens between them."""

    channel = "wecom"
    account = OPEN_KFID
    kf: FakeKf

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

    # --- what is known ---

    def texts(self, user: str) -> list[str]:
        """Give what reached a customer."""
        return [message.text for message in self.kf.sent if message.touser == user]

    async def health(self) -> ChannelHealth:
        async with self.desk.program.database.read() as connection:
            (found,) = await health.everything(connection)
        return found


@asynccontextmanager
async def wecom_desk(
    copies: Copies, furnished: str, folder: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[WecomDesk]:
    """Put the program together, with WeCom alone."""
    kf = FakeKf(clock=clock.timestamp)
    async with copies.washed(furnished) as url:
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
            program = compose(settings, url, works=True, clock=clock, new_id=new_id, vocabularies=vocabularies())
            await furnish(program)
            desk = Desk(program, clock, new_id)
            (pulls,) = program.pulls
            await pulls.open()
            async with desk.browser() as web:
                yield WecomDesk(desk, web, kf)
            await program.close()
