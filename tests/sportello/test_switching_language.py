"""Changing the language leads to the same page in the other one, also where a form was refused on it."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from store.staff import Role
from tests.sportello.desk import Desk
from tests.sportello.relay_desk import opened, operator
from tests.sportello.test_desk import ask_for_person, field, sign_in


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    await desk.staff("anna", Role.ADMINISTRATOR)
    async with desk.browser() as client:
        await sign_in(client, "anna")
        yield client


async def switched(browser: httpx.AsyncClient, page: httpx.Response) -> str:
    """Change the language on a page as its form does; gives the address that it leads to."""
    form = {"csrf": field(page.text, "csrf"), "next": unescape(field(page.text, "next")), "language": "fr"}
    answer = await browser.post("/desk/language", data=form)
    assert answer.status_code == 303
    address = answer.headers["location"]
    shown = await browser.get(address)
    assert (shown.status_code, '<html lang="fr"' in shown.text) == (200, True), address
    return str(address)


async def test_a_page_that_a_refused_form_led_to_can_be_read_in_another_language(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    (waiting,) = await ask_for_person(desk, "1")
    form = {"csrf": field((await browser.get("/desk")).text, "csrf")}
    ticket = f"/desk/tickets/{waiting.id}"
    refused = {
        f"{ticket}/reply": f"{ticket}#latest",
        f"{ticket}/note": f"{ticket}#latest",
        f"{ticket}/close": f"{ticket}#latest",
        "/desk/tickets/00000000-0000-0000-0000-000000000000/claim": "/desk",
        "/desk/knowledge/tax-code/it": "/desk/knowledge/tax-code/it",
        "/desk/knowledge/records/contacts/doctor-116117": "/desk/knowledge/records#contacts-doctor-116117",
    }
    for address, leads_to in refused.items():
        page = await browser.post(address, data=form | {"base": "1"})
        assert page.status_code in {409, 422}, address
        assert await switched(browser, page) == leads_to
        await browser.post("/desk/language", data=form | {"language": "it"})


async def test_a_page_of_the_relay_desk_too(desk: Desk, tmp_path: Path) -> None:
    async with operator(desk, tmp_path) as web:
        thread = await opened(web)
        form = {"csrf": field((await web.get(thread)).text, "csrf")}
        assert await switched(web, await web.post(f"{thread}/messages", data=form)) == f"{thread}#paste"
        assert await switched(web, await web.post("/desk/relay/threads", data=form)) == "/desk/relay"


async def test_what_a_list_was_narrowed_to_stays(browser: httpx.AsyncClient) -> None:
    address = "/desk/knowledge?q=a%2F%2Fb&language=ur"
    assert await switched(browser, await browser.get(address)) == address


async def test_a_resident_changes_the_language_however_much_they_wrote(browser: httpx.AsyncClient) -> None:
    for number in range(21):
        told = await browser.post(
            "/messages", data={"text": "ciao", "key": str(number)}, headers={"Accept": "application/json"}
        )
    assert told.status_code == 429
    answer = await browser.post("/language", data={"language": "bn"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert '<html lang="bn"' in (await browser.get("/")).text
