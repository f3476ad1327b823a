"""Load: N Telegram conversations against a fake Bot API on loopback: `python -m bench.conversations`.

Starts an embedded PostgreSQL, one receiver (`serve --no-workers`) and one worker (`work`), plays different
questions at a fixed rate, and prints answered messages a second, the time from the webhook to the delivered
answer, and the memory of all Sportello processes together. Everything shares the machine's processors,
generator, fake platform and database included.
"""

import argparse
import asyncio
import itertools
import os
import platform
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from knowledge import exchange, files, loading, record_files
from knowledge.evaluating import read_lines
from knowledge.own_model import GraphEmbedder
from knowledge.search import Vocabularies
from store import migrations
from store.database import Database
from store.embedded import EmbeddedServer
from tests.crash.processes import SECRET, Process, free_port, wait_until_ready
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi

DEVELOPMENT = Path(__file__).resolve().parent.parent / "tests" / "knowledge" / "development.jsonl"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@dataclass
class Load:
    """One run at one rate."""

    rate: float
    seconds: float
    chats: int
    latencies: list[float] = field(default_factory=list)
    asked: int = 0
    took: float = 0.0

    @property
    def answered_a_second(self) -> float:
        """Give the throughput, from the first question to the last answer."""
        return len(self.latencies) / self.took


@dataclass
class WatchedApi(FakeBotApi):
    """The fake platform, with the moment of every delivery by chat."""

    delivered: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    seen: int = 0

    def note(self) -> int:
        """Sort what was sent since the last look by chat; gives the number of all messages."""
        while self.seen < len(self.sent):
            message = self.sent[self.seen]
            self.delivered[message.chat_id].append(message.at)
            self.seen += 1
        return self.seen

    def caught_up(self, asked_at: Mapping[int, Sequence[float]]) -> bool:
        """Tell whether every chat got something after the last that it asked."""
        return all(self.delivered[chat] and self.delivered[chat][-1] >= times[-1] for chat, times in asked_at.items())

    def latencies(self, chat: int, asked_at: Iterable[float]) -> Iterator[float]:
        """Give the seconds to each answer of a chat. Some answers are two messages: the second answers nothing new."""
        answers = self.delivered[chat]
        for asked in asked_at:
            while answers and answers[0] < asked:
                answers.popleft()
            if answers:
                yield answers.popleft() - asked


def questions() -> Iterator[str]:
    """Give questions without end, no two the same: those of the development set with a number behind them."""
    texts = itertools.cycle([line.text for line in read_lines(DEVELOPMENT) if line.in_scope])
    return (f"{text} {number}" for number, text in enumerate(texts, 1))


async def play(load: Load, api: WatchedApi, port: int, first_chat: int) -> None:
    """Ask at the rate, whatever comes back, and wait for the last answer."""
    asked_at: dict[int, deque[float]] = defaultdict(deque)
    asking = questions()
    before = api.note()
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=64)) as client:
        posts: list[asyncio.Task[httpx.Response]] = []
        for number in range(int(load.rate * load.seconds)):
            due = started + number / load.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            chat = first_chat + number % load.chats
            update = {
                "update_id": first_chat * 1000 + number,
                "message": {
                    "message_id": number + 1,
                    "date": 1_700_000_000,
                    "chat": {"id": chat, "type": "private"},
                    "from": {"id": chat, "is_bot": False, "first_name": "R", "language_code": "it"},
                    "text": next(asking),
                },
            }
            asked_at[chat].append(time.monotonic())
            url = f"http://127.0.0.1:{port}/webhooks/telegram"
            posts.append(asyncio.create_task(client.post(url, json=update, headers=HEADERS)))
            load.asked += 1
        for post in posts:
            (await post).raise_for_status()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if api.note() - before >= load.asked and api.caught_up(asked_at):
            break
        await asyncio.sleep(0.02)  # the fake has no event to wait for: it lives in another thread
    load.took = max(message.at for message in api.sent) - started
    load.latencies += [latency for chat, times in asked_at.items() for latency in api.latencies(chat, times)]


def household(processes: list[Process], server: Path) -> dict[int, str]:
    """Name the processes that belong to the program: each with its model, and the database's."""
    names = {process.running.pid: process.arguments[0] for process in processes if process.running is not None}
    postmaster = int((server / "postmaster.pid").read_text().split()[0])
    found = {**names, postmaster: "database"}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) not in found:
            try:
                # After the name in parentheses: state, parent and more (proc(5)).
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in names:
                found[int(folder.name)] = f"{names[parent]}: model"
            elif parent == postmaster:
                found[int(folder.name)] = "database"
    return found


