"""What a resident writes in the moment in which the mediator ends the conversation: it is nobody's to be lost."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from channels.adapter import InboundKind, MediaRef
from store import tickets
from store.conversations import Author
from store.staff import StaffMember
from tests.sportello.desk import Desk
from tests.sportello.test_desk import field, sign_in


@pytest.fixture
async def browser(desk: Desk, anna: StaffMember) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as client:
        await sign_in(client, anna.login)
        yield client


async def said_since(desk: Desk, seq: int) -> list[str]:
    rows = [row for row in await desk.transcript() if row.seq > seq and row.author is Author.BOT]
    return ["\n".join(block["text"] for block in row.body["blocks"]) for row in rows]


@pytest.mark.parametrize("how", ["close", "give-back"])
async def test_what_the_mediator_did_not_see_is_answered_by_the_bot(
    desk: Desk, browser: httpx.AsyncClient, held: UUID, how: str
) -> None:
    page = (await browser.get(f"/desk/tickets/{held}")).text
    form = {"csrf": field(page, "csrf"), "key": "1", "outcome": "solved", "seen": field(page, "seen")}
    await desk.write("e la guardia medica?")
    await desk.turns()
    before = (await desk.transcript())[-1].seq
    assert (await browser.post(f"/desk/tickets/{held}/{how}", data=form)).status_code == 303
    await desk.turns()
    ended, answered = await said_since(desk, before)
    assert "automatico" in ended
    assert "116117" in answered


@pytest.mark.parametrize("text", [None, "e la guardia medica?"])
async def test_photos_that_the_mediator_did_not_see_are_offered_to_a_person(
    desk: Desk, browser: httpx.AsyncClient, held: UUID, text: str | None
) -> None:
    page = (await browser.get(f"/desk/tickets/{held}")).text
    form = {"csrf": field(page, "csrf"), "key": "1", "outcome": "solved", "seen": field(page, "seen")}
    for name in ("letter-1", "letter-2"):
        await desk.write("", kind=InboundKind.MEDIA, media=MediaRef("photo", name))
    if text is not None:
        await desk.write(text)
    await desk.turns()
    before = (await desk.transcript())[-1].seq
    assert (await browser.post(f"/desk/tickets/{held}/close", data=form)).status_code == 303
    await desk.turns()
    ended, *answered, media = await said_since(desk, before)
    assert "automatico" in ended
    assert ["116117" in answer for answer in answered] == [True] * (text is not None)
    assert "so leggere solo il testo" in media, "and once, though there were two"
    await desk.write("sì")
    await desk.turns()
    async with desk.program.database.read() as connection:
        assert len(await tickets.waiting(connection)) == 1, "a person will look at them"


async def test_photos_that_the_mediator_saw_are_theirs(desk: Desk, browser: httpx.AsyncClient, held: UUID) -> None:
    await desk.write("", kind=InboundKind.MEDIA, media=MediaRef("photo", "letter"))
    await desk.turns()
    page = (await browser.get(f"/desk/tickets/{held}")).text
    form = {"csrf": field(page, "csrf"), "key": "1", "outcome": "solved", "seen": field(page, "seen")}
    before = (await desk.transcript())[-1].seq
    await browser.post(f"/desk/tickets/{held}/close", data=form)
    await desk.turns()
    (ended,) = await said_since(desk, before)
    assert "automatico" in ended


async def test_what_the_mediator_saw_is_not_answered_once_more(
    desk: Desk, browser: httpx.AsyncClient, held: UUID
) -> None:
    await desk.write("e la guardia medica?")
    await desk.turns()
    page = (await browser.get(f"/desk/tickets/{held}")).text
    before = (await desk.transcript())[-1].seq
    for seen in (field(page, "seen"), ""):
        form = {"csrf": field(page, "csrf"), "key": "1", "outcome": "solved", "seen": seen}
        await browser.post(f"/desk/tickets/{held}/close", data=form)
    await desk.turns()
    (ended,) = await said_since(desk, before)
    assert "automatico" in ended


@pytest.mark.parametrize("text", ["2", "menu", "grazie"])
async def test_a_number_or_a_steering_word_had_its_effect_already(
    desk: Desk, browser: httpx.AsyncClient, held: UUID, text: str
) -> None:
    page = (await browser.get(f"/desk/tickets/{held}")).text
    form = {"csrf": field(page, "csrf"), "key": "1", "outcome": "solved", "seen": field(page, "seen")}
    await desk.write(text)
    await desk.turns()
    before = (await desk.transcript())[-1].seq
    await browser.post(f"/desk/tickets/{held}/close", data=form)
    await desk.turns()
    (ended,) = await said_since(desk, before)
    assert "automatico" in ended
    async with desk.program.database.read() as connection:
        assert await tickets.waiting(connection) == [], "and is no choice from the list under the goodbye"
