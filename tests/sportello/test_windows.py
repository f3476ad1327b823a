"""Windows that close: what waits for the resident, the one knock at the door, and what a platform tells too late.

On WhatsApp, whose fake has the program's clock; what is tried is the program's own and not the adapter.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sportello.deliveries import LEASE
from store import leasing, outbox, retention, tickets
from store.outbox import OutboxKind
from store.retention import Terms
from tests.fakes.whatsapp_api import PHONE_ID
from tests.sportello.desk import Desk
from tests.sportello.whatsapp_phone import RESIDENT, Phone, phone_at

TERMS = Terms(chat=timedelta(days=1), ticket=timedelta(days=30), keys=timedelta(days=8))


@pytest.fixture
def knocking() -> str:
    return "answer_ready:it,en"


@pytest.fixture
async def phone(desk: Desk, knocking: str) -> AsyncIterator[Phone]:
    async with phone_at(desk, knocking) as phone:
        yield phone


async def test_an_answer_arrives_with_its_buttons_and_a_tap_is_understood(phone: Phone) -> None:
    await phone.write("guardia medica")
    await phone.deliver()
    *_, last = phone.api.sent
    assert "116117" in "".join(message.text for message in phone.api.sent)
    assert last.via in {"button", "list"}
    tapped = {"id": last.choices[0][0], "title": last.choices[0][1]}
    message = {
        "from": RESIDENT,
        "id": "wamid.tap",
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": tapped},
    }
    await phone.call({"messages": [message]})
    assert (await phone.transcript())[2].body["pick"].startswith(tapped["title"].removesuffix("…"))


async def test_after_the_window_a_reply_waits_and_the_resident_is_asked_once(phone: Phone) -> None:
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    before = len(phone.api.sent)
    await phone.reply("Venga domani alle nove.")
    assert (await phone.statuses())[-1] == "window-closed"
    assert await phone.knocks() == ["it"]
    phone.desk.clock.advance(hours=1)
    await phone.reply("Porti il passaporto.")
    assert (await phone.statuses())[-2:] == ["window-closed"] * 2
    assert await phone.knocks() == ["it"], "once, however much waits"
    assert len(phone.api.sent) == before + 1
    await phone.write("eccomi")
    await phone.deliver()
    assert (await phone.statuses())[-2:] == ["sent"] * 2
    assert [m.text for m in phone.api.sent[-2:]] == ["Venga domani alle nove.", "Porti il passaporto."]
    phone.desk.clock.advance(hours=25)
    await phone.reply("Allora?")
    assert await phone.knocks() == ["it", "it"], "and once again when the window is over again"


async def test_the_button_of_the_template_is_enough_and_nothing_is_said_to_it(phone: Phone) -> None:
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    await phone.reply("Venga domani.")
    phone.api.heard(RESIDENT)
    button = {"from": RESIDENT, "id": "wamid.b", "type": "button", "button": {"text": "Leggi", "payload": "x"}}
    await phone.call({"messages": [button]})
    await phone.deliver()
    assert phone.api.sent[-1].text == "Venga domani."


@pytest.mark.parametrize("knocking", [""])
async def test_without_a_template_it_waits_in_silence(phone: Phone) -> None:
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    before = len(phone.api.sent)
    await phone.reply("Venga domani.")
    assert (await phone.statuses())[-1] == "window-closed"
    assert len(phone.api.sent) == before


async def test_a_template_that_meta_refuses_is_told_and_not_tried_again(phone: Phone) -> None:
    phone.api.templates.clear()
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    for _ in range(2):
        await phone.reply("Venga domani.")
    (knock,) = [row for row in await phone.rows() if row.kind == OutboxKind.KNOCK.value]
    assert (knock.status, knock.error) == ("needs-person", "132001 template")


async def test_the_platforms_word_counts_more_than_our_clock(phone: Phone) -> None:
    await phone.write("menu")
    phone.api.last_heard.clear()
    await phone.deliver()
    assert await phone.statuses() == ["window-closed"]
    assert await phone.knocks() == ["it"]
    await phone.write("grazie")
    await phone.deliver()
    assert await phone.statuses() == ["sent"] * 2


async def test_what_the_platform_took_and_then_refused_goes_when_the_resident_writes(phone: Phone) -> None:
    await phone.write("guardia medica")
    phone.api.last_heard.clear()
    phone.api.tells_later = True
    await phone.deliver()
    assert await phone.statuses() == ["sent"], "as far as we know"
    (message, code) = phone.api.undelivered[0]
    await phone.call(phone.api.failed_status(message, code))
    assert await phone.statuses() == ["window-closed"]
    assert phone.api.sent == []
    await phone.write("grazie")
    await phone.deliver()
    assert await phone.statuses() == ["sent"] * 2
    assert "116117" in phone.api.sent[0].text
    assert phone.api.sent[0].text == message.text


async def test_what_goes_again_is_what_went_whatever_language_was_chosen_since(phone: Phone) -> None:
    await phone.write("guardia medica")
    phone.api.last_heard.clear()
    phone.api.tells_later = True
    await phone.deliver()
    (message, code) = phone.api.undelivered[0]
    await phone.write("English")
    await phone.deliver()
    phone.desk.clock.advance(minutes=1)
    await phone.call(phone.api.failed_status(message, code))
    await phone.write("thanks")
    await phone.deliver()
    assert [sent.text for sent in phone.api.sent].count(message.text) == 1


async def test_whose_app_takes_nothing_keeps_the_place_in_the_queue(phone: Phone) -> None:
    phone.api.blocked.add(RESIDENT)
    await phone.write("persona")
    await phone.deliver()
    (message, code) = phone.api.undelivered[0]
    for _ in range(2):
        await phone.call(phone.api.failed_status(message, code))
    (row,) = await phone.rows()
    assert (row.status, row.error) == ("window-closed", "131026 undeliverable")
    async with phone.desk.program.database.read() as connection:
        (waiting,) = await tickets.waiting(connection)
    assert waiting.conversation_id == await phone.conversation()
    phone.api.blocked.clear()
    await phone.write("grazie")
    await phone.deliver()
    assert next(sent.text for sent in phone.api.sent if sent.via != "template") == message.text
    assert (await phone.statuses())[0] == "sent"


async def test_who_is_told_at_once_to_take_nothing_keeps_the_place_too(phone: Phone) -> None:
    await phone.write("persona")
    phone.api.fail_next(131026, "Message undeliverable")
    await phone.deliver()
    assert await phone.statuses() == ["window-closed"]
    async with phone.desk.program.database.read() as connection:
        assert len(await tickets.waiting(connection)) == 1


async def test_what_whatsapp_could_not_deliver_for_a_passing_reason_is_tried_again(phone: Phone) -> None:
    await phone.write("guardia medica")
    await phone.deliver()
    (message,) = phone.api.sent
    await phone.call(phone.api.failed_status(message, 131016))
    assert await phone.statuses() == ["queued"]
    phone.desk.clock.advance(minutes=1)
    await phone.deliver()
    assert [sent.text for sent in phone.api.sent] == [message.text] * 2


async def test_a_failure_told_before_the_sending_is_stored_waits_for_it(phone: Phone) -> None:
    await phone.write("menu")
    deliveries = phone.desk.program.deliveries[0]
    await deliveries.open()
    async with phone.desk.program.database.begin() as connection:
        leased = await leasing.lease(
            connection,
            channel="whatsapp",
            account=PHONE_ID,
            pace=deliveries.pace,
            lease_for=LEASE,
            now=phone.desk.clock(),
        )
    assert leased is not None
    status = {"id": "wamid.x", "status": "failed", "recipient_id": RESIDENT, "errors": [{"code": 131026}]}
    await phone.call({"statuses": [status]})
    assert (await phone.desk.inbox_counts())["waiting"] == 1
    async with phone.desk.program.database.begin() as connection:
        await outbox.finish(
            connection,
            leased.id,
            status=outbox.OutboxStatus.SENT,
            error=None,
            platform_ids=["wamid.x"],
            now=phone.desk.clock(),
        )
    phone.desk.clock.advance(seconds=1)
    await phone.desk.turns()
    assert await phone.statuses() == ["window-closed"]
    assert (await phone.desk.inbox_counts())["failed"] == 0


async def test_a_failure_of_something_that_is_none_of_ours_changes_nothing(phone: Phone) -> None:
    await phone.write("menu")
    await phone.deliver()
    status = {"id": "wamid.other", "status": "failed", "recipient_id": RESIDENT, "errors": [{"code": 131026}]}
    await phone.call({"statuses": [status]})
    assert await phone.statuses() == ["sent"]
    assert await phone.desk.inbox_counts() == {"waiting": 0, "done": 2, "failed": 0, "set-aside": 0}


async def test_what_waits_is_kept_as_long_as_its_conversation(phone: Phone) -> None:
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    await phone.reply("Venga domani.")
    phone.desk.clock.advance(days=20)
    async with phone.desk.program.database.begin() as connection:
        await retention.sweep(connection, TERMS, now=phone.desk.clock())
    assert await phone.statuses() == ["window-closed"], "what was delivered is forgotten, what waits is not"
    await phone.write("eccomi")
    await phone.deliver()
    assert phone.api.sent[-1].text == "Venga domani."


@pytest.mark.parametrize("failing", [0, 1])
async def test_what_was_cut_into_smaller_parts_is_cut_like_that_again(phone: Phone, failing: int) -> None:
    await phone.with_mediator()
    phone.api.fail_next(100, "Param text['body'] must be at most 4096 characters long.")
    before = len(phone.api.sent)
    await phone.reply("Allora. " * 400)
    parts = phone.api.sent[before:]
    assert [len(part.text) <= 2048 for part in parts] == [True, True]
    await phone.call(phone.api.failed_status(parts[failing], 131016))
    phone.desk.clock.advance(minutes=2)
    await phone.deliver()
    assert [sent.text for sent in phone.api.sent[before:]] == [parts[0].text, parts[1].text, parts[failing].text]
    assert (await phone.statuses())[-1] == "sent"
