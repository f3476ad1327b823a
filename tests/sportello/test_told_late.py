"""What a platform tells late, in another order than it happened, or in part only what can be read: on WhatsApp."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from store import conversations, inbox, retention
from store.conversations import Address
from store.retention import Terms
from tests.fakes.whatsapp_api import PHONE_ID, text_value
from tests.sportello.desk import Desk
from tests.sportello.whatsapp_phone import RESIDENT, Phone, phone_at


@pytest.fixture
async def phone(desk: Desk) -> AsyncIterator[Phone]:
    async with phone_at(desk) as phone:
        yield phone


async def test_a_failure_from_before_the_residents_last_message_closes_no_window(phone: Phone) -> None:
    await phone.write("guardia medica")
    phone.api.last_heard.clear()
    phone.api.tells_later = True
    await phone.deliver()
    (message, code) = phone.api.undelivered[0]
    told = phone.api.failed_status(message, code)
    phone.desk.clock.advance(seconds=20)
    # The resident writes, and only then does the call about the message before arrive.
    await phone.write("menu")
    phone.desk.clock.advance(seconds=5)
    await phone.call(told)
    await phone.deliver()
    assert await phone.statuses() == ["sent", "sent"]
    assert [sent.text for sent in phone.api.sent].count(message.text) == 1


async def test_a_failure_begins_no_conversation_with_somebody_who_was_forgotten(phone: Phone) -> None:
    await phone.write("menu")
    await phone.deliver()
    (message,) = phone.api.sent
    phone.desk.clock.advance(days=40)
    terms = Terms(chat=timedelta(days=30), ticket=timedelta(days=30), keys=timedelta(days=8))
    async with phone.desk.program.database.begin() as connection:
        assert await retention.sweep(connection, terms, now=phone.desk.clock()) == 1
    await phone.call(phone.api.failed_status(message, 131026))
    async with phone.desk.program.database.read() as connection:
        assert await conversations.find(connection, Address("whatsapp", PHONE_ID, RESIDENT)) is None
    await phone.write("menu")
    await phone.deliver()
    assert len(phone.api.sent) == 2


async def test_one_message_that_cannot_be_read_takes_no_other_along(phone: Phone) -> None:
    good = text_value("guardia medica", key="wamid.good", sender=RESIDENT, at=phone.api.clock())
    phone.api.heard(RESIDENT)
    nobody = {"id": "wamid.bad", "type": "text", "text": {"body": "di chi?"}}
    for _ in range(2):
        await phone.call({"messages": [nobody, *good["messages"]]})
    await phone.deliver()
    assert ["116117" in sent.text for sent in phone.api.sent] == [True]
    assert await phone.desk.inbox_counts() == {"waiting": 0, "done": 1, "failed": 0, "set-aside": 1}
    async with phone.desk.program.database.read() as connection:
        rows = await connection.execute(select(inbox.inbox.c.payload).where(inbox.inbox.c.payload.is_not(None)))
        (kept,) = rows.scalars()
    assert "guardia medica" not in str(kept), "only what could not be read waits for an administrator"
    assert "di chi?" in str(kept)


async def test_a_window_that_the_platform_never_opens_is_not_tried_without_end(phone: Phone) -> None:
    await phone.write("guardia medica")
    phone.api.tells_later = True
    for _ in range(10):
        phone.api.last_heard.clear()
        await phone.deliver()
        # The platform's clock is far behind, so that each failure seems older than what the resident wrote.
        value = phone.api.failed_status(*phone.api.undelivered[-1])
        value["statuses"][0]["timestamp"] = "1700000000"
        await phone.call(value)
    assert await phone.statuses() == ["window-closed"]
    assert len(phone.api.undelivered) < 6
    phone.api.heard(RESIDENT)
    await phone.write("menu")
    await phone.deliver()
    assert await phone.statuses() == ["sent", "sent"]
