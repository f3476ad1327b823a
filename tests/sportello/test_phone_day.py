"""A whole day of a phone in compressed time: notifications that repeat and die, a battery saver, names too weak."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from channels.phone import CHANNEL
from channels.phone_gateway import LEASE
from channels.rendering import render
from sportello.deliveries import doubt
from sportello.platforms import phones
from sportello.watching import Watch
from store import outbox, quarantine, tickets
from store.conversations import Author
from store.notify import Topic
from store.staff import Role
from tests.fakes.phone import IMO, WHATSAPP, FakePhone
from tests.sportello import relay_desk
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import TOKEN, answered, phone_web, rows
from tests.sportello.test_desk import field, sign_in
from tests.sportello.test_relay_quarantine import decided

ALI, BILAL, CHANDRA = "Ali Khan", "Bilal", "+39 333 123 4567"
THREADS = {ALI: f"{IMO}|alikhan", BILAL: f"{IMO}|bilal", CHANDRA: f"{WHATSAPP}|+393331234567"}


class Day:
    """A phone in a drawer, the residents who write to it, and Anna at the desk."""

    def __init__(self, desk: Desk, phone: FakePhone, browser: httpx.AsyncClient) -> None:
        self.desk = desk
        self.phone = phone
        self.browser = browser
        self.watch = Watch(desk.program.database, ["via-roma"], desk.clock, desk.program.counts)
        self.written: dict[str, list[str]] = {name: [] for name in THREADS}
        self._replies = 0

    async def writes(self, sender: str, text: str) -> list[str]:
        self.written[sender].append(text)
        package = WHATSAPP if sender == CHANDRA else IMO
        return await answered(self.desk, self.phone, text, sender=sender, package=package)

    async def passes(self, minutes: int, *, every: int = 1) -> None:
        """Let time pass: the phone beats and polls every so many minutes, unless something killed its macros."""
        for _ in range(minutes // every):
            self.desk.clock.advance(minutes=every)
            if not self.phone.killed:
                await self.phone.beats()
                await self.phone.works()
            await doubt(self.desk.program.database, self.desk.clock())
            await self.watch.look()

    async def claims(self) -> None:
        """Let Anna take whoever waits."""
        async with self.desk.program.database.read() as connection:
            (waiting,) = await tickets.waiting(connection)
        form = {"csrf": field(await self.page(), "csrf")}
        assert (await self.browser.post(f"/desk/tickets/{waiting.id}/claim", data=form)).status_code == 303
        await self.desk.turns()

    async def reply(self, text: str) -> None:
        """Let Anna answer the one whom she has."""
        self._replies += 1
        form = {"csrf": field(await self.page(), "csrf"), "text": text, "key": f"reply-{self._replies}"}
        answer = await self.browser.post(f"/desk/tickets/{await self._held()}/reply", data=form)
        assert answer.status_code == 303
        await self.desk.turns()
        self.desk.program.hub.heard(Topic.OUTBOX, CHANNEL)

    async def _held(self) -> str:
        async with self.desk.program.database.read() as connection:
            (held,) = await tickets.claimed(connection)
        return str(held.id)

    async def page(self) -> str:
        return (await self.browser.get("/desk")).text

    async def ticket(self) -> str:
        return (await self.browser.get(f"/desk/tickets/{await self._held()}")).text

    async def silent(self) -> bool:
        """Tell whether desk and figures both say that the phone gives no sign of life."""
        said = "Il telefono \u2068via-roma\u2069 non dà segni di vita" in await self.page()
        figures = (await self.browser.get("/metrics", headers={"Authorization": "Bearer metrics"})).text
        assert f'sportello_phone_silent{{phone="via-roma"}} {float(said)}' in figures
        return said

    # --- the hours ---

    async def morning(self) -> None:
        """Answer in time, and once: notifications have no ids, and some come again."""
        await self.passes(1)
        assert "116117" in " ".join(await self.writes(ALI, "guardia medica"))
        await self.passes(5)
        # The answer got lost on the way back, and the program on the phone asks again.
        self.written[BILAL].append("corso di italiano")
        kept = self.phone.shown.setdefault(BILAL, [])
        lost = asyncio.create_task(self.phone.arrives("corso di italiano", sender=BILAL, lost=True))
        while not lost.done():
            if await self.desk.turns():
                self.desk.program.hub.heard(Topic.CONVERSATION, "")
            await asyncio.sleep(0)
        assert kept == []
        self.desk.clock.advance(seconds=5)
        assert await self.phone.arrives("corso di italiano", sender=BILAL) == await lost
        assert await self.desk.turns() == 0
        # Who says the same a minute later says it again.
        await self.passes(1)
        await self.writes(BILAL, "corso di italiano")
        await self.writes(CHANDRA, "menu")
        await self.writes(CHANDRA, "1")

    async def weak_names(self) -> None:
        """Hold back what may be anybody's, repeated or not, until Anna says whose it is."""
        for _ in range(2):
            assert await self.phone.arrives("guardia medica", sender="Chandra", package=WHATSAPP) == []
            self.desk.clock.advance(seconds=5)
        assert await self.phone.arrives("sono un altro", sender="ali khan") == []
        assert await self.desk.turns() == 0
        async with self.desk.program.database.read() as connection:
            held = await quarantine.waiting(connection)
        assert [(row.sender, row.reason) for row in held] == [("Chandra", "no-number"), ("ali khan", "collision")]
        assert (await decided(self.browser, held[0].id, "assign")).status_code == 303
        assert (await decided(self.browser, held[1].id, "drop")).status_code == 303
        await self.desk.turns()
        answers = [row.author for row in await relay_desk.rows(self.desk, "Chandra", "whatsapp")]
        assert answers == [Author.RESIDENT, Author.BOT]
        assert self.phone.shown["Chandra"] == [], "an operator answers whom the phone cannot tell apart"
        thread = re.findall(r"/desk/relay/threads/[0-9a-f-]+", (await self.browser.get("/desk/relay")).text)[0]
        (number,) = relay_desk.answers((await self.browser.get(thread)).text)
        assert (await relay_desk.marked(self.browser, thread, number)).status_code == 202

    async def noon(self) -> None:
        """Wait with a long poll while Anna types; what she says next waits until it is acknowledged."""
        await self.writes(ALI, "persona")
        await self.claims()
        await self.passes(1)
        poll = asyncio.create_task(self.phone.fetches(wait=25))
        while not self.desk.program.hub._waiting:  # noqa: ASYNC110 - gives way until the poll waits
            await asyncio.sleep(0)
        await self.reply("Buongiorno, sono Anna.")
        async with asyncio.timeout(10):
            (message,) = await poll
        assert (message["recipient"], message["texts"]) == (ALI, ["Buongiorno, sono Anna."])
        await self.reply("Mi dica.")
        assert await self.phone.fetches() == [], "one after the other"
        assert self.phone.replies(message)
        for _ in range(2):
            assert (await self.phone.says(message["id"], "done")).json() == {"status": "sent"}
        await self.passes(1)
        assert self.phone.shown[ALI][-2:] == ["Buongiorno, sono Anna.", "Mi dica."]

    async def battery_saver(self) -> None:
        """Kill the macros between fetching and acknowledging: a doubt, an alarm, all over when they return."""
        await self.reply("Che documenti ha?")
        (message,) = await self.phone.fetches()
        assert self.phone.replies(message)
        self.phone.killed = True
        await self.reply("Anche una ricevuta va bene.")
        await self.passes(int(LEASE.total_seconds()) // 60 + 1)
        assert not await self.silent(), "it may be a pause"
        trouble = self.desk.program.catalogue.text("web.trouble.unknown", "it")
        assert trouble in await self.ticket()
        await self.passes(3)
        assert await self.silent()
        # The other program lives: what residents write still comes in, and is answered.
        assert await self.writes(CHANDRA, "codice fiscale") != []
        assert await self.writes(ALI, "Ho il passaporto") == ["Anche una ricevuta va bene."]
        assert await self.silent(), "its polling is what is missing"
        await self.passes(60, every=4)
        self.phone.killed = False
        assert (await self.phone.says(message["id"], "done")).json() == {"status": "sent"}, "its word may come late"
        await self.passes(1)
        assert not await self.silent()

    async def dead_notification(self) -> None:
        """Open the chat on the phone itself: nothing can be replied through it, and Anna is told."""
        self.phone.opens_chat(ALI)
        await self.reply("Venga domani.")
        await self.passes(1)
        assert "Venga domani." not in self.phone.shown[ALI]
        assert Counter(await self.ended())["needs-person"] == 1
        await self.writes(ALI, "Quando posso venire?")
        await self.reply("Venga domani alle nove.")
        await self.passes(1)
        assert self.phone.shown[ALI][-1] == "Venga domani alle nove."

    async def ended(self) -> list[str]:
        async with self.desk.program.database.read() as connection:
            return list((await connection.execute(select(outbox.outbox.c.status))).scalars())


@pytest.fixture
async def day(desk: Desk, tmp_path: Path) -> AsyncIterator[Day]:
    async with phone_web(desk, tmp_path, relay_apps="imo,whatsapp") as web, desk.browser() as browser:
        await desk.staff("anna", Role.MEDIATOR)
        await sign_in(browser, "anna")
        yield Day(desk, FakePhone(web, TOKEN), browser)


async def test_a_day(day: Day) -> None:
    clock = day.desk.clock
    start = clock.timestamp()
    await day.morning()
    await day.passes(60, every=4)
    await day.weak_names()
    await day.passes(60, every=4)
    await day.noon()
    await day.battery_saver()
    await day.passes(30, every=4)
    await day.dead_notification()
    await day.passes(24 * 60 - int(clock.timestamp() - start) // 60, every=4)
    assert not await day.silent()
    await everything_arrived_once(day)


async def everything_arrived_once(day: Day) -> None:
    """Compare what residents wrote with what is kept, and what was said with what they read."""
    inbox = await day.desk.inbox_counts()
    assert (inbox["waiting"], inbox["failed"], inbox["set-aside"]) == (0, 0, 0)
    assert {status: number for status, number in Counter(await day.ended()).items() if status != "sent"} == {
        "needs-person": 1
    }
    presenter = day.desk.program.library.presenter
    (device,) = [each for each in phones(day.desk.program.settings) if each.account == "via-roma"]
    for sender, thread in THREADS.items():
        transcript = await rows(day.desk, thread)
        kept = [row.body["text"] for row in transcript if row.author is Author.RESIDENT and "text" in row.body]
        assert kept == day.written[sender]
        said = [row for row in transcript if row.author in {Author.BOT, Author.MEDIATOR}]
        texts: list[str] = []
        for row in said:
            if row.author is Author.MEDIATOR:
                texts += [row.body["text"]] if row.body["text"] != "Venga domani." else []
            else:
                message = presenter.outbound(row.body, row.language or "it", row.seq)
                texts += [part.text for part in render(message, device.capabilities)]
        assert day.phone.shown[sender] == texts
