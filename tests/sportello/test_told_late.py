"""What a platform tells late or in another order than it happened: on WhatsApp, whose calls keep none."""

from collections.abc import AsyncIterator

import pytest

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
