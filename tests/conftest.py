"""Fixtures that every test may use: real PostgreSQL, and time and ids that a test can steer."""

import asyncio
import gc
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import uvloop
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import URL
from xdist.remote import Producer

from store import migrations
from store.database import Database
from store.embedded import EmbeddedServer
from tests import remembered_fields
from tests.databases import Copies, Engines, execute_outside_transaction
from tests.sharing_out import Sharing, long_ones_first

settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# For `make quick`. `make test` tries all examples; where a test says how many it needs, both do.
settings.register_profile("quick", settings.get_profile("house"), max_examples=12)
settings.load_profile("house")

# Once all entries are read there are two million objects, and to look through them takes a quarter of a second; the
# thousands that a test of the desk makes and lets go cost more to look through than to keep for a few tests.
gc.set_threshold(200_000, 20, 100)

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday, ten o'clock in Prato
# Linux's file system in memory. A database is a thousand small files: there they are copied in a tenth of the time.
MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a name that nobody can foresee
# A server needs a third of it. In a container there is often far less, and then the disk must do.
MEMORY_BYTES = 2**30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    long_ones_first(items)


def pytest_collection_finish() -> None:
    # The modules, a quarter of a million objects that stay till the end, need not be looked through each time.
    gc.freeze()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the event loop that the program runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_id() -> Callable[[], UUID]:
    numbers = itertools.count(1)
    return lambda: UUID(int=next(numbers))


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[Engines]:
    """Let a test take over what is dear to make and the same in each."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        engines = Engines()
        engines.stand_in(monkeypatch)
        remembered_fields.stand_in(monkeypatch)
        yield engines


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    """Start one embedded server for the whole run; its data is gone afterwards."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="sportello-test-", dir=MEMORY if in_memory else None))
    # The server runs as a user of its own where the tests run as root.
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "postgres")
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(server_url: URL) -> str:
    """Migrate one database, from which the others are copied."""
    async with Database(server_url) as database:
        # The server itself is never killed here: what it has not written to the disk is not lost.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            await execute_outside_transaction(database, f"ALTER SYSTEM SET {setting} TO off")
        # The journal lies in memory too, and is never read.
        await execute_outside_transaction(database, "ALTER SYSTEM SET max_wal_size TO '128MB'")
        await execute_outside_transaction(database, "SELECT pg_reload_conf()")
        await execute_outside_transaction(database, "CREATE DATABASE template_sportello")
    async with Database(server_url.set(database="template_sportello")) as database:
        await migrations.upgrade(database)
    return "template_sportello"


@pytest.fixture(scope="session")
async def copies(server_url: URL, made_once: Engines) -> AsyncIterator[Copies]:
    async with Database(server_url) as server:
        yield Copies(server, made_once)
        await made_once.close()


@pytest.fixture
async def database_url(copies: Copies, template: str) -> AsyncIterator[URL]:
    """Give an empty, migrated database of its own to a test that starts processes."""
    async with copies.of(template) as url:
        yield url


@pytest.fixture
async def database(copies: Copies, template: str) -> AsyncIterator[Database]:
    """Give an empty, migrated database."""
    async with copies.washed(template) as url, Database(url) as database:
        yield database
