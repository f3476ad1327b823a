"""A whole day on Telegram in compressed time: everything arrives once and in order, whatever the server does."""

import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, text

from store import outbox, tickets
from store.conversations import Author
from store.outbox import OutboxStatus
from store.staff import Role
from tests.fakes.telegram_api import StoredFile
from tests.sportello.desk import Desk
from tests.sportello.telegram_line import TelegramLine, telegram_line

RESIDENTS = range(101, 107)
QUESTIONS = ("guardia medica", "menu", "codice fiscale", "il capo non mi paga", "gli asini volano?", "grazie")


@pytest.fixture
async def line(desk: Desk) -> AsyncIterator[TelegramLine]:
    async with telegram_line(desk) as made:
        yield made


@asynccontextmanager
async def database_away(line: TelegramLine) -> AsyncIterator[None]:
    """Make every webhook answer 503."""
    async with line.desk.program.database.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO away"))
    yield
    async with line.desk.program.database.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO inbox"))


async def down(line: TelegramLine, seconds: int) -> None:
    """Let the server's attempts fail for a while: nothing is taken or sent meanwhile."""
    async with database_away(line):
        end = line.desk.clock.timestamp() + seconds
        while line.desk.clock.timestamp() < end:
            await line.side.deliver()
            line.desk.clock.advance(seconds=1)


async def claim_and_reply(line: TelegramLine, reply: str) -> None:
    """Let the mediator take the oldest conversation and answer it."""
    async with line.desk.program.database.read() as connection:
        opened = (await tickets.waiting(connection))[0]
    shown = (await line.browser.get("/desk")).text
    csrf = shown.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": csrf}
    assert (await line.browser.post(f"/desk/tickets/{opened.id}/claim", data=form)).status_code == 303
    await line.until(2)
    answer = await line.browser.post(f"/desk/tickets/{opened.id}/reply", data=form | {"text": reply, "key": "1"})
    assert answer.status_code == 303


@dataclass
class Day:
    """What residents wrote, and how they go through the day."""

    line: TelegramLine
    written: dict[int, list[str]] = field(default_factory=lambda: {chat: [] for chat in RESIDENTS})

    def writes(self, chat: int, said: str) -> None:
        self.line.side.write(chat, said)
        self.written[chat].append(said)

    def taps(self, chat: int) -> str:
        """Tap the first button of the newest message with any; gives the query's id."""
        newest = next(sent for sent in reversed(self.line.api.sent) if sent.chat_id == chat and sent.buttons)
        return self.line.side.tap(chat, newest.buttons[0][1])

    async def morning(self) -> None:
        """Ask in bursts, while the server asks us to wait now and then."""
        chance = random.Random(11)  # noqa: S311 - spreads what residents do, guards nothing
        for round_ in range(3):
            for chat in RESIDENTS:
                for number in range(chance.randint(1, 3)):
                    self.writes(chat, f"{chance.choice(QUESTIONS)}{'?' * round_}{'!' * number}")
            self.line.api.fail_next(429, "Too Many Requests: retry after 20", retry_after=20)
            await self.line.until(60)
            self.line.desk.clock.advance(minutes=40)

    async def outage(self) -> None:
        """Be three minutes without the database: texts come after all, a tap made at the beginning expires."""
        query = self.taps(101)
        self.writes(102, "codice fiscale di mio figlio")
        self.writes(102, "menu")
        await down(self.line, 180)
        await self.line.until(150)
        assert query not in self.line.api.answered
        assert len(self.line.side.expired) == 1
        assert self.line.side.next_at() is None

    async def overtaking(self) -> None:
        """Tap a moment after writing: the tap comes in first."""
        self.writes(103, "guardia medica")
        query = self.taps(103)
        await self.line.until(8)
        assert query in self.line.api.answered

    async def leaving(self) -> None:
        """Block the bot while an answer is on its way, and come back hours later."""
        self.writes(104, "guardia medica")
        await self.line.side.deliver()
        self.line.api.blocked.add(104)
        await self.line.until(5)
        self.line.side.block(104)
        await self.line.until(5)
        self.line.desk.clock.advance(hours=3)
        self.line.side.unblock(104)
        self.writes(104, "menu!!")
        await self.line.until(5)
        assert self.line.api.sent[-1].chat_id == 104

    async def papers(self) -> None:
        """Send an album and a voice, and ask for a person, who listens and answers."""
        line = self.line
        line.api.files["voice"] = StoredFile("voice/file_1.oga", b"OggS")
        line.side.album(105, "a", "b", "c")
        line.side.send(105, voice={"file_id": "voice", "file_unique_id": "voice", "duration": 3})
        self.writes(105, "persona")
        await line.until(12)
        await claim_and_reply(line, "Ho visto le foto, venga domani.")
        await line.until(4)
        assert [sent.text for sent in line.api.sent if sent.chat_id == 105][-1] == "Ho visto le foto, venga domani."
        async with line.desk.program.database.read() as connection:
            (held,) = await tickets.claimed(connection)
        seqs = [row.seq for row in await line.desk.transcript("105") if "media" in row.body]
        heard = await line.browser.get(f"/desk/tickets/{held.id}/media/{seqs[-1]}/0")
        assert (heard.status_code, heard.content) == (200, b"OggS")


async def test_a_day(line: TelegramLine) -> None:
    clock = line.desk.clock
    start = clock.timestamp()
    await line.desk.staff("anna", Role.MEDIATOR)
    await line.sign_in("anna")
    day = Day(line)
    await day.morning()
    await day.outage()
    await day.overtaking()
    await day.leaving()
    await day.papers()
    clock.advance(hours=24 - (clock.timestamp() - start) / 3600)
    await line.until(30)
    await everything_arrived_once(line, day.written)


async def everything_arrived_once(line: TelegramLine, written: dict[int, list[str]]) -> None:
    """Compare what residents wrote with what is kept, and what was said with what the platform took."""
    assert line.side.next_at() is None
    inbox = await line.desk.inbox_counts()
    assert (inbox["waiting"], inbox["failed"], inbox["set-aside"]) == (0, 0, 0)
    async with line.desk.program.database.read() as connection:
        rows = (await connection.execute(select(outbox.outbox.c.status))).scalars().all()
    statuses = Counter(rows)
    assert set(statuses) == {OutboxStatus.SENT.value, OutboxStatus.BLOCKED.value}
    assert statuses[OutboxStatus.BLOCKED.value] == 1
    for chat, texts in written.items():
        transcript = await line.desk.transcript(str(chat))
        assert [row.seq for row in transcript] == list(range(1, len(transcript) + 1))
        kept = [row.body["text"] for row in transcript if row.author is Author.RESIDENT and "text" in row.body]
        assert kept == texts
        said = [row for row in transcript if row.author in {Author.BOT, Author.MEDIATOR}]
        arrived = [message.message_id for message in line.api.sent if message.chat_id == chat]
        assert len(arrived) == len(said) - (chat == 104)
    for chat in RESIDENTS:
        moments = [message.at for message in line.api.sent if message.chat_id == chat]
        assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(moments))
