"""What happens to a message while it is being sent: the chat is erased, or whoever sends it is taken for dead."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from channels.adapter import WireMessage
from channels.results import RetryAfter, SendResult, Sent, WindowClosed
from channels.telegram import TelegramAdapter
from sportello.deliveries import LEASE, doubt
from store import outbox
from tests.fakes.telegram_api import TOKEN
from tests.sportello.desk import Desk

AGAIN = RetryAfter(timedelta(seconds=3), "message", "no connection")


class Slow(TelegramAdapter):
    """A platform that answers with results given beforehand; before the first, something else happens."""

    def __init__(self) -> None:
        super().__init__(TOKEN, "secret", "http://127.0.0.1:9")
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.results: list[SendResult] = []
        self.sent: list[str] = []

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        self.sent.append(message.text)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return self.results.pop(0) if self.results else Sent(f"{thread}-{len(self.sent)}")


@pytest.fixture
async def slow(desk: Desk) -> AsyncIterator[Slow]:
    adapter = Slow()
    object.__setattr__(desk.program, "deliveries", (replace(desk.program.deliveries[0], adapter=adapter),))
    yield adapter
    await adapter.close()


async def rows(desk: Desk) -> list[Any]:
    async with desk.program.database.read() as connection:
        return list((await connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id))).all())


async def say_at_length(desk: Desk) -> None:
    """Let the bot's next answer be of two parts."""
    await desk.write("guardia medica")
    await desk.turns()
    async with desk.program.database.begin() as connection:
        (row,) = await rows(desk)
        payload = row.payload | {"paragraphs": ["uno " * 1000, "due " * 1000]}
        changed = outbox.outbox.update().where(outbox.outbox.c.id == row.id).values(payload=payload)
        await connection.execute(changed)


@pytest.mark.parametrize("result", [AGAIN, WindowClosed(), Sent("1")])
async def test_what_is_erased_while_it_is_sent_is_kept_nowhere_and_not_sent_again(
    desk: Desk, slow: Slow, result: SendResult
) -> None:
    await say_at_length(desk)

    async def erase() -> None:
        await desk.write("cancella i miei dati")
        await desk.write("sì")
        await desk.turns()

    slow.meanwhile, slow.results = erase, [result]
    for _ in range(3):
        await desk.deliver()
        desk.clock.advance(minutes=1)
    await desk.write("menu")
    await desk.turns()
    for _ in range(3):
        await desk.deliver()
        desk.clock.advance(minutes=1)
    first, *_ = await rows(desk)
    assert (first.status, first.payload) == ("cancelled", None)
    assert first.finished_at is not None, "or it would never be cleared up"
    assert len([text for text in slow.sent if "uno" in text or "due" in text]) == 1
    assert {row.status for row in (await rows(desk))[1:]} == {"cancelled", "sent"}


@pytest.mark.parametrize("result", [AGAIN, WindowClosed(), Sent("1")])
async def test_who_was_taken_for_dead_puts_nothing_back_that_has_no_text_any_more(
    desk: Desk, slow: Slow, result: SendResult
) -> None:
    await say_at_length(desk)

    async def sleep_too_long() -> None:
        desk.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert await doubt(desk.program.database, desk.clock()) == 1

    slow.meanwhile, slow.results = sleep_too_long, [result]
    assert await desk.deliver() == 1
    assert [row.status for row in await rows(desk)] == ["unknown"]
    desk.clock.advance(minutes=10)
    await desk.write("menu")
    await desk.turns()
    assert await desk.deliver() == 1
    assert [row.status for row in await rows(desk)] == ["unknown", "sent"]


async def test_who_was_taken_for_dead_may_still_say_that_it_arrived(desk: Desk, slow: Slow) -> None:
    await desk.write("guardia medica")
    await desk.turns()

    async def sleep_too_long() -> None:
        desk.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert await doubt(desk.program.database, desk.clock()) == 1

    slow.meanwhile = sleep_too_long
    assert await desk.deliver() == 1
    assert [row.status for row in await rows(desk)] == ["sent"]
