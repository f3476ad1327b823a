"""The list of entries: folded by part, a line an entry, with what is to be done at each."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sportello.desk import ENTRIES, PASSWORD, Desk
from tests.sportello.editor_browser import editor_browser

LIST = "/desk/knowledge"


@pytest.fixture
async def editor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with editor_browser(desk) as client:
        yield client


def slugs(page: str) -> set[str]:
    return set(re.findall(r'<li id="([a-z-]+)">', page))


async def test_all_is_folded_and_what_a_filter_leaves_is_open(editor: httpx.AsyncClient) -> None:
    page = (await editor.get(LIST)).text
    assert slugs(page) == set(ENTRIES)
    assert '<details class="part" open' not in page
    found = (await editor.get(LIST, params={"q": "raat ka doctor", "language": "ur"})).text
    assert slugs(found) == {"night-doctor"}
    assert '<details class="part" open' in found
    assert 'href="/desk/knowledge/night-doctor/ur"' in found, "the line leads to the language that was asked for"
    nothing = (await editor.get(LIST, params={"q": "zzzz"})).text
    assert slugs(nothing) == set()
    assert f'href="{LIST}"' in nothing, "and there is a way back to all"


async def test_each_thing_to_do_is_counted_and_can_be_asked_for(desk: Desk, editor: httpx.AsyncClient) -> None:
    page = (await editor.get(LIST)).text
    assert f"{LIST}?q=&amp;group=&amp;language=&amp;todo=draft" in page
    assert "todo=overdue" not in page, "what nothing is to be done of has no sign"
    desk.clock.advance(days=3 * 365)
    await editor.post("/desk/sign-in", data={"login": "edda", "password": PASSWORD})
    page = (await editor.get(LIST)).text
    assert f'<span aria-hidden="true">⏱</span> da rivedere <strong>{len(ENTRIES)}</strong>' in page
    assert slugs((await editor.get(f"{LIST}?todo=overdue")).text) == set(ENTRIES)
    assert slugs((await editor.get(f"{LIST}?todo=missing")).text) == set()


async def test_an_entrys_page_tells_what_is_to_be_done_in_each_language(editor: httpx.AsyncClient) -> None:
    page = (await editor.get(f"{LIST}/tax-code/it")).text
    assert re.search(r'class="badge tongue draft" href="/desk/knowledge/tax-code/ur"', page)
    assert f'href="{LIST}#tax-code"' in page
