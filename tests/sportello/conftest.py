"""A whole program on a real database, driven turn by turn, without any task in the background."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from sqlalchemy.engine import URL

from channels.adapter import Inbound, InboundKind
from channels.receiving import receive
from knowledge import exchange, files, record_files
from knowledge.remembering import Last
from knowledge.search import Vocabularies
from sportello.app import create_app
from sportello.program import Program, compose
from sportello.settings import Settings
from store import conversations, inbox, staff
from store.conversations import Address, Message
from store.database import Database
from store.staff import Role, StaffMember
from tests.conftest import START, FakeClock, copy_of, execute_outside_transaction
from tests.fakes.telegram_api import TOKEN
from tests.starter import starter

# The last one has cases.
ENTRIES = ("unpaid-wages", "night-doctor", "italian-course", "tax-code", "health-registration")
SECRET = "telegram-secret"
PASSWORD = "abcd-efgh-jkmn-pqrs"
# Whoever signs in pays what the hash asks for, and the one of a real password asks for a tenth of a second.
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
# Two, for the tests that change an entry and those that do not come in turns.
VOCABULARIES = Vocabularies(spelled=Last(2), languages=Last(2))


def settings_for(url: URL, folder: Path, **others: Any) -> Settings:
    values: dict[str, Any] = {
        "data_dir": folder,
        "database_url": url.render_as_string(hide_password=False),
        "secret_key": SecretStr("a-secret-for-tests"),
        "embedder": "none",
        "telegram_token": SecretStr(TOKEN),
        "telegram_secret": SecretStr(SECRET),
        "telegram_api_base": "http://127.0.0.1:9",
        "metrics_token": SecretStr("metrics"),
    }
    return Settings(_env_file=None, **(values | others))


class Compiled(BytecodeCache):
    """The templates that were compiled for an application before, for the next one."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


@dataclass(frozen=True)
class Desk:
    """The program, with verbs for what happens around it."""

    program: Program
    clock: FakeClock
    new_id: Callable[[], UUID]

    async def write(self, text: str, *, thread: str = "77", key: str | None = None, **fields: Any) -> bool:
        """Let a resident write on Telegram; False where the update was stored before."""
        inbound = Inbound(
            channel="telegram",
            account=TOKEN.partition(":")[0],
            event_key=key or str(self.new_id()),
            thread=thread,
            user_ref=thread,
            kind=fields.pop("kind", InboundKind.TEXT),
            text=text,
            language_hint=fields.pop("language_hint", "it"),
            **fields,
        )
        async with self.program.database.begin() as connection:
            return (await receive(connection, inbound, new_id=self.new_id(), now=self.clock())).is_new

    async def turns(self) -> int:
        """Take turns until there is nothing to do; gives their number."""
        taken = 0
        assert self.program.turns is not None
        while await self.program.turns.take():
            taken += 1
            assert taken < 200
        return taken

    async def deliver(self) -> int:
        """Send whatever may be sent now; gives its number."""
        delivered = 0
        deliveries = self.program.deliveries[0]
        await deliveries.open()
        while await deliveries.deliver():
            delivered += 1
            self.clock.advance(milliseconds=40)
        return delivered

    async def transcript(self, thread: str = "77") -> list[Message]:
        async with self.program.database.read() as connection:
            found = await conversations.find(connection, Address("telegram", TOKEN.partition(":")[0], thread))
            assert found is not None
            return await conversations.transcript(connection, found)

    async def staff(self, login: str, *roles: Role, capacity: int = 5) -> StaffMember:
        async with self.program.database.begin() as connection:
            await staff.add(
                connection,
                new_id=self.new_id(),
                login=login,
                name=login.title(),
                roles=roles,
                password_hash=PASSWORD_HASH,
                language="it",
                capacity=capacity,
                now=self.clock(),
            )
            found = await staff.by_login(connection, login)
        assert found is not None
        return found[0]

    async def inbox_counts(self) -> dict[str, int]:
        async with self.program.database.read() as connection:
            return {status.value: count for status, count in (await inbox.counts(connection)).items()}

    def browser(self) -> httpx.AsyncClient:
        """Give a client that speaks to the application in this process."""
        transport = httpx.ASGITransport(app=create_app(self.program, COMPILED), raise_app_exceptions=False)
        headers = {"Accept": "text/html", "Accept-Language": "it", "Sec-Fetch-Site": "same-origin"}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


@pytest.fixture(scope="session")
async def furnished(server_url: URL, template: str) -> str:
    """Make a database with a few entries, from which the others are copied."""
    name = "template_furnished"
    async with Database(server_url) as server:
        await execute_outside_transaction(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    records, wrong = record_files.read_records(files.STARTER)
    assert wrong == []
    async with Database(server_url.set(database=name)) as database, database.begin() as connection:
        chosen = [entry for entry in starter() if entry.slug in ENTRIES]
        report = await exchange.import_entries(connection, chosen, overwrite=False, now=START)
        await exchange.import_records(connection, records, report, overwrite=False, now=START)
    return name


@pytest.fixture
async def desk(
    server_url: URL, furnished: str, tmp_path: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[Desk]:
    async with copy_of(furnished, server_url) as url:
        settings = settings_for(url, tmp_path)
        program = compose(settings, url, works=True, clock=clock, new_id=new_id, vocabularies=VOCABULARIES)
        await program.library.refresh()
        yield Desk(program, clock, new_id)
        await program.close()
