"""The relay desk as plain forms: pasted once, sent by hand once, all of it remembered, and closed to everybody else."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from sportello.settings import Settings
from store import conversations, handovers, health, outbox
from store.conversations import Address, Author
from store.notify import Topic
from store.relay_acts import Act
from store.staff import Role
from tests.sportello.desk import Desk, settings_for
from tests.sportello.relay_desk import acts, answers, marked, opened, operator, pasted, rows, statuses
from tests.sportello.test_desk import field, sign_in


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with operator(desk, tmp_path) as client:
        yield client


async def test_a_conversation_by_hand_with_every_step_remembered(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web, tongue="ur")
    assert (await pasted(desk, web, thread, "malik tankhwa nahi deta")).status_code == 202
    page = (await web.get(thread)).text
    (answer,) = answers(page)
    assert "In italiano" in page
    assert "Da inviare: 1" in page, "the list says that something waits"
    assert re.search(r"data-text>[^<]*1\. ", page), "choices are numbered in the text to copy"
    assert await statuses(desk) == ["queued"]
    assert (await marked(web, thread, answer)).status_code == 202
    assert (await marked(web, thread, answer)).status_code == 202, "twice the same is harmless"
    assert answers((await web.get(thread)).text) == []
    assert await statuses(desk) == ["sent"]
    assert await acts(desk) == [(Act.SENT, "Anna"), (Act.PASTED, "Anna")]
    assert "Anna" in (await web.get(thread)).text
    # A number answers the list, in any digits.
    await pasted(desk, web, thread, "۱")
    assert [row.author for row in await rows(desk)] == [Author.RESIDENT, Author.BOT, Author.RESIDENT, Author.BOT]


async def test_the_italian_beneath_is_that_of_the_case_that_was_chosen(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web, tongue="en")
    await pasted(desk, web, thread, "how do I register with the health service?")
    await pasted(desk, web, thread, "1")
    said = [row.body["blocks"] for row in await rows(desk) if row.author is Author.BOT]
    general, case = (block for blocks in said for block in blocks if block["kind"] == "answer")
    assert general["slug"] == case["slug"]
    presenter = desk.program.library.presenter
    texts = [presenter.in_italian(block) for block in (general, case)]
    assert texts[0] != texts[1]
    assert all(texts)
    assert presenter.in_italian(general | {"language": "it"}) is None
    assert presenter.in_italian(general | {"slug": "gone"}) is None
    assert presenter.in_italian(general | {"question": "an older heading"}) is None
    assert presenter.in_italian({"kind": "text", "text": "x", "language": "en"}) is None


async def test_a_double_click_pastes_once(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    for _ in range(3):
        await pasted(desk, web, thread, "guardia medica", key="the-same")
    assert [row.author for row in await rows(desk)] == [Author.RESIDENT, Author.BOT]
    assert [act for act, _ in await acts(desk)] == [Act.PASTED]
    await desk.staff("bruno", Role.MEDIATOR)
    await sign_in(web, "bruno")
    await pasted(desk, web, thread, "guardia medica", key="the-same")
    assert len(await rows(desk)) == 4, "another operator's key is another one"


async def test_without_a_script_the_page_comes_back_with_the_answer(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    page = (await web.get(thread)).text
    fields = {"csrf": field(page, "csrf"), "key": field(page, "key"), "text": "guardia medica", "kind": "text"}
    posting = asyncio.create_task(web.post(f"{thread}/messages", data=fields))
    while not posting.done():
        if await desk.turns():
            desk.program.hub.heard(Topic.CONVERSATION, "")
        await asyncio.sleep(0)
    answer = await posting
    assert (answer.status_code, answer.headers["location"]) == (303, f"{thread}#paste")
    page = (await web.get(thread)).text
    (waiting,) = answers(page)
    done = await web.post(f"{thread}/outbox/{waiting}/sent", data={"csrf": field(page, "csrf")})
    assert done.status_code == 303


async def test_a_photo_needs_no_words_and_a_text_does(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    refused = await pasted(desk, web, thread, "  ")
    assert (refused.status_code, refused.json()["problem"]) == (409, "Scrivi qualcosa prima di inviare.")
    refused = await pasted(desk, web, thread, "x" * 4001)
    assert refused.status_code == 409
    assert await rows(desk) == []
    await pasted(desk, web, thread, "", kind="photo")
    await pasted(desk, web, thread, "dice che è la busta paga\0", kind="voice")
    media = [row.body for row in await rows(desk) if row.author is Author.RESIDENT]
    assert [(body["media"]["kind"], body.get("text")) for body in media] == [
        ("photo", None),
        ("voice", "dice che è la busta paga"),
    ]
    assert "Foto" in (await web.get(thread)).text


async def test_what_was_not_stored_is_still_in_the_box(web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    page = (await web.get(thread)).text
    fields = {"csrf": field(page, "csrf"), "key": "k", "text": "y" * 4001, "kind": "text"}
    answer = await web.post(f"{thread}/messages", data=fields)
    assert answer.status_code == 409
    assert "y" * 4001 in answer.text
    assert "troppo lungo" in answer.text


async def test_who_cannot_send_says_so_and_a_colleague_who_differs_is_told(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    await pasted(desk, web, thread, "guardia medica")
    (answer,) = answers((await web.get(thread)).text)
    assert (await marked(web, thread, answer, "failed")).status_code == 202
    other = await marked(web, thread, answer, "sent")
    assert (other.status_code, other.json()["problem"]) == (409, "Qualcun altro l'ha già fatto.")
    assert await statuses(desk) == ["needs-person"]
    assert (await marked(web, thread, 999_999)).status_code == 409
    assert (await marked(web, thread, 10**30)).status_code == 422
    assert "Non consegnato" in (await web.get(thread)).text


async def test_nothing_pushes_for_the_relay_and_other_channels_rows_cannot_be_marked(
    desk: Desk, web: httpx.AsyncClient
) -> None:
    assert [each.adapter.channel for each in desk.program.deliveries] == ["telegram"]
    thread = await opened(web)
    await desk.write("guardia medica")
    await desk.turns()
    async with desk.program.database.read() as connection:
        telegrams = (await connection.execute(select(outbox.outbox.c.id))).scalar_one()
    assert (await marked(web, thread, telegrams)).status_code == 409
    assert await statuses(desk) == ["queued"]


async def test_the_same_name_is_the_same_person_within_an_app_only(web: httpx.AsyncClient) -> None:
    first = await opened(web, " Ali\u200f  Khan ")
    assert await opened(web, "Ali Khan") == first
    assert await opened(web, "Ali Khan", app="wechat") != first
    assert await opened(web, "ali khan") != first
    page = (await web.get("/desk/relay")).text
    for name, app in (("", "imo"), ("\u2068\u2069", "imo"), ("x" * 101, "imo"), ("Ali", "fax"), ("Ali", "")):
        answer = await web.post("/desk/relay/threads", data={"csrf": field(page, "csrf"), "name": name, "app": app})
        assert answer.status_code == 409, (name, app)


async def test_the_threads_where_something_waits_come_first(desk: Desk, web: httpx.AsyncClient) -> None:
    addresses = {}
    for name in ("uno", "due", "tre"):
        addresses[name] = await opened(web, name)
        await pasted(desk, web, addresses[name], "guardia medica")
        desk.clock.advance(minutes=1)

    async def names() -> list[str]:
        async with desk.program.database.read() as connection:
            return [each.name for each in await handovers.threads(connection, "relay")]

    assert await names() == ["uno", "due", "tre"]
    (answer,) = answers((await web.get(addresses["uno"])).text)
    await marked(web, addresses["uno"], answer)
    assert await names() == ["due", "tre", "uno"]


async def test_only_mediators_and_only_with_the_forms_token(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    for csrf in ("", "wrong"):
        answer = await web.post(f"{thread}/messages", data={"csrf": csrf, "text": "ciao"})
        assert answer.status_code == 403
    await desk.staff("edo", Role.EDITOR)
    await sign_in(web, "edo")
    for path in ("/desk/relay", thread, "/desk/relay/events", f"{thread}/events"):
        assert (await web.get(path)).status_code == 403
    assert 'href="/desk/relay"' not in (await web.get("/desk/knowledge")).text
    web.cookies.clear()
    assert (await web.get(thread)).status_code == 303
    assert await rows(desk) == []


async def test_the_relay_shows_no_other_channels_conversations(desk: Desk, web: httpx.AsyncClient) -> None:
    await desk.write("guardia medica")
    await desk.turns()
    async with desk.program.database.read() as connection:
        telegrams = await conversations.find(connection, Address("telegram", desk.program.adapters[0].account, "77"))
    assert (await web.get(f"/desk/relay/threads/{telegrams}")).status_code == 404
    assert (await web.get(f"/desk/relay/threads/{telegrams}/events")).status_code == 204
    csrf = field((await web.get("/desk/relay")).text, "csrf")
    posted = await web.post(f"/desk/relay/threads/{telegrams}/messages", data={"csrf": csrf, "text": "ciao"})
    assert posted.status_code == 404


async def test_health_tells_when_something_was_pasted(desk: Desk, web: httpx.AsyncClient) -> None:
    await pasted(desk, web, await opened(web), "guardia medica")
    async with desk.program.database.read() as connection:
        (found,) = [each for each in await health.everything(connection) if each.channel == "relay"]
    assert (found.account, found.last_in_at) == ("imo", desk.clock())


async def test_without_apps_there_is_no_relay_and_with_phones_there_is(desk: Desk, tmp_path: Path) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    async with desk.browser() as web:
        await sign_in(web, "anna")
        assert (await web.get("/desk/relay")).status_code == 404
        assert 'href="/desk/relay"' not in (await web.get("/desk")).text
    settings = settings_for(desk.program.database.url, tmp_path, phone_devices=SecretStr("via-roma:0123456789abcdef"))
    assert settings.relayed == ("imo", "wechat", "whatsapp", "other")
    object.__setattr__(desk.program, "settings", settings)
    async with desk.browser() as web:
        await sign_in(web, "anna")
        assert 'href="/desk/relay"' in (await web.get("/desk")).text
    with pytest.raises(ValidationError):
        Settings(_env_file=None, relay_apps="imo,fax")
