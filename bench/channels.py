"""Load over all channels at once, while three platforms misbehave: `python -m bench.channels`.

Starts an embedded PostgreSQL, one receiver and one worker, and fakes of Telegram, WeChat (safe mode), WeCom and
WhatsApp on loopback; a phone uses the gateway. Residents ask different questions at a fixed rate, each channel its
share. Three runs: WeChat and the phone alone; all channels, all well; all channels, while Telegram asks to wait,
WhatsApp answers 500 and WeCom hangs. Prints the time from a question to its answer for each, and for WeChat and the
phone how much longer it got. Everything shares the machine's processors, residents, fakes and database included.
"""

import argparse
import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
import numpy as np

from bench.conversations import prepare, questions
from bench.lanes import (
    Lane,
    PhoneLane,
    Switch,
    TelegramLane,
    WeChatLane,
    WecomLane,
    WhatsAppLane,
    failing,
    hanging,
    throttled,
)
from knowledge import exchange, files, record_files
from store import migrations, traffic
from store.database import Database
from store.embedded import EmbeddedServer
from tests.crash.processes import Process, free_port, wait_until_ready
from tests.fakes.servers import LoopbackServer

CHATS: Final = 40
BEARABLE: Final = 1.5
# What is not answered so long after the last question counts as not answered.
PATIENCE_SECONDS: Final = 20.0


