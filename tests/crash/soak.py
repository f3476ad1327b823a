"""The crash test again and again, with new seeds: `python -m tests.crash.soak [minutes]`."""

import asyncio
import secrets
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from store import migrations
from store.database import Database
from store.embedded import EmbeddedServer
from tests.crash.processes import House
from tests.crash.scenario import Plan, look, play, prepared
from tests.crash.test_crash import check
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import FakeBotApi

DEFAULT_MINUTES = 10.0


async def once(server: EmbeddedServer, folder: Path, seed: int) -> None:
    """Play one plan on a fresh database."""
    url = server.start()
    async with Database(url) as main, main.read() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE soak_{seed}"))
    plan = Plan(conversations=20, messages=500, kills=30, seed=seed)
    api = FakeBotApi()
    async with Database(url.set(database=f"soak_{seed}")) as database:
        await migrations.upgrade(database)
        await prepared(database)
        with LoopbackServer(api.app()) as fake:
            house = House(database.url, folder, fake.url)
            house.start()
            try:
                await play(house, plan, database)
            finally:
                house.stop()
        findings = await look(database, api)
    check(plan, findings, house.kills)
    print(f"seed {seed}: {plan.messages} messages, {house.kills} kills, outbox {dict(findings.outbox)}")  # noqa: T201


def main() -> None:
    """Run for the minutes given."""
    until = time.monotonic() + 60 * (float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_MINUTES)
    with TemporaryDirectory(prefix="sportello-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedServer(folder / "postgres") as server:
            while time.monotonic() < until:
                asyncio.run(once(server, folder, secrets.randbelow(10**6)))


if __name__ == "__main__":
    main()
