"""The resident's page over HTTP: with and without a script, limits, and the stream that misses nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sportello.app import create_app
from store import conversations
from store.conversations import Author
from store.notify import Topic
from tests.fakes.servers import serving
from tests.sportello.desk import ENTRIES, Desk

JSON = {"Accept": "application/json"}


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as client:
        yield client


async def written(desk: Desk) -> list[str]:
    """Give what residents wrote, over all conversations."""
    async with desk.program.database.read() as connection:
        from sqlalchemy import select  # noqa: PLC0415 - used for this alone

        rows = await connection.execute(select(conversations.messages).order_by(conversations.messages.c.seq))
        return [row.body.get("text") or row.body.get("pick", "") for row in rows if row.author == Author.RESIDENT]


@pytest.mark.parametrize(
    ("accepts", "lang", "direction", "says"),
    [
        ("ur-PK,ur;q=0.9,en;q=0.5", "ur", "rtl", "خودکار"),
        ("zh-CN", "zh-Hans", "ltr", "自动服务"),
        ("bn;q=0.3, de", "bn", "ltr", "স্বয়ংক্রিয়"),
        ("en;q=0, xx;q=oops", "it", "ltr", "servizio automatico"),
        ("", "it", "ltr", "servizio automatico"),
    ],
)
async def test_the_page_speaks_the_browsers_language_and_says_what_it_is(
    browser: httpx.AsyncClient, accepts: str, lang: str, direction: str, says: str
) -> None:
    answer = await browser.get("/", headers={"Accept-Language": accepts})
    assert f'<html lang="{lang}" dir="{direction}">' in answer.text
    assert says in answer.text
    assert "Comune di Prato" in answer.text
    assert 'href="/privacy"' in answer.text
    assert "set-cookie" not in answer.headers
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=", answer.text)
    assert answer.text.count("entry:") == len(ENTRIES)


async def test_a_question_without_a_script_shows_the_answer_on_the_next_page(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    async def bot() -> None:
        async with asyncio.timeout(10):
            while not await desk.turns():  # noqa: ASYNC110 - gives way to the browser
                await asyncio.sleep(0)
        desk.program.hub.heard(Topic.CONVERSATION)

    key = (await browser.get("/")).text
    form = {"text": "guardia medica", "key": re.findall(r'name="key" value="([^"]+)"', key)[-2]}
    answer, _ = await asyncio.gather(browser.post("/messages", data=form), bot())
    assert (answer.status_code, answer.headers["location"]) == (303, "/#latest")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = (await browser.get("/")).text
    assert "116117" in page
    assert 'id="m-2"' in page
    assert "informazioni raccolte il" in page, "the fact is still to verify: nobody has checked it"
    assert "2026" in page
    again = await browser.post("/messages", data=form, headers=JSON)
    assert again.status_code == 202
    assert await desk.turns() == 0
    assert await written(desk) == ["guardia medica"]


@pytest.mark.parametrize(
    ("text", "status", "told"), [("", 422, "vuoto"), (" \n ", 422, "vuoto"), ("x" * 2001, 413, "2000")]
)
async def test_bad_messages_get_a_clear_word_and_store_nothing(
    desk: Desk, browser: httpx.AsyncClient, text: str, status: int, told: str
) -> None:
    with_script = await browser.post("/messages", data={"text": text, "key": "1"}, headers=JSON)
    assert with_script.status_code == status
    assert told in with_script.json()["problem"]
    without = await browser.post("/messages", data={"text": text, "key": "1"})
    assert without.status_code == status
    assert told in without.text
    assert text.strip() in without.text, "what was typed is not lost"
    assert sum((await desk.inbox_counts()).values()) == 0


async def test_floods_are_stopped_by_session_and_by_address(desk: Desk, browser: httpx.AsyncClient) -> None:
    sent = [
        (await browser.post("/messages", data={"text": f"n {n}", "key": str(n)}, headers=JSON)).status_code
        for n in range(22)
    ]
    assert sent == [202] * 20 + [429] * 2
    desk.clock.advance(seconds=61)
    assert (await browser.post("/messages", data={"text": "ora", "key": "x"}, headers=JSON)).status_code == 202
    async with desk.browser() as others:
        answers = []
        for number in range(62):
            others.cookies.clear()
            answers.append(
                (await others.post("/messages", data={"text": "a", "key": str(number)}, headers=JSON)).status_code
            )
    assert answers.count(429) == 3


async def test_a_forged_session_is_nobodys(desk: Desk, browser: httpx.AsyncClient) -> None:
    await browser.post("/messages", data={"text": "guardia medica", "key": "1"}, headers=JSON)
    await desk.turns()
    async with desk.browser() as other:
        other.cookies.set("sportello_session", browser.cookies["sportello_session"][:-2] + "xx")
        assert "guardia medica" not in (await other.get("/")).text
        assert (await other.get("/events")).status_code == 204


async def test_choosing_a_language_is_kept_by_page_and_conversation(desk: Desk, browser: httpx.AsyncClient) -> None:
    await browser.post("/messages", data={"text": "ciao", "key": "1"}, headers=JSON)
    await desk.turns()
    await browser.post("/language", data={"language": "bn"}, headers=JSON)
    await desk.turns()
    page = (await browser.get("/")).text
    assert '<html lang="bn"' in page
    assert "এখন থেকে বাংলায় উত্তর দেব" in page
    assert (await browser.post("/language", data={"language": "klingon"})).status_code == 303


async def test_only_what_followed_the_last_word_can_be_chosen(desk: Desk, browser: httpx.AsyncClient) -> None:
    """Also when the page is read again: a button to delete everything must not outlast the "no"."""
    for number, text in enumerate(("cancella i miei dati", "no")):
        await browser.post("/messages", data={"text": text, "key": str(number)}, headers=JSON)
        await desk.turns()
    page = (await browser.get("/")).text
    offered = re.findall(r'name="choice" value="(\d+)\.', page)
    assert offered
    assert set(offered) == {"4"}


async def test_a_line_break_counts_once_as_in_the_field_of_the_page(desk: Desk, browser: httpx.AsyncClient) -> None:
    # As browsers send it without script.
    full = "\r\n".join(["riga di prova "] * 132)
    assert len(full.replace("\r\n", "\n")) <= 2000 < len(full)
    assert (await browser.post("/messages", data={"text": full, "key": "1"}, headers=JSON)).status_code == 202
    await desk.turns()
    assert "\r" not in (await written(desk))[0]
    longer = "x" * 2001
    assert (await browser.post("/messages", data={"text": longer, "key": "2"}, headers=JSON)).status_code == 413


async def test_controls_of_the_page_are_the_only_picks(desk: Desk, browser: httpx.AsyncClient) -> None:
    for pick in ("delete-confirmed", "helpful:unpaid-wages", "nonsense"):
        assert (await browser.post("/pick", data={"pick": pick, "key": "1"}, headers=JSON)).status_code == 422
    assert (await browser.post("/pick", data={"pick": "entry:tax-code", "key": "2"}, headers=JSON)).status_code == 202
    await desk.turns()
    assert await written(desk) == ["Come ottengo il codice fiscale?"]


async def _events(client: httpx.AsyncClient, wanted: int, headers: dict[str, str], since: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async with client.stream("GET", f"/events?since={since}", headers=headers) as stream:
        event: dict[str, str] = {}
        async for line in stream.aiter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                event[name] = event.get(name, "") + value
            elif event.get("event"):
                found.append(event)
                event = {}
            else:
                event = {}
            if len(found) >= wanted:
                return found
    return found


async def test_the_stream_gives_what_was_missed_once_and_in_order(desk: Desk, browser: httpx.AsyncClient) -> None:
    for number, text in enumerate(("guardia medica", "menu", "grazie")):
        await browser.post("/messages", data={"text": text, "key": str(number)}, headers=JSON)
    await desk.turns()
    cookie = {"Cookie": f"sportello_session={browser.cookies['sportello_session']}"}
    async with serving(create_app(desk.program)) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
        missed = await _events(client, 4, cookie, since=2)
        assert [event["id"] for event in missed] == ["3", "4", "5", "6"]
        resumed = await _events(client, 2, cookie | {"Last-Event-ID": "4"}, since=0)
        assert [event["id"] for event in resumed] == ["5", "6"]
        assert 'id="m-5"' in resumed[0]["data"]
        await browser.post("/messages", data={"text": "cancella i miei dati", "key": "8"}, headers=JSON)
        await browser.post("/messages", data={"text": "sì", "key": "9"}, headers=JSON)
        await desk.turns()
        after = await _events(client, 2, cookie, since=6)
        assert [event["event"] for event in after] == ["reset", "message"]


async def test_what_is_not_there_is_told_in_the_readers_language(browser: httpx.AsyncClient) -> None:
    missing = await browser.get("/no/such/page", headers={"Accept-Language": "ur"})
    assert missing.status_code == 404
    assert 'dir="rtl"' in missing.text
    assert (await browser.get("/privacy")).status_code == 200
    static = re.search(r'/static/[^"]+tokens\.css', (await browser.get("/")).text)
    assert static is not None
    kept = await browser.get(static[0])
    assert "immutable" in kept.headers["cache-control"]
    old = await browser.get(re.sub(r"/static/\w+/", "/static/older/", static[0]))
    assert old.status_code == 200
    assert "immutable" not in old.headers.get("cache-control", "")


async def test_no_stack_trace_reaches_anybody(desk: Desk, browser: httpx.AsyncClient) -> None:
    def broken(_code: str) -> Any:
        raise RuntimeError("secret detail")

    object.__setattr__(desk.program.library, "topics", broken)
    desk.apps.clear()
    async with desk.browser() as fresh:
        failed = await fresh.get("/")
    assert failed.status_code == 500
    assert "secret detail" not in failed.text
    assert "112" in failed.text
    assert browser is not fresh
