"""The relay desk as an operator uses it, by its forms."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import select

from store import conversations, handovers, outbox, relay_acts
from store.conversations import Address, Message
from store.relay_acts import Act
from store.staff import Role
from tests.sportello.desk import Desk, settings_for
from tests.sportello.test_desk import field, sign_in


@asynccontextmanager
async def operator(desk: Desk, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Let the desk relay for four apps, and give the browser of Anna, who is a mediator and signed in."""
    settings = settings_for(desk.program.database.url, folder, relay_apps="imo,wechat,whatsapp,other")
    object.__setattr__(desk.program, "settings", settings)
    await desk.staff("anna", Role.MEDIATOR)
    async with desk.browser() as client:
        await sign_in(client, "anna")
        yield client


async def opened(web: httpx.AsyncClient, name: str = "Ali Khan", app: str = "imo", tongue: str = "") -> str:
    """Open a thread as the form does; gives its address."""
    page = (await web.get("/desk/relay")).text
    fields = {"csrf": field(page, "csrf"), "name": name, "app": app, "tongue": tongue}
    answer = await web.post("/desk/relay/threads", data=fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removesuffix("#paste")


async def pasted(
    desk: Desk, web: httpx.AsyncClient, thread: str, text: str, *, kind: str = "text", key: str = ""
) -> httpx.Response:
    """Paste as the script does, and let the turn be taken."""
    page = (await web.get(thread)).text
    fields = {"csrf": field(page, "csrf"), "key": key or field(page, "key"), "text": text, "kind": kind}
    answer = await web.post(f"{thread}/messages", data=fields, headers={"Accept": "application/json"})
    await desk.turns()
    return answer


async def marked(web: httpx.AsyncClient, thread: str, answer: int, how: str = "sent") -> httpx.Response:
    csrf = field((await web.get(thread)).text, "csrf")
    return await web.post(
        f"{thread}/outbox/{answer}/{how}", data={"csrf": csrf}, headers={"Accept": "application/json"}
    )


def answers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-answer="(\d+)"', page)]


async def rows(desk: Desk, name: str = "Ali Khan", app: str = "imo") -> list[Message]:
    async with desk.program.database.read() as connection:
        found = await conversations.find(connection, Address("relay", app, name))
        return [] if found is None else await conversations.transcript(connection, found)


async def statuses(desk: Desk) -> list[str]:
    async with desk.program.database.read() as connection:
        found = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
        return list(found.scalars())


async def acts(desk: Desk) -> list[tuple[Act, str]]:
    async with desk.program.database.read() as connection:
        (thread,) = await handovers.threads(connection, "relay")
        return [(each.act, each.name) for each in await relay_acts.of_conversation(connection, thread.conversation_id)]
