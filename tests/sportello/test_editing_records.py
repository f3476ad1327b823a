"""Editing records: a corrected contact is in use, a wrong one is told, and nothing is overwritten."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from store.staff import Role
from tests.sportello.desk import Desk
from tests.sportello.editor_browser import editor_browser
from tests.sportello.test_desk import sign_in

RECORDS = "/desk/knowledge/records"
NAMES = ("csrf", "base", "name", "address", "phones", "email", "hours", "languages", "checked_on", "source")
CONTACT = f"{RECORDS}/contacts/doctor-116117"


@pytest.fixture
async def editor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with editor_browser(desk) as client:
        yield client


async def record_form(editor: httpx.AsyncClient, contact: str = "doctor-116117", **changes: str) -> dict[str, str]:
    shown = (await editor.get(RECORDS)).text
    section = shown[shown.index(f'action="{RECORDS}/contacts/{contact}"') :]
    given = {name: re.search(rf'name="{name}"[^>]* value="([^"]*)"', section)[1] for name in NAMES}  # type: ignore[index]
    return given | {"status": "to verify"} | changes


async def test_a_corrected_contact_is_in_every_answer_after_one_refresh(desk: Desk, editor: httpx.AsyncClient) -> None:
    saved = await editor.post(CONTACT, data=await record_form(editor, phones="116117, 0574 999"))
    assert (saved.status_code, saved.headers["location"]) == (
        303,
        f"{RECORDS}?saved=doctor-116117#contacts-doctor-116117",
    )
    shown = (await editor.get(RECORDS)).text
    assert "Edda" in shown, "it is told who changed it last"
    assert await desk.program.library.refresh()
    await desk.write("guardia medica")
    await desk.turns()
    assert "\u2066116117\u2069, \u20660574 999\u2069" in (await desk.transcript())[-1].body["blocks"][1]["text"]


async def test_a_corrected_contact_is_on_the_next_emergency_card(desk: Desk, editor: httpx.AsyncClient) -> None:
    form = await record_form(editor, "satis", phones="0574 777")
    assert (await editor.post(f"{RECORDS}/contacts/satis", data=form)).status_code == 303
    await desk.program.library.refresh()
    await desk.write("il padrone mi ha preso il passaporto e non me lo ridà")
    await desk.turns()
    card = (await desk.transcript())[-1].body["blocks"][0]
    assert [number["phone"] for number in card["numbers"]] == ["112", "800 290 290", "0574 777"]


@pytest.mark.parametrize(
    ("contact", "phones", "told"),
    [
        ("violence-1522", "", "una scheda di emergenza mostra questo numero"),
        ("emergency-112", "", "mostrano sempre il 112"),
        ("emergency-112", "113", "mostrano sempre il 112"),
    ],
)
async def test_a_number_that_a_card_needs_cannot_be_taken_away(
    desk: Desk, editor: httpx.AsyncClient, contact: str, phones: str, told: str
) -> None:
    answer = await editor.post(f"{RECORDS}/contacts/{contact}", data=await record_form(editor, contact, phones=phones))
    assert answer.status_code == 422
    assert told in answer.text
    assert not await desk.program.library.refresh()
    emptied = await record_form(editor, phones="")
    assert (await editor.post(CONTACT, data=emptied)).status_code == 303, "no card shows this one"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"phones": "call me"}, "solo cifre e spazi"),
        ({"hours": "lunedì"}, "mon-fri 09:00-13:00"),
        ({"name": ""}, "al massimo 200"),
        ({"name": "x" * 201}, "al massimo 200"),
        ({"email": "nobody"}, "e-mail"),
        ({"languages": "it xx"}, "lingua conosciuta"),
        ({"checked_on": "yesterday"}, "scrivi una data"),
        ({"status": "perfect"}, "scegli"),
    ],
)
async def test_a_wrong_record_is_told_and_changes_nothing(
    desk: Desk, editor: httpx.AsyncClient, change: dict[str, str], told: str
) -> None:
    answer = await editor.post(CONTACT, data=await record_form(editor, **change))
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{next(iter(change.values()))}"' in answer.text or "status" in change, "what was typed is kept"
    assert not await desk.program.library.refresh()


async def test_two_editors_of_a_record_are_told_and_strangers_kept_out(desk: Desk, editor: httpx.AsyncClient) -> None:
    mine = await record_form(editor, source="mine")
    assert (await editor.post(CONTACT, data=await record_form(editor, source="theirs"))).status_code == 303
    conflict = await editor.post(CONTACT, data=mine)
    assert conflict.status_code == 409
    assert 'value="mine"' in conflict.text
    assert "Nulla è stato sovrascritto" in conflict.text
    assert (await editor.post(CONTACT, data=mine | {"base": "2"})).status_code == 303
    for kind, values in (
        ("amounts/revenue-stamp", {"year": "2027", "value": "17,50", "unit": "EUR"}),
        ("windows/school-enrolment", {"opens": "2027-01-12", "closes": "2027-02-14"}),
    ):
        form = mine | values | {"base": "1", "source": "s"}
        assert (await editor.post(f"{RECORDS}/{kind}", data=form)).status_code == 303
        assert (await editor.post(f"{RECORDS}/{kind}", data=form | {"base": "2"})).status_code == 303, "nothing to do"
    for nowhere in (f"{RECORDS}/contacts/nobody", f"{RECORDS}/fish/tuna"):
        assert (await editor.post(nowhere, data=mine)).status_code in {404, 422}
    assert (await editor.post(CONTACT, data=mine | {"csrf": "x"})).status_code == 403
    await desk.staff("anna", Role.MEDIATOR)
    await sign_in(editor, "anna")
    assert (await editor.get(RECORDS)).status_code == 403
