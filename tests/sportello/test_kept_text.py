"""What a mediator typed is not lost when the conversation changed meanwhile: there is a way on, also without script."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import delete

from handoff import ticket
from handoff.ticket import Done
from store import conversations
from store.conversations import Author
from store.staff import Role, StaffMember
from store.tickets import Ticket
from tests.sportello.desk import Desk
from tests.sportello.test_desk import ask_for_person, field, sign_in

TYPED = "Buongiorno, porti il passaporto"


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as client:
        yield client


async def held(desk: Desk, browser: httpx.AsyncClient) -> tuple[Ticket, StaffMember, dict[str, str]]:
    """Let Anna hold a conversation and be signed in; gives what her forms carry."""
    (opened,) = await ask_for_person(desk, "1")
    anna = await desk.staff("anna", Role.MEDIATOR)
    await desk.claim(anna)
    await sign_in(browser, "anna")
    return opened, anna, {"csrf": field((await browser.get("/desk")).text, "csrf"), "text": TYPED}


async def given_back(desk: Desk, opened: Ticket, member: StaffMember) -> None:
    async with desk.program.database.begin() as connection:
        ended = await ticket.give_back(connection, opened.id, member, key=desk.new_id(), now=desk.clock())
        assert ended == Done()
    await desk.turns()


def text_of(form: str, page: str) -> str:
    """Give what a form's box holds."""
    found = re.search(rf'action="{form}".*?<textarea[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None, form
    return found[1]


async def test_the_way_back_leads_to_the_conversation_and_the_text_can_be_kept(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    opened, anna, form = await held(desk, browser)
    page = f"/desk/tickets/{opened.id}"
    await given_back(desk, opened, anna)
    refused = await browser.post(f"{page}/reply", data=form)
    assert refused.status_code == 409
    assert f'formaction="{page}"' in refused.text
    again = await browser.post(page, data=form)
    assert again.status_code == 200
    for shown in (refused.text, again.text):
        assert text_of(f"{page}/note", shown) == TYPED, "not in the reply: it would be refused again"
    assert f'action="{page}/reply"' not in again.text
    assert (await browser.post(f"{page}/note", data=form | {"key": "k"})).status_code == 303
    await desk.turns()
    notes = [row.body["text"] for row in await desk.transcript("1") if row.author is Author.NOTE]
    assert notes == [TYPED]


async def test_who_takes_a_conversation_goes_on_with_what_they_typed(desk: Desk, browser: httpx.AsyncClient) -> None:
    (opened,) = await ask_for_person(desk, "1")
    await desk.staff("anna", Role.MEDIATOR)
    await sign_in(browser, "anna")
    page = f"/desk/tickets/{opened.id}"
    form = {"csrf": field((await browser.get("/desk")).text, "csrf"), "text": TYPED}
    refused = await browser.post(f"{page}/reply", data=form)
    assert text_of(f"{page}/claim", refused.text) == TYPED
    claimed = await browser.post(f"{page}/claim", data=form)
    assert (claimed.status_code, text_of(f"{page}/reply", claimed.text)) == (200, TYPED)


async def test_a_script_is_told_that_the_conversation_is_another_persons(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    opened, anna, form = await held(desk, browser)
    json = {"Accept": "application/json"}
    empty = await browser.post(f"/desk/tickets/{opened.id}/reply", data=form | {"text": ""}, headers=json)
    assert empty.json()["changed"] is False
    await given_back(desk, opened, anna)
    refused = await browser.post(f"/desk/tickets/{opened.id}/reply", data=form, headers=json)
    assert (refused.status_code, refused.json()["changed"]) == (409, True)


async def test_a_note_that_is_refused_stays_a_note(desk: Desk, browser: httpx.AsyncClient) -> None:
    opened, _, form = await held(desk, browser)
    page = f"/desk/tickets/{opened.id}"
    refused = await browser.post(f"{page}/note", data=form | {"text": "x" * 4001})
    assert refused.status_code == 409
    assert text_of(f"{page}/reply", refused.text) == "", "what is for the staff must not come near the resident"
    assert text_of(f"{page}/note", refused.text) == "x" * 4001


async def test_a_conversation_that_was_deleted_leads_to_the_queue(desk: Desk, browser: httpx.AsyncClient) -> None:
    opened, _, form = await held(desk, browser)
    async with desk.program.database.begin() as connection:
        mine = conversations.conversations.c.id == opened.conversation_id
        await connection.execute(delete(conversations.conversations).where(mine))
    for address in ("", "/reply", "/note"):
        answer = await browser.post(f"/desk/tickets/{opened.id}{address}", data=form)
        assert (answer.status_code, "è chiusa" in answer.text) == (409, True)
    assert (await browser.get(f"/desk/tickets/{opened.id}")).status_code == 404
