"""The webhook over HTTP: what is stored, what is set aside, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from channels import polling
from tests.channels.test_telegram_updates import message
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi
from tests.sportello.desk import SECRET, Desk, settings_for

HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@pytest.fixture
async def web(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as client:
        yield client


async def post(web: httpx.AsyncClient, body: Any, headers: dict[str, str] = HEADERS) -> int:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (await web.post("/webhooks/telegram", content=content, headers=headers)).status_code


async def test_an_update_is_stored_once_however_often_it_comes(desk: Desk, web: httpx.AsyncClient) -> None:
    update = message(1, text="guardia medica")
    assert [await post(web, update) for _ in range(3)] == [200, 200, 200]
    assert (await desk.inbox_counts())["waiting"] == 1
    assert await desk.turns() == 1
    assert [row.seq for row in await desk.transcript()] == [1, 2]


async def test_forged_requests_are_refused_and_leave_nothing(desk: Desk, web: httpx.AsyncClient) -> None:
    update = message(1, text="ciao")
    assert await post(web, update, {}) == 401
    assert await post(web, update, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}) == 401
    assert await post(web, b"x" * 300_000) == 413
    assert await post(web, b"x" * 2_000_000) == 413
    assert sum((await desk.inbox_counts()).values()) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"no json at all \xff",
        b"[" * 20_000,
        {"update_id": 3, "message": {"text": "malformed"}},
        {"update_id": 4, "message": {"text": "a\x00b\ud800", "date": []}},
        ["list"],
        None,
    ],
)
async def test_what_cannot_be_parsed_is_set_aside_once_and_blocks_nobody(
    desk: Desk, web: httpx.AsyncClient, body: Any
) -> None:
    assert await post(web, body) == 200
    assert await post(web, body) == 200
    assert await post(web, message(9, text="guardia medica")) == 200
    counts = await desk.inbox_counts()
    assert (counts["set-aside"], counts["waiting"]) == (1, 1)
    assert await desk.turns() == 1
    figures = (await web.get("/metrics", headers={"Authorization": "Bearer metrics"})).text
    assert 'sportello_inbox_set_aside_total{channel="telegram"} 1.0' in figures


async def test_odd_characters_reach_the_transcript_without_harm(desk: Desk, web: httpx.AsyncClient) -> None:
    for number, odd in enumerate(["a\x00b", "\ud800x", "\ufdfa" * 8, "x" * 100_000, "\u200fسلام"]):
        assert await post(web, message(number + 1, text=odd)) == 200
    await desk.turns()
    assert (await desk.inbox_counts())["done"] == 5
    assert (await desk.transcript())[0].body == {"text": "ab", "message_ids": ["5"]}


async def test_without_a_secret_there_is_no_route(desk: Desk, tmp_path: Any) -> None:
    settings = settings_for(desk.program.database.url, tmp_path, telegram_secret="")
    object.__setattr__(desk.program, "settings", settings)
    async with desk.browser() as web:
        assert await post(web, message(1, text="ciao")) == 404


async def test_when_the_database_is_away_telegram_is_asked_to_come_again(desk: Desk, web: httpx.AsyncClient) -> None:
    async with desk.program.database.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO away"))
    assert await post(web, message(1, text="ciao")) == 503
    async with desk.program.database.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO inbox"))
    assert await post(web, message(1, text="ciao")) == 200
    assert (await desk.inbox_counts())["waiting"] == 1


async def test_polling_feeds_the_same_inbox_and_confirms_only_what_is_stored(desk: Desk) -> None:
    from channels.telegram import TelegramAdapter  # noqa: PLC0415 - the only test here that needs one

    api = FakeBotApi()
    api.updates.extend([message(11, text="uno"), {"update_id": 12, "message": "broken"}, message(13, text="due")])
    with LoopbackServer(api.app()) as server:
        adapter = TelegramAdapter(TOKEN, "", server.url)
        stop = asyncio.Event()
        fetching = asyncio.create_task(
            polling.poll(
                adapter,
                desk.program.database,
                clock=desk.clock,
                new_id=desk.new_id,
                counts=desk.program.inbox_counts,
                stop=stop,
                seconds=0,
            )
        )
        async with asyncio.timeout(10):
            while api.updates:  # noqa: ASYNC110 - gives way until the fake is emptied
                await asyncio.sleep(0)
        stop.set()
        await fetching
        await adapter.close()
    counts = await desk.inbox_counts()
    assert (counts["waiting"], counts["set-aside"]) == (2, 1)


async def test_probes_tell_the_truth(desk: Desk, web: httpx.AsyncClient) -> None:
    assert (await web.get("/healthz")).json() == {"status": "ok"}
    assert (await web.get("/readyz")).status_code == 200
    for address in ("/healthz", "/readyz", "/", "/privacy"):
        assert (await web.head(address)).status_code == 200, "monitors and link checkers ask so"
    assert (await web.get("/metrics")).status_code == 401
    async with desk.program.database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    assert (await web.get("/readyz")).status_code == 503
