"""The whole program behind phones that pass on their notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import select

from channels.phone import CHANNEL
from store import outbox
from store.conversations import Address, find, transcript
from store.notify import Topic
from tests.fakes.phone import IMO, FakePhone
from tests.sportello.desk import Desk, settings_for

TOKEN, OTHER = "token-of-via-roma-1", "token-of-piazza-san-marco"
DEVICES = SecretStr(f"via-roma:{TOKEN}, piazza:{OTHER}")


@asynccontextmanager
async def phone_web(desk: Desk, folder: Path, **others: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Give the program two phones, and a client to reach it as a phone does."""
    settings = settings_for(desk.program.database.url, folder, phone_devices=DEVICES, **others)
    object.__setattr__(desk.program, "settings", settings)
    async with desk.browser() as client:
        # A phone is no browser.
        client.headers.clear()
        yield client


async def answered(desk: Desk, phone: FakePhone, text: str, **fields: Any) -> list[str]:
    """Let a message arrive, and take its turn while the phone waits for the replies."""
    arriving = asyncio.create_task(phone.arrives(text, **fields))
    while not arriving.done():
        if await desk.turns():
            # What the listener does in a process of its own.
            desk.program.hub.heard(Topic.CONVERSATION, "")
        await asyncio.sleep(0)
    return await arriving


async def statuses(desk: Desk) -> list[str]:
    async with desk.program.database.read() as connection:
        rows = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
        return list(rows.scalars())


async def rows(desk: Desk, thread: str = f"{IMO}|alikhan", account: str = "via-roma") -> list[Any]:
    async with desk.program.database.read() as connection:
        found = await find(connection, Address(CHANNEL, account, thread))
        return [] if found is None else await transcript(connection, found)


async def mediator_writes(desk: Desk, text: str) -> None:
    """Let a message of ours go to Ali Khan without his having asked just now."""
    async with desk.program.database.begin() as connection:
        found = await find(connection, Address(CHANNEL, "via-roma", f"{IMO}|alikhan"))
        assert found is not None
        await outbox.queue(
            connection,
            conversation_id=found,
            address=Address(CHANNEL, "via-roma", f"{IMO}|alikhan"),
            kind=outbox.OutboxKind.MESSAGE,
            priority=outbox.Priority.MEDIATOR,
            payload={"language": "it", "paragraphs": [text], "choices": []},
            seq=None,
            now=desk.clock(),
        )
