"""How often the way of a message goes to the database: most of what it costs is there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from channels.telegram import TelegramAdapter
from store.database import Database
from tests.channels.test_telegram_updates import message
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi
from tests.sportello.desk import SECRET, Desk


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[FakeBotApi]:
    """Put a fake of the platform behind the program's only adapter."""
    api = FakeBotApi(clock=desk.clock.timestamp)
    with LoopbackServer(api.app()) as server:
        adapter = TelegramAdapter(TOKEN, SECRET, server.url)
        old = desk.program.deliveries[0]
        object.__setattr__(desk.program, "deliveries", (replace(old, adapter=adapter),))
        yield api
        await adapter.close()


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Give the statements that are sent meanwhile, and the ends of transactions that take a way of their own."""
    engine = database._engine.sync_engine
    seen: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(" ".join(statement.split())[:60])

    def committed(connection: Any) -> None:
        if connection.get_isolation_level() != "AUTOCOMMIT":
            seen.append("COMMIT")

    event.listen(engine, "before_cursor_execute", executed)
    event.listen(engine, "commit", committed)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", executed)
        event.remove(engine, "commit", committed)


async def post(browser: httpx.AsyncClient, number: int) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    update = message(number, text="guardia medica")
    assert (await browser.post("/webhooks/telegram", json=update, headers=headers)).status_code == 200


async def test_a_question_in_a_known_chat_costs_few_round_trips(desk: Desk, api: FakeBotApi) -> None:
    database, deliveries = desk.program.database, desk.program.deliveries[0]
    await deliveries.open()
    # Each connection notes a channel's health for itself: here there is one, as in a process that has just begun.
    await database._engine.dispose()
    async with desk.browser() as browser:
        # The first of a chat makes the chat, and notes the channel's health.
        await post(browser, 1)
        await desk.turns()
        await deliveries.send_due(lambda: True)
        desk.clock.advance(seconds=2)
        with counted(database) as seen:
            await post(browser, 2)
        assert len(seen) == 1, seen
    assert desk.program.turns is not None
    with counted(database) as seen:
        assert await desk.program.turns.take()
    assert len(seen) == 4, f"the next chat, its oldest row, all that the turn leaves, and the end: {seen}"
    with counted(database) as seen:
        assert await deliveries.send_due(lambda: True) is None
    assert len(seen) == 2, f"one before sending and one after it: {seen}"
    assert len(api.sent) == 2
