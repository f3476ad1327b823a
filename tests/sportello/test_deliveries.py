"""Deliveries to the fake Bot API: pace, order, waits, refusals, doubts, and long texts in parts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from channels.adapter import InboundKind
from channels.telegram import TelegramAdapter
from sportello.deliveries import LEASE, doubt
from store import conversations, inbox, leasing, outbox, pacing
from store.outbox import OutboxKind, OutboxStatus, Priority
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi
from tests.sportello.desk import Desk, next_due


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[FakeBotApi]:
    """Put a fake of the platform behind the program's only adapter; the fake has the program's clock."""
    api = FakeBotApi(clock=desk.clock.timestamp, enforce_rate=True)
    with LoopbackServer(api.app()) as server:
        adapter = TelegramAdapter(TOKEN, "secret", server.url)
        old = desk.program.deliveries[0]
        object.__setattr__(desk.program, "deliveries", (replace(old, adapter=adapter),))
        yield api
        await adapter.close()


async def statuses(desk: Desk) -> list[str]:
    async with desk.program.database.read() as connection:
        rows = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
        return list(rows.scalars())


async def test_an_answer_arrives_with_its_buttons(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("guardia medica")
    await desk.turns()
    assert await desk.deliver() == 1
    (message,) = api.sent
    assert message.chat_id == 77
    assert "116117" in message.text
    assert "Fonte:" in message.text
    assert [data for _, data in message.buttons] == ["2.0", "2.1", "2.2"]
    assert await statuses(desk) == ["sent"]


async def test_one_message_a_second_to_a_chat_and_in_order(desk: Desk, api: FakeBotApi) -> None:
    for text in ("guardia medica", "menu", "grazie"):
        await desk.write(text)
        await desk.write(text, thread="88")
    await desk.turns()
    assert await desk.deliver() == 2
    assert await desk.deliver() == 0
    due = await next_due(desk.program.deliveries[0])
    assert due is not None
    assert timedelta(0) < due - desk.clock.now <= timedelta(seconds=1)
    desk.clock.advance(seconds=1)
    assert await desk.deliver() == 2
    desk.clock.advance(seconds=1)
    assert await desk.deliver() == 2
    to_77 = [message.text for message in api.sent if message.chat_id == 77]
    assert "116117" in to_77[0]
    assert to_77[1].startswith("Scegli")
    assert to_77[2].startswith("Prego")


async def test_one_statement_ends_a_message_and_takes_the_next_or_tells_when_it_may_go(
    desk: Desk, api: FakeBotApi
) -> None:
    for thread in ("77", "77", "88"):
        await desk.write("menu", thread=thread)
    await desk.turns()
    deliveries = desk.program.deliveries[0]
    await deliveries.open()

    def on() -> bool:
        desk.clock.advance(milliseconds=40)
        return True

    due = await deliveries.send_due(on)
    assert [message.chat_id for message in api.sent] == [77, 88]
    assert await statuses(desk) == ["sent", "queued", "sent"]
    assert due is not None
    assert timedelta(0) < due - desk.clock() < timedelta(seconds=1), "the chat's own pace"
    desk.clock.now = due
    assert await deliveries.send_due(on) is None
    assert [message.chat_id for message in api.sent] == [77, 88, 77]
    async with desk.program.database.read() as connection:
        rows = (await connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id))).all()
    assert [(row.status, row.payload, row.lease_until, row.attempts) for row in rows] == [("sent", None, None, 1)] * 3
    assert [row.platform_ids for row in rows] == [{"ids": ["1"]}, {"ids": ["3"]}, {"ids": ["2"]}]


async def test_thirty_messages_a_second_in_all(desk: Desk, api: FakeBotApi) -> None:
    for number in range(40):
        await desk.write("menu", thread=str(1000 + number))
    await desk.turns()
    started = desk.clock.now
    while (desk.clock.now - started).total_seconds() < 1:
        await desk.program.deliveries[0].open()
        await desk.program.deliveries[0].deliver()
        desk.clock.advance(milliseconds=10)
    assert 24 <= len(api.sent) <= 31
    assert "queued" in await statuses(desk)


async def test_a_tap_is_answered_at_once_whatever_waits(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.write("menu")
    await desk.turns()
    await desk.deliver()
    api.tap("q9")
    await desk.write("", kind=InboundKind.CHOICE, choice_id="2.0", acknowledge="q9")
    assert await desk.deliver() == 1
    assert api.answered == ["q9"]


async def test_a_wait_that_telegram_asks_for_holds_the_chat_it_concerns(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.turns()
    api.fail_next(429, "Too Many Requests: retry after 30", retry_after=30)
    assert await desk.deliver() == 1
    await desk.write("menu", thread="88")
    await desk.turns()
    await desk.deliver()
    assert [message.chat_id for message in api.sent] == [88]
    desk.clock.advance(seconds=31)
    await desk.deliver()
    assert [message.chat_id for message in api.sent] == [88, 77]


async def test_who_blocked_us_is_left_alone_until_they_write_again(desk: Desk, api: FakeBotApi) -> None:
    api.blocked.add(77)
    await desk.write("persona")
    await desk.write("menu")
    await desk.turns()
    assert await desk.deliver() == 1
    await desk.turns()
    assert await statuses(desk) == ["blocked", "cancelled"]
    assert (await desk.transcript())[-1].body == {"code": "closed", "values": {"outcome": "resident-left"}}
    api.blocked.clear()
    desk.clock.advance(seconds=2)
    await desk.write("menu")
    await desk.turns()
    assert await desk.deliver() == 1
    assert len(api.sent) == 1


async def test_a_doubt_is_never_repeated_by_itself(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.turns()
    api.garbage_next()
    await desk.deliver()
    assert await statuses(desk) == ["unknown"]
    desk.clock.advance(seconds=600)
    assert await desk.deliver() == 0


async def test_a_sender_that_died_leaves_a_doubt_that_is_told(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.write("grazie")
    await desk.turns()
    deliveries = desk.program.deliveries[0]
    await deliveries.open()
    async with desk.program.database.begin() as connection:
        leased = await leasing.lease(
            connection,
            channel="telegram",
            account=TOKEN.partition(":")[0],
            pace=deliveries.pace,
            lease_for=LEASE,
            now=desk.clock(),
        )
    assert leased is not None
    desk.clock.advance(seconds=5)
    assert await desk.deliver() == 0, "the next message waits until it is known what became of the first"
    assert await next_due(deliveries) is None, "and nobody is woken for it before"
    assert await doubt(desk.program.database, desk.clock()) == 0
    desk.clock.advance(seconds=LEASE.total_seconds())
    assert await doubt(desk.program.database, desk.clock()) == 1
    assert await desk.deliver() == 1
    assert [message.text[:5] for message in api.sent] == ["Prego"]
    assert await statuses(desk) == ["unknown", "sent"]


async def test_a_long_text_goes_in_parts_and_goes_on_where_it_stopped(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("ciao")
    await desk.turns()
    await desk.deliver()
    address = (await desk.transcript())[0].conversation_id
    payload: dict[str, Any] = {"language": "it", "paragraphs": ["Una frase. " * 900], "choices": []}
    async with desk.program.database.begin() as connection:
        conversation = await conversations.get(connection, address)
        assert conversation is not None
        await outbox.queue(
            connection,
            conversation_id=address,
            address=conversation.address,
            kind=OutboxKind.MESSAGE,
            priority=Priority.LIVE,
            payload=payload,
            seq=None,
            now=desk.clock(),
        )
    for _ in range(3):
        desk.clock.advance(seconds=1.1)
        assert await desk.deliver() == 1
    assert [len(message.text) <= 4096 for message in api.sent[1:]] == [True] * 3
    assert "".join("".join(m.text.split()) for m in api.sent[1:]) == "Unafrase." * 900
    async with desk.program.database.read() as connection:
        row = (await connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id.desc()))).first()
    assert row is not None
    assert row.status == OutboxStatus.SENT
    assert row.platform_ids == {"ids": ["2", "3", "4"]}


async def test_nobody_is_woken_for_what_waits_behind_a_message_that_was_put_off(desk: Desk, api: FakeBotApi) -> None:
    for _ in range(2):
        await desk.write("menu")
    await desk.turns()
    until = desk.clock() + timedelta(minutes=4)
    async with desk.program.database.begin() as connection:
        first = (await connection.execute(select(outbox.outbox.c.id).order_by(outbox.outbox.c.id))).scalars().first()
        changed = outbox.outbox.update().where(outbox.outbox.c.id == first)
        await connection.execute(changed.values(due_at=until))
    assert await desk.deliver() == 0
    assert await next_due(desk.program.deliveries[0]) == until
    await desk.write("menu", thread="88")
    await desk.turns()
    assert await next_due(desk.program.deliveries[0]) == desk.clock()
    assert await desk.deliver() == 1
    desk.clock.now = until
    assert await desk.deliver() == 1
    assert len(api.sent) == 2


async def test_sending_does_not_wait_for_a_turn_of_the_same_conversation(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.turns()
    await desk.write("grazie")
    async with desk.program.database.begin() as turn:
        assert await inbox.take(turn, now=desk.clock()) is not None
        async with asyncio.timeout(5):
            assert await desk.deliver() == 1
    assert len(api.sent) == 1


async def test_a_tap_waits_for_no_pause(desk: Desk, api: FakeBotApi) -> None:
    await desk.write("menu")
    await desk.turns()
    await desk.deliver()
    seq = (await desk.transcript())[-1].seq
    deliveries = desk.program.deliveries[0]
    until = desk.clock() + timedelta(minutes=5)
    async with desk.program.database.begin() as connection:
        await pacing.pause_account(connection, channel="telegram", account=deliveries.adapter.account, until=until)
    api.tap("tap-1")
    await desk.write("", kind=InboundKind.CHOICE, choice_id=f"{seq}.0", acknowledge="tap-1")
    assert await next_due(deliveries) == desk.clock()
    assert await desk.deliver() == 1
    assert api.answered == ["tap-1"]