@dataclass
class Run:
    """What came of one run: seconds from question to answer, by channel, and how many were asked."""

    name: str
    latencies: dict[str, list[float]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def high(self, channel: str) -> float:
        """Give the 95th percentile in seconds; without an answer there is none."""
        found = self.latencies.get(channel)
        return float(np.quantile(found, 0.95)) if found else float("nan")

    def told(self) -> str:
        """Give a line for each channel."""
        lines = [self.name]
        for channel, asked in self.asked.items():
            found = np.array(self.latencies[channel]) * 1000
            if len(found):
                middle, high = np.quantile(found, [0.5, 0.95])
                lines.append(
                    f"  {channel:9} {len(found):4} of {asked:4} answered, median {middle:5.0f} ms, 95th {high:5.0f} ms"
                )
            else:
                lines.append(f"  {channel:9}    0 of {asked:4} answered")
        return "\n".join(lines)


async def play(
    name: str, lanes: Sequence[Lane], client: httpx.AsyncClient, texts: Iterator[str], *, rate: float, seconds: float
) -> Run:
    """Let each channel's residents ask at a rate, whatever comes back; each waits for its turn among its chats."""
    run = Run(name)
    asked: list[tuple[Lane, int, float]] = []
    tasks: list[asyncio.Task[None]] = []
    started = time.monotonic()
    for number in range(int(rate * seconds)):
        for place, lane in enumerate(lanes):
            due = started + (number + place / len(lanes)) / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            chat = 1000 + number % CHATS
            asked.append((lane, chat, time.monotonic()))
            tasks.append(asyncio.create_task(lane.ask(client, chat, next(texts))))
    await _until_answered(asked)
    for task in tasks:
        task.cancel()
    failed = [
        result for result in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(result, Exception)
    ]
    if failed:
        print(f"  {len(failed)} questions could not be brought: {failed[0]!r}")
    for lane in lanes:
        mine = [(chat, moment) for each, chat, moment in asked if each is lane]
        arrived = [(lane.arrivals.first_after(chat, moment), moment) for chat, moment in mine]
        run.latencies[lane.name] = [at - moment for at, moment in arrived if at is not None]
        run.asked[lane.name] = len(mine)
    print(run.told())
    return run


async def _until_answered(asked: Sequence[tuple[Lane, int, float]]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for lane in {id(each): each for each, _, _ in asked}.values():
            lane.look()
        if all(lane.arrivals.first_after(chat, moment) is not None for lane, chat, moment in asked):
            return
        await asyncio.sleep(0.1)


async def compare(lanes: Sequence[Lane], switches: dict[str, Switch], port: int, rate: float, seconds: float) -> None:
    """Play the three runs, and say how much longer the well ones took."""
    texts = questions()
    well = [lane for lane in lanes if lane.name in {"wechat", "phone"}]
    async with _residents(lanes, port) as client:
        await play("warming up", lanes, client, texts, rate=rate, seconds=8)
        alone = await play("WeChat and the phone alone", well, client, texts, rate=rate, seconds=seconds)
        together = await play("all channels, all well", lanes, client, texts, rate=rate, seconds=seconds)
        for name, trouble in (("telegram", throttled), ("whatsapp", failing), ("wecom", hanging)):
            switches[name].trouble = trouble
        troubled = await play(
            "Telegram asks to wait, WhatsApp answers 500, WeCom hangs", lanes, client, texts, rate=rate, seconds=seconds
        )
        for name in ("telegram", "whatsapp", "wecom"):
            switches[name].trouble = None
    for lane in well:
        beside = troubled.high(lane.name) / alone.high(lane.name)
        longer = troubled.high(lane.name) / together.high(lane.name)
        verdict = "bearable" if beside <= BEARABLE else f"more than {BEARABLE}"
        print(
            f"{lane.name}: 95th percentile beside troubles {beside:.2f} times that alone ({verdict}), "
            f"{longer:.2f} times that beside all well"
        )


@asynccontextmanager
async def _residents(lanes: Sequence[Lane], port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of all residents; the phone also fetches."""
    limits = httpx.Limits(max_connections=256)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
        fetching = [asyncio.create_task(lane.fetch(client)) for lane in lanes if isinstance(lane, PhoneLane)]
        try:
            yield client
        finally:
            for task in fetching:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*fetching)


async def _furnish(database: Database, folder: Path, *, letters: bool) -> None:
    await migrations.upgrade(database)
    if not letters:
        await prepare(database, folder)
        return
    entries, _ = files.read_folder(files.STARTER)
    records, _ = record_files.read_records(files.STARTER)
    now = datetime.now(UTC)
    async with database.begin() as connection:
        report = await exchange.import_entries(connection, entries, overwrite=False, now=now)
        await exchange.import_records(connection, records, report, overwrite=False, now=now)


async def measure(folder: Path, *, rate: float, seconds: float, letters: bool) -> None:
    """Set up, play, and tell what became of what could not be delivered."""
    lanes: list[Lane] = [TelegramLane(), WeChatLane(), WecomLane(), WhatsAppLane(), PhoneLane()]
    sends = {"telegram": "sendMessage", "wechat": "custom/send", "wecom": "send_msg", "whatsapp": "/messages"}
    switches: dict[str, Switch] = {}
    environment = {
        **os.environ,
        "SPORTELLO_DATA_DIR": str(folder),
        "SPORTELLO_EMBEDDER": "none" if letters else "e5",
    }
    port = free_port()
    with EmbeddedServer(folder / "postgres") as server, ExitStack() as fakes:
        url = server.start()
        async with Database(url) as database:
            await _furnish(database, folder, letters=letters)
        for lane in lanes:
            app, address = lane.app(), ""
            if app is not None:
                switches[lane.name] = Switch(app, sends[lane.name])
                address = fakes.enter_context(LoopbackServer(switches[lane.name])).url
            environment |= {f"SPORTELLO_{lane.name.upper()}_{k}": v for k, v in lane.settings(address).items()}
        environment |= {
            "SPORTELLO_DATABASE_URL": url.set(drivername="postgresql").render_as_string(hide_password=False),
            "SPORTELLO_PORT": str(port),
        }
        processes = [
            Process(("serve", "--no-workers"), environment, folder / "serve.log"),
            Process(("work",), environment, folder / "work.log"),
        ]
        for process in processes:
            process.start()
        wait_until_ready(port)
        try:
            await compare(lanes, switches, port, rate, seconds)
            async with Database(url) as database, database.read() as connection:
                for (channel, _), counts in sorted(
                    (await traffic.everything(connection, now=datetime.now(UTC))).items()
                ):
                    print(f"{channel:9} waiting {counts.queued}, in doubt {counts.unknown}, refused {counts.refused}")
        finally:
            for process in processes:
                process.stop()


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2, help="questions a second on each channel")
    parser.add_argument("--seconds", type=float, default=40, help="length of each run")
    parser.add_argument(
        "--letters", action="store_true", help="understand without the model, so that nothing is embedded"
    )
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}; "
        f"5 channels, {CHATS} chats each"
    )
    with TemporaryDirectory(prefix="sportello-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        asyncio.run(measure(folder, rate=arguments.rate, seconds=arguments.seconds, letters=arguments.letters))


if __name__ == "__main__":
    main()
