"""A whole day on WhatsApp in compressed time, and the morning after, when the 24 hours are over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from store import health
from store.conversations import Author
from store.outbox import IDS, OutboxKind
from tests.fakes.whatsapp_api import PHONE_ID, SentMessage, message_value, text_value
from tests.sportello.desk import Desk, next_due
from tests.sportello.whatsapp_phone import RESIDENT, Phone, phone_at

BUSY, AWAY, UNLUCKY = "393470000001", "393470000002", "393470000003"


@pytest.fixture
async def phone(desk: Desk) -> AsyncIterator[Phone]:
    async with phone_at(desk, "answer_ready:it,en") as phone:
        phone.api.enforce_rate = True
        yield phone


class Day:
    """What residents do, and what the platform tells of it."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.written: dict[str, list[str]] = {sender: [] for sender in (RESIDENT, BUSY, AWAY, UNLUCKY)}
        self._calls = 0
        self._told = 0

    async def writes(self, sender: str, text: str) -> None:
        """Write; the platform brings it twice, as it does where our answer got lost."""
        self.phone.api.heard(sender)
        self.written[sender].append(text)
        value = text_value(text, key=self._key(), sender=sender, at=self.phone.api.clock())
        for _ in range(2):
            await self.phone.call(value)

    async def taps(self, sender: str, number: int = 0) -> str:
        """Choose from the newest message with choices; gives what stands on the choice."""
        newest = next(sent for sent in reversed(self.phone.api.sent) if sent.to == sender and sent.choices)
        choice_id, title, _ = newest.choices[number]
        kind = f"{newest.via}_reply"
        await self.sends(sender, "interactive", {"type": kind, kind: {"id": choice_id, "title": title}})
        return title

    async def sends(self, sender: str, kind: str, content: Any) -> None:
        """Send something that is no text."""
        self.phone.api.heard(sender)
        await self.phone.call(message_value(kind, content, key=self._key(), sender=sender, at=self.phone.api.clock()))

    def _key(self) -> str:
        self._calls += 1
        return f"wamid.day{self._calls}"

    async def quiet(self, within: timedelta = timedelta(minutes=20)) -> None:
        """Let time pass until nothing is left to send that the platform may take within a while."""
        clock, end = self.phone.desk.clock, self.phone.desk.clock() + within
        await self.phone.deliver()
        while (due := await next_due(self.phone.desk.program.deliveries[0])) is not None and due < end:
            clock.now = max(clock.now, due)
            await self.phone.deliver()

    async def tells(self) -> None:
        """Tell late what became of our messages: delivered, read, or failed."""
        api = self.phone.api
        for message in api.sent[self._told :]:
            for status in ("delivered", "read"):
                told = {"id": message.id, "status": status, "recipient_id": message.to}
                await self.phone.call({"statuses": [told]})
        self._told = len(api.sent)
        failed, api.undelivered[:] = list(api.undelivered), []
        for message, code in failed:
            # Twice, as anything may come twice.
            for _ in range(2):
                await self.phone.call(api.failed_status(message, code))

    def read_by(self, sender: str) -> list[SentMessage]:
        return [sent for sent in self.phone.api.sent if sent.to == sender]

    async def error(self) -> str:
        async with self.phone.desk.program.database.read() as connection:
            (found,) = [row for row in await health.everything(connection) if row.account == PHONE_ID]
        return found.last_error or ""

    # --- the hours ---

    async def morning(self) -> None:
        """Choose from a list, ask for a person, and change one's mind by a button."""
        await self.writes(UNLUCKY, "menu")
        await self.quiet()
        assert self.read_by(UNLUCKY)[-1].via == "list"
        await self.taps(UNLUCKY)
        await self.writes(UNLUCKY, "persona")
        await self.quiet()
        assert self.read_by(UNLUCKY)[-1].via == "button"
        assert await self.taps(UNLUCKY, 1) == "Non aspetto più"
        await self.quiet()
        picks = [row.body["pick"] for row in await self.phone.transcript(UNLUCKY) if "pick" in row.body]
        assert len(picks) == 2
        assert len(self.read_by(UNLUCKY)) == 4

    async def rush(self) -> None:
        """Write fifty times without a pause: the platform takes 45, and then one now and then."""
        for number in range(50):
            await self.writes(BUSY, f"{'menu' if number % 2 else 'guardia medica'}{'!' * number}")
        await self.phone.deliver()
        assert len(self.read_by(BUSY)) == 45
        assert await self.error() == "131056 too many to one person"
        # Nobody else waits for it.
        await self.writes(UNLUCKY, "corso di italiano")
        await self.phone.deliver()
        assert len(self.read_by(UNLUCKY)) == 5
        await self.quiet()
        assert len(self.read_by(BUSY)) == 50

    async def misfortune(self) -> None:
        """Take messages, and tell later that they did not arrive."""
        api = self.phone.api
        api.fails.append(131016)
        await self.writes(UNLUCKY, "codice fiscale")
        await self.quiet()
        assert len(self.read_by(UNLUCKY)) == 5
        await self.tells()
        await self.quiet()
        assert len(self.read_by(UNLUCKY)) == 6, "the service was away for a moment"
        api.blocked.add(AWAY)
        await self.writes(AWAY, "guardia medica")
        await self.quiet()
        await self.tells()
        await self.quiet()
        assert self.read_by(AWAY) == []
        self.phone.desk.clock.advance(hours=2)
        api.blocked.clear()
        await self.writes(AWAY, "grazie")
        await self.quiet()
        assert "116117" in self.read_by(AWAY)[0].text

    async def evening(self) -> None:
        """Ask for a person, who answers at once, and is thanked late."""
        await self.phone.with_mediator()
        self.written[RESIDENT].append("persona")
        await self.phone.reply("Buonasera, mi informo.")
        assert self.read_by(RESIDENT)[-1].text == "Buonasera, mi informo."
        self.phone.desk.clock.advance(hours=1)
        await self.writes(RESIDENT, "grazie")
        await self.quiet()

    async def morning_after(self) -> None:
        """Answer when the 24 hours are over: the template asks once, and its button lets all of it through."""
        api, clock = self.phone.api, self.phone.desk.clock
        # A minute before the end it still goes.
        clock.now = self._end_of_window() - timedelta(minutes=1)
        await self.phone.reply("Buongiorno.")
        assert self.read_by(RESIDENT)[-1].text == "Buongiorno."
        clock.now = self._end_of_window() + timedelta(seconds=1)
        for text in ("Venga domani alle nove.", "Porti il passaporto."):
            await self.phone.reply(text)
        await self.quiet()
        assert (await self.phone.statuses())[-2:] == ["window-closed"] * 2
        assert [(sent.via, sent.language) for sent in api.sent if sent.via == "template"] == [("template", "it")]
        assert self.read_by(RESIDENT)[-1].via == "template"
        clock.advance(hours=3)
        await self.sends(RESIDENT, "button", {"text": "Leggi", "payload": "x"})
        await self.quiet()
        assert [sent.text for sent in self.read_by(RESIDENT)][-2:] == [
            "Venga domani alle nove.",
            "Porti il passaporto.",
        ]

    def _end_of_window(self) -> Any:
        clock = self.phone.desk.clock
        heard = timedelta(seconds=self.phone.api.last_heard[RESIDENT] - clock.timestamp())
        return clock() + heard + timedelta(hours=24)


