"""A resident sees that a person writes, on the page and on Telegram and WhatsApp, and nothing of it is kept."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from sportello.app import create_app
from sportello.writing import showing
from store import conversations, tickets
from store.conversations import Address
from store.notify import Topic
from store.staff import Role, StaffMember
from tests.fakes.servers import serving
from tests.fakes.whatsapp_api import PHONE_ID
from tests.sportello.desk import Desk
from tests.sportello.test_desk import field, sign_in
from tests.sportello.whatsapp_phone import RESIDENT, phone_at

JSON = {"Accept": "application/json"}


@pytest.fixture
async def resident(desk: Desk, anna: StaffMember) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a resident who is answered by Anna."""
    async with desk.browser() as client:
        for number, text in enumerate(("gli asini volano", "persona")):
            await client.post("/messages", data={"text": text, "key": str(number)}, headers=JSON)
        await desk.turns()
        await desk.claim(anna)
        yield client


async def rows(desk: Desk) -> int:
    async with desk.program.database.read() as connection:
        found = (await connection.execute(select(conversations.messages))).all()
    return len(found) + sum((await desk.inbox_counts()).values())


async def test_the_page_is_told_and_nothing_is_stored(desk: Desk, resident: httpx.AsyncClient) -> None:
    await desk.staff("bruno", Role.MEDIATOR)
    async with desk.program.database.read() as connection:
        (held,) = await tickets.claimed(connection)
    address = f"/desk/tickets/{held.id}/typing"
    before = await rows(desk)
    async with desk.browser() as anna, desk.browser() as bruno:
        forms = {}
        for name, web in (("anna", anna), ("bruno", bruno)):
            await sign_in(web, name)
            forms[name] = {"csrf": field((await web.get("/desk")).text, "csrf")}
        assert (await anna.post(address)).status_code == 403, "without the form's token"
        assert (await bruno.post(address, data=forms["bruno"])).status_code == 409, "who does not hold it"
        cookie = {"Cookie": f"sportello_session={resident.cookies['sportello_session']}"}
        listening = asyncio.create_task(desk.program.listener.run())
        await desk.program.listener.connected.wait()
        async with (
            asyncio.timeout(10),
            serving(create_app(desk.program)) as url,
            httpx.AsyncClient(base_url=url) as client,
            client.stream("GET", "/events?since=1", headers=cookie) as stream,
        ):
            lines = stream.aiter_lines()
            # It listens from its first sign on; wake-ups for everybody tell nobody that a person writes.
            await anext(lines)
            assert (await anna.post(address, data=forms["anna"])).status_code == 204
            names = []
            async for line in lines:
                if line.startswith("event: "):
                    names.append(line.removeprefix("event: "))
                if line == "data: 10":
                    break
            assert names[-1] == "typing"
            assert names.count("typing") == 1
        listening.cancel()
    assert await rows(desk) == before


async def test_a_lost_listener_that_comes_back_tells_nobody_that_a_person_writes(desk: Desk) -> None:
    heard: list[Topic] = []
    desk.program.listener.tell(lambda topic, _payload: heard.append(topic))
    listening = asyncio.create_task(desk.program.listener.run())
    async with asyncio.timeout(10):
        await desk.program.listener.connected.wait()
        await asyncio.sleep(0)
    listening.cancel()
    assert set(heard) == set(Topic) - {Topic.TYPING}


async def test_a_platform_that_shows_it_is_asked_and_no_other(desk: Desk) -> None:
    class Platform:
        def __init__(self, channel: str) -> None:
            self.channel, self.account = channel, "1"
            self.shown: list[str] = []

    class Showing(Platform):
        async def show_typing(self, thread: str) -> None:
            self.shown.append(thread)
            raise RuntimeError

    telegram, other = Showing("telegram"), Platform("whatsapp")
    show = showing(desk.program.database, [telegram, other])  # type: ignore[list-item]  # they stand for adapters
    for channel, account in (("telegram", "1"), ("telegram", "2"), ("whatsapp", "1"), ("web", "web")):
        await show(Address(channel, account, "77"))
    assert telegram.shown == ["77"]


async def test_whatsapp_shows_it_under_what_the_resident_wrote_last_and_nothing_is_kept(desk: Desk) -> None:
    async with phone_at(desk) as phone:
        show = showing(desk.program.database, desk.program.adapters)
        address = Address("whatsapp", PHONE_ID, RESIDENT)
        await show(address)
        assert phone.api.read == [], "nobody wrote yet"
        await phone.with_mediator()
        await phone.write("ancora")
        before = await rows(desk)
        await show(address)
        assert phone.api.read == ["wamid.in2"]
        assert phone.api.shows_typing(RESIDENT)
        assert await rows(desk) == before
        await phone.reply("eccomi")
        assert not phone.api.shows_typing(RESIDENT)
        async with desk.program.database.begin() as connection:
            await conversations.erase_messages(connection, await phone.conversation())
        await show(address)
        assert phone.api.read == ["wamid.in2"], "what was erased is known no more"