def processor(household: dict[int, str]) -> dict[str, float]:
    """Give the processor time of processes and of this one, in seconds since they began."""
    spent: dict[str, float] = defaultdict(float, {"generator and fake": sum(os.times()[:2])})
    for pid, name in household.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue  # a process of the database that has ended meanwhile; its time is not counted
        spent[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def memory(household: dict[int, str]) -> dict[str, float]:
    """Give the memory of processes in MB, what several share counted once (proc(5): Pss)."""
    used: dict[str, float] = defaultdict(float)
    for pid, name in household.items():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        used[name] += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return used


def listed(figures: dict[str, float], unit: str) -> str:
    """Give named figures on one line."""
    return ", ".join(f"{name} {figure:.1f} {unit}" for name, figure in sorted(figures.items()))


def report(load: Load) -> None:
    """Print one run."""
    milliseconds = np.array(load.latencies) * 1000
    median, high, highest = np.quantile(milliseconds, [0.5, 0.95, 0.99])
    print(
        f"{load.rate:5.0f} questions a second for {load.seconds:.0f} s, {load.chats} chats: "
        f"{len(load.latencies)} of {load.asked} answered, {load.answered_a_second:.1f} a second; "
        f"webhook to delivered: median {median:.0f} ms, 95th {high:.0f} ms, 99th {highest:.0f} ms"
    )


async def prepare(database: Database, folder: Path) -> None:
    """Import the starter entries, embed them and calibrate, as a first start does beside serving."""
    entries, _ = files.read_folder(files.STARTER)
    records, _ = record_files.read_records(files.STARTER)
    now = datetime.now(UTC)
    model = GraphEmbedder(folder / "model", timeout=60)
    began = time.monotonic()
    try:
        async with database.begin() as connection:
            report = await exchange.import_entries(connection, entries, overwrite=False, now=now)
            await exchange.import_records(connection, records, report, overwrite=False, now=now)
        imported = time.monotonic()
        async with database.read() as connection:
            knowledge = await loading.load(connection)
        reader = await loading.build(database, model, knowledge.entries, Vocabularies())
        embedded = time.monotonic()
        await loading.calibrate(database, model, reader, now=datetime.now(UTC))
        calibrated = time.monotonic()
        await loading.build(database, model, knowledge.entries, Vocabularies())
        print(
            f"import {imported - began:.1f} s, first reading with the model {embedded - imported:.1f} s, "
            f"calibration {calibrated - embedded:.1f} s, reading again {time.monotonic() - calibrated:.1f} s"
        )
    finally:
        await model.close()


async def measure(rates: list[float], seconds: float, folder: Path) -> None:
    """Set up, warm up, play, report."""
    with EmbeddedServer(folder / "postgres") as server:
        url = server.start()
        async with Database(url) as database:
            await migrations.upgrade(database)
            await prepare(database, folder)
        api = WatchedApi()
        port = free_port()
        with LoopbackServer(api.app()) as fake:
            environment = {
                **os.environ,
                "SPORTELLO_DATABASE_URL": url.set(drivername="postgresql").render_as_string(hide_password=False),
                "SPORTELLO_DATA_DIR": str(folder),
                "SPORTELLO_PORT": str(port),
                "SPORTELLO_TELEGRAM_TOKEN": TOKEN,
                "SPORTELLO_TELEGRAM_SECRET": SECRET,
                "SPORTELLO_TELEGRAM_API_BASE": fake.url,
                # Above the platform's own limit, which is what would be measured otherwise.
                "SPORTELLO_TELEGRAM_RATE": "1000",
            }
            processes = [
                Process(("serve", "--no-workers"), environment, folder / "serve.log"),
                Process(("work",), environment, folder / "work.log"),
            ]
            for process in processes:
                process.start()
            wait_until_ready(port)
            try:
                await play(Load(5, 6, 30), api, port, 1_000)
                for number, rate in enumerate(rates, 2):
                    load = Load(rate, seconds, max(30, int(rate * 4)))
                    parts = household(processes, folder / "postgres")
                    before = processor(parts)
                    await play(load, api, port, number * 100_000)
                    report(load)
                    spent = processor(parts)
                    a_message = {name: (spent[name] - before[name]) / load.asked * 1000 for name in spent}
                    print(f"      processor time a message: {listed(a_message, 'ms')}")
                used = memory(household(processes, folder / "postgres"))
                ours = sum(figure for name, figure in used.items() if name != "database")
                print(f"memory of all Sportello processes: {ours:.0f} MB, the database apart; {listed(used, 'MB')}")
            finally:
                for process in processes:
                    process.stop()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="30,60", help="questions a second, with commas between")
    parser.add_argument("--seconds", type=float, default=20, help="length of each run")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with TemporaryDirectory(prefix="sportello-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        asyncio.run(measure([float(rate) for rate in arguments.rates.split(",")], arguments.seconds, folder))


if __name__ == "__main__":
    main()
