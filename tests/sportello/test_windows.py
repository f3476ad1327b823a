"""Windows that close: what waits for the resident, the one knock at the door, and what a platform tells too late.

On WhatsApp, whose fake has the program's clock; what is tried is the program's own and not the adapter.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from channels.receiving import take_in
from channels.whatsapp import WhatsAppAdapter
from handoff import queue, ticket
from sportello.deliveries import LEASE
from store import conversations, outbox, pacing, retention, tickets
from store.conversations import Address, Message
from store.outbox import OutboxKind
from store.retention import Terms
from store.staff import Role, StaffMember
from tests.channels.whatsapp_peer import adapter_for, call_of
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import PHONE_ID, FakeCloudApi, text_value
from tests.sportello.conftest import Desk

RESIDENT = "393331234567"
TERMS = Terms(chat=timedelta(days=1), ticket=timedelta(days=30), keys=timedelta(days=8))


@dataclass
class Phone:
    """A resident's WhatsApp, and the program behind the number."""

    desk: Desk
    api: FakeCloudApi
    adapter: WhatsAppAdapter
    member: StaffMember | None = None
    _written: int = 0

    async def call(self, value: dict[str, Any]) -> None:
        """Let the platform call, and take the turns that follow."""
        payload = self.adapter.verify(call_of(value), now=self.desk.clock())
        program = self.desk.program
        await take_in(
            program.database,
            self.adapter,
            payload,
            clock=self.desk.clock,
            new_id=self.desk.new_id,
            counts=program.inbox_counts,
        )
        await self.desk.turns()

    async def write(self, text: str) -> None:
        self._written += 1
        self.api.heard(RESIDENT)
        await self.call(text_value(text, key=f"wamid.in{self._written}", sender=RESIDENT))

    async def deliver(self) -> None:
        """Send whatever may be sent, with the pauses that the pace asks for."""
        deliveries = self.desk.program.deliveries[0]
        await deliveries.open()
        # Even a row that was only parked has taken its chat's turn.
        self.desk.clock.advance(seconds=1.1)
        while await deliveries.deliver():
            self.desk.clock.advance(seconds=1.1)

    async def rows(self) -> list[Any]:
        async with self.desk.program.database.read() as connection:
            return list((await connection.execute(select(outbox.outbox).order_by(outbox.outbox.c.id))).all())

    async def statuses(self) -> list[str]:
        return [row.status for row in await self.rows() if row.kind == OutboxKind.MESSAGE.value]

    async def knocks(self) -> list[str]:
        return [message.language for message in self.api.sent if message.via == "template"]

    async def conversation(self) -> UUID:
        async with self.desk.program.database.read() as connection:
            found = await conversations.find(connection, Address("whatsapp", PHONE_ID, RESIDENT))
        assert found is not None
        return found

    async def transcript(self) -> list[Message]:
        conversation = await self.conversation()
        async with self.desk.program.database.read() as connection:
            return await conversations.transcript(connection, conversation)

    async def with_mediator(self) -> None:
        """Let the resident ask for a person, and a mediator claim."""
        await self.write("persona")
        self.member = member = await self.desk.staff("ines", Role.MEDIATOR)
        now = self.desk.clock()
        async with self.desk.program.database.begin() as connection:
            (waiting,) = await tickets.waiting(connection)
            claimed = await queue.claim(connection, waiting.id, member, new_id=self.desk.new_id, now=now)
            assert isinstance(claimed, queue.Claimed)
        await self.desk.turns()
        await self.deliver()

    async def reply(self, text: str) -> None:
        """Let the mediator answer."""
        now = self.desk.clock()
        async with self.desk.program.database.begin() as connection:
            (held,) = await tickets.claimed(connection)
            assert self.member is not None
            done = await ticket.reply(connection, held.id, self.member, text, key=self.desk.new_id(), now=now)
            assert not isinstance(done, ticket.Refused)
        await self.desk.turns()
        await self.deliver()


@pytest.fixture
def knocking() -> str:
    return "answer_ready:it,en"


@pytest.fixture
async def phone(desk: Desk, knocking: str) -> AsyncIterator[Phone]:
    api = FakeCloudApi(clock=desk.clock.timestamp)
    with LoopbackServer(api.app()) as server:
        adapter = adapter_for(server.url, knocking)
        deliveries = replace(desk.program.deliveries[0], adapter=adapter)
        object.__setattr__(desk.program, "deliveries", (deliveries,))
        yield Phone(desk, api, adapter)
        await adapter.close()


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


async def test_who_blocked_us_is_shown_as_not_reached(phone: Phone) -> None:
    phone.api.blocked.add(RESIDENT)
    await phone.write("menu")
    await phone.deliver()
    (message, code) = phone.api.undelivered[0]
    for _ in range(2):
        await phone.call(phone.api.failed_status(message, code))
    (row,) = await phone.rows()
    assert (row.status, row.error, row.payload) == ("blocked", "131026 undeliverable", None)


async def test_a_failure_told_before_the_sending_is_stored_waits_for_it(phone: Phone) -> None:
    await phone.write("menu")
    deliveries = phone.desk.program.deliveries[0]
    await deliveries.open()
    async with phone.desk.program.database.begin() as connection:
        leased = await pacing.lease(
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
    assert await phone.statuses() == ["blocked"]
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
