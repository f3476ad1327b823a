"""The desk's pages while they are open: for whom, what they go on showing, and what counts as being there."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from handoff import presence
from sportello.app import create_app
from store import staff
from store.notify import Topic
from store.staff import StaffMember
from tests.fakes.servers import serving
from tests.sportello.desk import PASSWORD, Desk
from tests.sportello.test_desk import field
from web import live


@pytest.fixture
async def console(desk: Desk, anna: StaffMember, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Sign in at a server, whose streams look after their readers at every moment."""
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.02)
    async with serving(create_app(desk.program)) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        client.headers["Sec-Fetch-Site"] = "same-origin"
        await client.post("/desk/sign-in", data={"login": anna.login, "password": PASSWORD, "next": "/desk"})
        yield client


async def on_duty(desk: Desk) -> int:
    async with desk.program.database.read() as connection:
        return await presence.on_duty(connection, now=desk.clock())


async def read_until(lines: AsyncIterator[str], wanted: str) -> str:
    found: list[str] = []
    async for line in lines:
        found.append(line)
        if wanted in line:
            break
    return "\n".join(found)


@pytest.mark.parametrize("what", ["queue", "tickets/{ticket}"])
async def test_who_may_not_see_the_desk_any_more_sees_nothing_more_of_it(
    desk: Desk, anna: StaffMember, held: UUID, console: httpx.AsyncClient, what: str
) -> None:
    address = f"/desk/{what.format(ticket=held)}/events"
    async with asyncio.timeout(10), console.stream("GET", address) as stream:
        lines = stream.aiter_lines()
        await read_until(lines, "event: here")
        async with desk.program.database.begin() as connection:
            await staff.set_password(connection, anna.id, "another")
        # The stream ends by itself.
        await read_until(lines, "never")


async def test_an_open_stream_alone_is_nobody_at_the_desk(
    desk: Desk, anna: StaffMember, console: httpx.AsyncClient
) -> None:
    page = (await console.get("/desk")).text
    async with asyncio.timeout(10), console.stream("GET", "/desk/queue/events") as stream:
        lines = stream.aiter_lines()
        await read_until(lines, "event: here")
        assert await on_duty(desk) == 1, f"{anna.name} has just opened it"
        desk.clock.advance(minutes=2)
        # A laptop that was closed takes nothing in, and its connection seems open for a quarter of an hour.
        for _ in range(3):
            await read_until(lines, "event: here")
        assert await on_duty(desk) == 0
        said = await console.post("/desk/here", data={"csrf": field(page, "csrf")})
        assert said.status_code == 204
        assert await on_duty(desk) == 1
        assert (await console.post("/desk/here", data={"csrf": "0"})).status_code == 403


async def test_what_a_resident_erased_leaves_the_page_of_who_has_it_open(
    desk: Desk, held: UUID, console: httpx.AsyncClient
) -> None:
    page = (await console.get(f"/desk/tickets/{held}")).text
    assert "gli asini volano" in page
    since = page.count("data-seq=")
    async with asyncio.timeout(10), console.stream("GET", f"/desk/tickets/{held}/events?since={since}") as stream:
        lines = stream.aiter_lines()
        assert "event: reset" not in await read_until(lines, "event: here")
        for text in ("cancella i miei dati", "sì"):
            await desk.write(text)
        await desk.turns()
        desk.program.hub.heard(Topic.CONVERSATION)
        told = await read_until(lines, "ho cancellato")
        assert "event: reset" in told