async def test_a_day(phone: Phone) -> None:
    day = Day(phone)
    await day.morning()
    phone.desk.clock.advance(hours=2)
    await day.rush()
    phone.desk.clock.advance(hours=1)
    await day.misfortune()
    phone.desk.clock.advance(hours=4)
    await day.evening()
    await day.tells()
    await day.morning_after()
    await day.tells()
    await day.quiet()
    await everything_arrived_once(day)


async def everything_arrived_once(day: Day) -> None:
    """Compare what residents wrote with what is kept, and what was said with what the platform took."""
    inbox = await day.phone.desk.inbox_counts()
    assert (inbox["waiting"], inbox["failed"], inbox["set-aside"]) == (0, 0, 0)
    assert set(await day.phone.statuses()) == {"sent"}
    assert day.phone.api.undelivered == []
    messages = [row for row in await day.phone.rows() if row.kind == OutboxKind.MESSAGE.value]
    for sender, texts in day.written.items():
        transcript = await day.phone.transcript(sender)
        kept = [row.body["text"] for row in transcript if row.author is Author.RESIDENT and "text" in row.body]
        assert kept == texts
        conversation = await day.phone.conversation(sender)
        ids = [row.platform_ids[IDS] for row in messages if row.conversation_id == conversation]
        # In the order in which it was said, and each just once: what failed has the id under which it went at last.
        assert [[sent.id] for sent in day.read_by(sender) if sent.via != "template"] == ids
        assert len(ids) == len([row for row in transcript if row.author in {Author.BOT, Author.MEDIATOR}])
