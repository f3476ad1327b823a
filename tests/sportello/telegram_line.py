"""The whole program between residents on a fake Telegram and mediators in a browser, in injected time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
from sqlalchemy import func, select

from channels.telegram import TelegramAdapter
from sportello.app import create_app
from store import inbox
from store.inbox import InboxStatus
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi
from tests.fakes.telegram_side import TelegramSide
from tests.sportello.desk import COMPILED, PASSWORD, SECRET, Desk, next_due


@dataclass
class TelegramLine:
    """Residents, server, program and browser."""

    desk: Desk
    api: FakeBotApi
    side: TelegramSide
    browser: httpx.AsyncClient

    async def settle(self) -> None:
        """Let the server deliver, turns be taken and answers go out, as far as that can be now."""
        await self.side.deliver()
        await self.desk.turns()
        await self.desk.deliver()

    async def until(self, seconds: float) -> None:
        """Let time pass, from one thing that is due to the next."""
        clock = self.desk.clock
        end = clock.timestamp() + seconds
        while clock.timestamp() < end:
            await self.settle()
            due = min(await self._due(), default=end)
            clock.advance(seconds=max(min(due, end) - clock.timestamp(), 0.001))
        await self.settle()

    async def _due(self) -> list[float]:
        """Give the moments for which something waits: at the server, in the inbox, in the outbox."""
        rows = inbox.inbox.c
        # What came behind them in their conversations waits for them, whatever its own moment is.
        waiting = rows.status == InboxStatus.WAITING.value
        firsts = select(func.min(rows.id)).where(waiting).group_by(rows.conversation_id)
        moments = [await next_due(self.desk.program.deliveries[0])]
        async with self.desk.program.database.read() as connection:
            rests = select(func.min(rows.not_before)).where(rows.id.in_(firsts))
            moments.append((await connection.execute(rests)).scalar_one())
        told = [moment.timestamp() for moment in moments if moment is not None]
        at = self.side.next_at()
        return told if at is None else [*told, at]

    async def sign_in(self, login: str) -> None:
        """Sign a mediator in."""
        form = {"login": login, "password": PASSWORD, "next": "/desk"}
        assert (await self.browser.post("/desk/sign-in", data=form)).status_code == 303


@asynccontextmanager
async def telegram_line(desk: Desk) -> AsyncIterator[TelegramLine]:
    """Put a fake of the platform behind the program's only adapter; the fake has the program's clock."""
    api = FakeBotApi(clock=desk.clock.timestamp, enforce_rate=True)
    with LoopbackServer(api.app()) as server:
        adapter = TelegramAdapter(TOKEN, SECRET, server.url)
        deliveries = (replace(desk.program.deliveries[0], adapter=adapter),)
        desk = replace(desk, program=replace(desk.program, adapters=(adapter,), deliveries=deliveries))
        async with desk.browser() as browser:
            web = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=create_app(desk.program, COMPILED)), base_url="http://127.0.0.1"
            )

            async def post(body: bytes, headers: dict[str, str]) -> tuple[int, float]:
                answer = await web.post("/webhooks/telegram", content=body, headers=headers)
                return answer.status_code, float(answer.headers.get("retry-after", 0))

            async with web:
                yield TelegramLine(desk, api, TelegramSide(api, post, SECRET), browser)
        await adapter.close()
