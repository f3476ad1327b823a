"""Editing: nothing overwritten, every version kept, and the new text in use."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from knowledge.editing import differences
from knowledge.understanding import Understander
from store import entries
from store.staff import Role
from tests.sportello.conftest import Desk
from tests.sportello.test_desk import sign_in

PAGE = "/desk/knowledge/night-doctor/ur"
DRAFT = {
    "question": "رات کو ڈاکٹر؟",
    "answer": "116117 پر کال کریں۔",
    "phrases": "raat ka doctor\nraat ka daktar\n\nraat ka doctor",
}


@pytest.fixture
async def editor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    await desk.staff("edda", Role.EDITOR)
    async with desk.browser() as client:
        await sign_in(client, "edda")
        yield client


async def fields(browser: httpx.AsyncClient, page: str = PAGE) -> dict[str, str]:
    shown = (await browser.get(page)).text
    return {name: re.search(rf'name="{name}" value="([^"]*)"', shown)[1] for name in ("csrf", "base")}  # type: ignore[index]


async def version(desk: Desk, language: str = "ur") -> entries.Revision:
    async with desk.program.database.read() as connection:
        found = await entries.published_of(connection, "night-doctor", language)
    assert found is not None
    return found


async def test_an_editor_changes_previews_and_publishes(desk: Desk, editor: httpx.AsyncClient) -> None:
    form = await fields(editor) | DRAFT
    preview = await editor.post(PAGE, data=form | {"action": "preview"})
    assert preview.status_code == 200
    assert 'class="bubble"' in preview.text
    assert (await version(desk)).revision == 1, "a preview stores nothing"
    published = await editor.post(PAGE, data=form | {"action": "publish"})
    assert published.headers["location"] == f"{PAGE}?saved=1"
    current = await version(desk)
    assert (current.revision, current.author_name, current.state) == (2, "Edda", "machine draft")
    assert current.phrases == ("raat ka doctor", "raat ka daktar")


async def test_the_new_text_is_in_use_after_one_refresh(desk: Desk, editor: httpx.AsyncClient) -> None:
    await editor.post(PAGE, data=await fields(editor) | DRAFT | {"action": "publish"})
    assert await desk.program.library.refresh()
    await desk.write("raat ka daktar", language_hint="ur")
    await desk.turns()
    answer = (await desk.transcript())[-1].body["blocks"][1]
    assert (answer["text"], answer["revision"]) == ("116117 پر کال کریں۔", 2)
    assert isinstance(desk.program.turns.arrivals.understander if desk.program.turns else None, Understander)


async def test_two_editors_at_once_are_told_and_nothing_is_overwritten(desk: Desk, editor: httpx.AsyncClient) -> None:
    await desk.staff("fabio", Role.EDITOR)
    mine = await fields(editor) | DRAFT
    async with desk.browser() as other:
        await sign_in(other, "fabio")
        theirs = await fields(other) | DRAFT | {"answer": "112 یا 116117۔", "action": "publish"}
        assert (await other.post(PAGE, data=theirs)).status_code == 303
    conflict = await editor.post(PAGE, data=mine | {"action": "publish"})
    assert conflict.status_code == 409
    assert "Fabio" in conflict.text
    assert DRAFT["answer"] in conflict.text
    assert "<del>" in conflict.text
    assert (await version(desk)).answer == "112 یا 116117۔"
    base = re.search(r'name="base" value="(\d+)"', conflict.text)
    assert base is not None
    again = await editor.post(PAGE, data=mine | {"base": base[1], "action": "publish"})
    assert again.status_code == 303
    assert (await version(desk)).revision == 3


async def test_every_version_can_be_restored(desk: Desk, editor: httpx.AsyncClient) -> None:
    old = await version(desk)
    await editor.post(PAGE, data=await fields(editor) | DRAFT | {"action": "publish"})
    shown = (await editor.get(f"{PAGE}/history")).text
    assert "Edda" in shown
    token = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert token is not None
    restored = await editor.post(f"{PAGE}/restore", data={"csrf": token[1], "base": "2", "revision": "1"})
    assert restored.status_code == 303
    current = await version(desk)
    assert (current.revision, current.restored_from, current.answer) == (3, 1, old.answer)
    stale = await editor.post(f"{PAGE}/restore", data={"csrf": token[1], "base": "2", "revision": "1"})
    assert stale.headers["location"].endswith("history?conflict=1")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"question": ""}, "Domanda: è vuota"),
        ({"answer": "x" * 1501}, "1501 caratteri"),
        ({"phrases": " \n"}, "almeno una frase"),
        ({"phrases": "non mi pagano"}, "unpaid-wages"),
        ({"phrases": "x" * 121}, "troppo lunga"),
    ],
)
async def test_bad_input_is_told_and_changes_nothing(
    desk: Desk, editor: httpx.AsyncClient, change: dict[str, str], told: str
) -> None:
    answer = await editor.post(PAGE, data=await fields(editor) | DRAFT | change | {"action": "publish"})
    assert answer.status_code == 422
    assert told in answer.text.replace("\u2068", "").replace("\u2069", "")
    assert (await version(desk)).revision == 1


async def test_search_finds_in_every_language_and_others_are_kept_out(desk: Desk, editor: httpx.AsyncClient) -> None:
    for query, found in (("guardia", True), ("周末医生", True), ("night-doctor", True), ("zzz", False)):
        page = (await editor.get("/desk/knowledge", params={"q": query})).text
        assert ("/desk/knowledge/night-doctor/it" in page) is found
    assert (await editor.get("/desk/knowledge/no-such/it")).status_code == 404
    assert (await editor.get("/desk/knowledge/night-doctor/xx")).status_code == 404
    assert (await editor.post(PAGE, data=DRAFT | {"base": "1", "action": "publish"})).status_code == 403
    await desk.staff("anna", Role.MEDIATOR)
    await sign_in(editor, "anna")
    assert (await editor.get("/desk/knowledge")).status_code == 403


def test_differences_are_told_word_by_word() -> None:
    assert differences("chiama il 112", "chiama subito il 112") == [
        ("same", "chiama"),
        ("added", " subito"),
        ("same", " il 112"),
    ]
