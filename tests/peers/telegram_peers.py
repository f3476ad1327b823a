"""The whole program as the bot of residents and a Bot API server that others wrote for Node (telegram-test-api)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from channels.telegram import TelegramAdapter
from sportello.app import create_app
from tests.fakes.servers import serving
from tests.fakes.telegram_api import TOKEN
from tests.peers.conftest import Node
from tests.sportello.desk import SECRET, Desk

PERSON = {"id": 7, "is_bot": False, "first_name": "Ali", "language_code": "ur"}
CHAT = {"id": 7, "type": "private", "first_name": "Ali"}


@dataclass
class Resident:
    """Somebody with Telegram's app."""

    desk: Desk
    server: httpx.AsyncClient

    async def does(self, path: str, **fields: Any) -> int:
        """Do something; gives what our webhook answered."""
        common = {"botToken": TOKEN, "from": PERSON, "chat": CHAT, "date": 1_700_000_000}
        answer = await self.server.post(path, json=common | fields)
        return int(answer.json()["status"])

    async def reads(self) -> list[dict[str, Any]]:
        """Let turns be taken and answers go out; gives the new messages in the chat."""
        await self.desk.turns()
        await self.desk.deliver()
        self.desk.clock.advance(seconds=2)
        answer = await self.server.post("/getUpdates", json={"token": TOKEN, "chatId": 7})
        return [update["message"] for update in answer.json()["result"]]


@asynccontextmanager
async def resident(node: Node, desk: Desk, *, secret: str = SECRET) -> AsyncIterator[Resident]:
    """Connect the program to the server, which is told where the webhook is as it would be for real."""
    async with node.serving("telegram_residents.js") as address:
        adapter = TelegramAdapter(TOKEN, SECRET, address)
        deliveries = (replace(desk.program.deliveries[0], adapter=adapter),)
        desk = replace(desk, program=replace(desk.program, adapters=(adapter,), deliveries=deliveries))
        async with serving(create_app(desk.program)) as ours, httpx.AsyncClient(base_url=address) as server:
            told = TelegramAdapter(TOKEN, secret, address)
            await told.set_webhook(f"{ours}/webhooks/telegram")
            yield Resident(desk, server)
            await told.close()
        await adapter.close()


async def test_a_conversation_with_text_link_and_button(node: Node, desk: Desk) -> None:
    async with resident(node, desk) as somebody:
        command = [{"type": "bot_command", "offset": 0, "length": 6}]
        assert await somebody.does("/sendCommand", text="/start market", entities=command) == 200
        (greeting,) = await somebody.reads()
        assert greeting["reply_markup"]["inline_keyboard"]
        assert await somebody.does("/sendMessage", text="guardia medica 你好") == 200
        assert await somebody.does("/sendMessage", text="menu") == 200
        first = await somebody.reads()
        second = await somebody.reads()
        button = second[0]["reply_markup"]["inline_keyboard"][0][0]
        assert len(first) == len(second) == 1
        tapped = {"message_id": 1, "date": 1, "chat": CHAT}
        assert await somebody.does("/sendCallback", data=button["callback_data"], message=tapped) == 200
        (listed,) = await somebody.reads()
        assert listed["text"] != second[0]["text"]
        rows = await desk.transcript("7")
        assert rows[0].body == {"started": True, "scene": "market"}
        assert rows[2].body["text"] == "guardia medica 你好"
        assert rows[-2].body["pick"] == button["text"]
    assert (await desk.inbox_counts())["done"] == 4


async def test_who_has_another_secret_is_refused(node: Node, desk: Desk) -> None:
    async with resident(node, desk, secret="wrong") as stranger:
        assert await stranger.does("/sendMessage", text="ciao") == 401
    assert sum((await desk.inbox_counts()).values()) == 0
