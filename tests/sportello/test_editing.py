"""Editing: nothing overwritten, every version kept, and the new text in use."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from knowledge.editing import differences
from knowledge.understanding import Understander
from store import entries
from store.staff import Role
from tests.sportello.desk import ENTRIES, Desk
from tests.sportello.editor_browser import editor_browser
from tests.sportello.test_desk import sign_in

PAGE = "/desk/knowledge/night-doctor/ur"
DRAFT = {
    "question": "رات کو ڈاکٹر؟",
    "answer": "116117 پر کال کریں۔",
    "phrases": "raat ka doctor\nraat ka daktar\n\nraat ka doctor",
}


@pytest.fixture
async def editor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with editor_browser(desk) as client:
        yield client


async def fields(browser: httpx.AsyncClient, page: str = PAGE) -> dict[str, str]:
    shown = (await browser.get(page)).text
    names = ("csrf", "base", "italian")
    return {name: re.search(rf'name="{name}" value="([^"]*)"', shown)[1] for name in names}  # type: ignore[index]


async def version(desk: Desk, language: str = "ur", slug: str = "night-doctor") -> entries.Revision:
    async with desk.program.database.read() as connection:
        found = await entries.published_of(connection, slug, language)
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
        ({"answer": "{phone:nobody}"}, "phone:nobody non è tra i contatti"),
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


ITALIAN = "/desk/knowledge/night-doctor/it"


async def form_of(desk: Desk, editor: httpx.AsyncClient, page: str, **changes: str) -> dict[str, str]:
    """Give the form of a page as it stands, with changes."""
    _, _, _, slug, code = page.split("/")
    current = await version(desk, code, slug)
    texts = {"question": current.question, "answer": current.answer, "phrases": "\n".join(current.phrases)}
    for facet, case in current.cases.items():
        texts |= {f"label.{facet}": case["label"], f"answer.{facet}": case["answer"]}
    return await fields(editor, page) | texts | {"action": "publish"} | changes


async def test_a_changed_italian_makes_the_others_old_until_they_follow(desk: Desk, editor: httpx.AsyncClient) -> None:
    old = "è cambiato: questa traduzione"

    async def published(page: str, **changes: str) -> None:
        answer = await editor.post(page, data=await form_of(desk, editor, page, **changes))
        assert answer.status_code == 303, answer.text

    await published(ITALIAN, answer="Chiama {phone:doctor-116117}. Piccola correzione.", minor="1")
    await published(ITALIAN, phrases="guardia medica\naltra frase")
    assert (await version(desk, "it")).source_version == 1, "neither a minor edit nor a phrase makes others old"
    assert old not in (await editor.get(PAGE)).text
    await published(ITALIAN, answer="Chiama {phone:doctor-116117}. È gratis.")
    assert (await version(desk, "it")).source_version == 2
    shown = (await editor.get(PAGE)).text
    assert old in shown
    assert "<ins>" in shown, "it shows what has changed in the Italian"
    assert 'href="/desk/knowledge/night-doctor/ur"' in (await editor.get("/desk/knowledge?todo=stale&language=ur")).text
    await published(PAGE, **DRAFT)
    assert (await version(desk)).source_version == 1, "a correction alone does not make it follow"
    await published(PAGE, **DRAFT, follows="1")
    assert (await version(desk)).source_version == 2
    assert old not in (await editor.get(PAGE)).text
    assert "night-doctor" not in (await editor.get("/desk/knowledge?todo=stale&language=ur")).text
    assert "night-doctor" in (await editor.get("/desk/knowledge?todo=stale&language=zh")).text


async def test_who_read_a_text_stays_with_it_until_residents_read_another_one(
    desk: Desk, editor: httpx.AsyncClient
) -> None:
    async def published(browser: httpx.AsyncClient, **changes: str) -> tuple[str, str | None]:
        answer = await browser.post(PAGE, data=await form_of(desk, browser, PAGE, **changes))
        assert answer.status_code == 303, answer.text
        current = await version(desk)
        return current.state, current.reviewed_by

    first = (await version(desk)).reviewed_by
    assert first is None
    assert await published(editor, reviewed="1") == ("reviewed", "Edda")
    assert (await version(desk)).reviewed_on == desk.clock().date()
    assert "riletto da Edda il 23 novembre 2026" in shown(await editor.get(PAGE))
    await desk.staff("fabio", Role.EDITOR)
    async with desk.browser() as other:
        await sign_in(other, "fabio")
        assert await published(other, reviewed="1", phrases="ایک جملہ") == ("reviewed", "Edda")
        assert await published(other, answer="{phone:doctor-116117}") == ("machine draft", None)
        assert await published(other, reviewed="1") == ("reviewed", "Fabio")
        token = re.search(r'name="csrf" value="([^"]+)"', (await other.get(f"{PAGE}/history")).text)
        assert token is not None
        back = {"csrf": token[1], "base": str((await version(desk)).revision), "revision": "2"}
        assert (await other.post(f"{PAGE}/restore", data=back)).headers["location"].endswith("saved=1")
    assert (await version(desk)).reviewed_by == "Edda", "an old version comes back with who read it"
    history = shown(await editor.get(f"{PAGE}/history"))
    assert "riletto da Fabio il 23 novembre 2026" in history


def shown(page: httpx.Response) -> str:
    return re.sub(r"[\u2066-\u2069]", "", page.text)


async def test_what_was_made_from_an_older_italian_than_was_shown_stays_old(
    desk: Desk, editor: httpx.AsyncClient
) -> None:
    mine = await form_of(desk, editor, PAGE, **DRAFT, follows="1")
    await editor.post(ITALIAN, data=await form_of(desk, editor, ITALIAN, answer="Un altro senso."))
    assert (await editor.post(PAGE, data=mine)).status_code == 303
    assert (await version(desk)).source_version == 1


async def test_cases_are_edited_and_previewed_with_records_filled_in(desk: Desk, editor: httpx.AsyncClient) -> None:
    page = "/desk/knowledge/health-registration/ur"
    change = {"label.eu": "یورپی شہری", "answer.eu": "{contact:usl} جائیں۔"}
    form = await form_of(desk, editor, page, **change)
    preview = await editor.post(page, data=form | {"action": "preview"})
    assert preview.status_code == 200
    assert preview.text.count('class="bubble"') == 5
    assert "USL Toscana Centro" in preview.text
    empty = await editor.post(page, data=form | {"answer.eu": " "})
    assert empty.status_code == 422
    assert "Caso eu, risposta" in empty.text.replace("\u2068", "").replace("\u2069", "")
    assert (await editor.post(page, data=form)).status_code == 303
    current = await version(desk, "ur", "health-registration")
    assert current.cases["eu"] == {"label": "یورپی شہری", "answer": "{contact:usl} جائیں۔"}
    assert current.cases["asylum"]["answer"]
    history = (await editor.get(f"{page}/history")).text
    assert "Caso" in history


async def test_the_list_is_narrowed_by_group_language_and_what_is_to_be_done(
    desk: Desk, editor: httpx.AsyncClient
) -> None:
    await editor.post(PAGE, data=await form_of(desk, editor, PAGE, reviewed="1"))

    async def slugs(**query: str) -> set[str]:
        page = (await editor.get("/desk/knowledge", params=query)).text
        return set(re.findall(r'href="/desk/knowledge/([a-z-]+)/', page))

    assert await slugs() == set(ENTRIES)
    assert await slugs(group="work") == {"unpaid-wages"}
    assert await slugs(language="ur", todo="draft") == set(ENTRIES) - {"night-doctor"}
    assert await slugs(language="zh", todo="draft") == set(ENTRIES)
    assert await slugs(todo="missing") == set()
    assert await slugs(todo="nonsense", group="nonsense", language="xx") == set(ENTRIES)
    assert (await editor.get("/desk/knowledge/a%00b/it")).status_code == 404


async def test_an_editor_sees_where_residents_find_an_entry(editor: httpx.AsyncClient) -> None:
    for slug, told in (
        ("night-doctor", "Servizi e documenti, Salute</p>"),
        ("italian-course", "Corsi e formazione</p>"),
    ):
        assert told in (await editor.get(f"/desk/knowledge/{slug}/it")).text


def test_differences_are_told_word_by_word() -> None:
    assert differences("chiama il 112", "chiama subito il 112") == [
        ("same", "chiama"),
        ("added", " subito"),
        ("same", " il 112"),
    ]
