"""The scenario: many conversations at once, every webhook twice, processes killed at random moments."""

import asyncio
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from store import outbox
from store.conversations import Author, conversations, messages
from store.database import Database
from store.inbox import inbox
from tests.crash.processes import SECRET, House
from tests.fakes.telegram_api import FakeBotApi
from web.outgoing import WATCHED

HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@dataclass(frozen=True)
class Plan:
    """How much, for how long, and with which seed."""

    conversations: int
    messages: int
    kills: int
    seed: int

    def texts(self, chat: int) -> list[str]:
        """Give the messages of one chat, in their order: each with a mark that is found again anywhere."""
        mine = range(chat, self.messages, self.conversations)
        kinds = ("menu", "guardia medica", "domanda senza risposta", "grazie")
        return [f"{kinds[number % 4]} mark{number:05d}" for number in mine]


async def _deliver(client: httpx.AsyncClient, house: House, update: dict[str, Any], chance: random.Random) -> None:
    """Deliver one update as Telegram does: again and again until somebody says 200."""
    delay = 0.05
    while True:
        port = chance.choice(house.ports)
        try:
            answer = await client.post(f"http://127.0.0.1:{port}/webhooks/telegram", json=update, headers=HEADERS)
            if answer.status_code == 200:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(delay)
        delay = min(delay * 2, 1.0)


async def _chat(house: House, plan: Plan, chat: int) -> None:
    """Write one chat's messages, one after the other; each is delivered twice, the second time at any moment."""
    chance = random.Random(plan.seed * 1000 + chat)  # noqa: S311 - no secret
    repeats: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient(timeout=5, event_hooks=WATCHED) as client:
        for place, text in enumerate(plan.texts(chat)):
            person = {"id": 5000 + chat, "is_bot": False, "first_name": "R", "language_code": "it"}
            update = {
                "update_id": chat * 100_000 + place,
                "message": {
                    "message_id": place + 1,
                    "date": 1_700_000_000,
                    "chat": {"id": 5000 + chat, "type": "private"},
                    "from": person,
                    "text": text,
                },
            }
            await _deliver(client, house, update, chance)
            repeats.append(asyncio.create_task(_repeat(client, house, update, chance)))
        await asyncio.gather(*repeats)


async def _repeat(client: httpx.AsyncClient, house: House, update: dict[str, Any], chance: random.Random) -> None:
    await asyncio.sleep(chance.random() * 3)
    await _deliver(client, house, update, chance)


async def _killer(house: House, plan: Plan, done: asyncio.Event) -> None:
    chance = random.Random(plan.seed)  # noqa: S311 - no secret
    while house.kills < plan.kills or not done.is_set():
        await asyncio.sleep(0.2 + chance.random() * 0.9)
        await asyncio.to_thread(house.kill_one, chance)
        if done.is_set() and house.kills >= plan.kills:
            return


async def play(house: House, plan: Plan, database: Database) -> None:
    """Play the plan to its end: everything received, every turn taken, every delivery settled."""
    done = asyncio.Event()
    killing = asyncio.create_task(_killer(house, plan, done))
    await asyncio.gather(*(_chat(house, plan, chat) for chat in range(plan.conversations)))
    done.set()
    await killing
    until = time.monotonic() + 240
    while time.monotonic() < until:
        if await _settled(database):
            return
        await asyncio.sleep(0.2)
    raise TimeoutError("turns or deliveries are left over")


async def _settled(database: Database) -> bool:
    async with database.read() as connection:
        waiting = await connection.execute(select(inbox.c.id).where(inbox.c.status == "waiting").limit(1))
        # A row whose sender was killed waits for the end of its lease; it is told as a doubt all the same.
        queued = await connection.execute(select(outbox.outbox.c.id).where(outbox.outbox.c.status == "queued").limit(1))
        held = select(outbox.outbox.c.conversation_id).where(outbox.outbox.c.status == "sending")
        free = await connection.execute(
            select(outbox.outbox.c.id)
            .where(outbox.outbox.c.status == "queued", outbox.outbox.c.conversation_id.not_in(held))
            .limit(1)
        )
        left = waiting.first() is not None
        return not left and (queued.first() is None or free.first() is None)


@dataclass(frozen=True)
class Findings:
    """What the database and the platform say afterwards."""

    transcripts: dict[str, list[tuple[str, str]]]
    inbox: Counter[str]
    outbox: Counter[str]
    sent: dict[int, list[int]]
    sequences_without_gaps: bool


async def look(database: Database, api: FakeBotApi) -> Findings:
    """Read everything that the promise is about."""
    transcripts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    sequences: dict[str, list[int]] = defaultdict(list)
    async with database.read() as connection:
        rows = await connection.execute(
            select(conversations.c.thread, messages)
            .join(messages, messages.c.conversation_id == conversations.c.id)
            .order_by(conversations.c.thread, messages.c.seq)
        )
        for row in rows:
            sequences[row.thread].append(row.seq)
            text = row.body.get("text", "") if row.author == Author.RESIDENT else ""
            transcripts[row.thread].append((row.author, text))
        statuses = await connection.execute(select(inbox.c.status))
        out = await connection.execute(
            select(outbox.outbox.c.status, outbox.outbox.c.seq, conversations.c.thread).join(
                conversations, conversations.c.id == outbox.outbox.c.conversation_id
            )
        )
        ended = [(row.status, row.seq, row.thread) for row in out]
        inbox_counts = Counter(statuses.scalars())
    sent: dict[int, list[int]] = defaultdict(list)
    for message in api.sent:
        # The buttons carry the place of the message in its transcript.
        sent[message.chat_id].append(int(re.match(r"\d+", message.buttons[0][1])[0]))  # type: ignore[index]
    return Findings(
        dict(transcripts),
        inbox_counts,
        Counter(status for status, _, _ in ended),
        dict(sent),
        all(found == list(range(1, len(found) + 1)) for found in sequences.values()),
    )


async def prepared(database: Database) -> None:
    """Load a dozen entries: what is tried here is not understanding, and processes start often."""
    from datetime import UTC, datetime  # noqa: PLC0415 - used for this alone

    from knowledge import exchange, files  # noqa: PLC0415

    entries, _ = files.read_folder(files.STARTER)
    async with database.begin() as connection:
        await exchange.import_entries(connection, entries[:12], overwrite=False, now=datetime.now(UTC))


def log_of(folder: Path) -> str:
    """Give the ends of the processes' logs, for a failure's message."""
    return "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-600:]}" for path in folder.glob("*.log"))
