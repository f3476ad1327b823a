"""A whole program with verbs for what happens around it, and the settings that it is put together from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from sqlalchemy.engine import URL

from channels.adapter import Inbound, InboundKind
from channels.receiving import receive
from handoff import queue
from handoff.queue import Claimed
from knowledge import loading
from knowledge.embedding import NoEmbedder
from knowledge.loading import Knowledge
from knowledge.reader import Reader
from knowledge.search import Vocabularies
from sportello.app import create_app
from sportello.deliveries import Deliveries
from sportello.program import Program
from sportello.settings import Settings
from store import conversations, inbox, leasing, staff, tickets
from store.conversations import Address, Message
from store.staff import Role, StaffMember
from tests.conftest import FakeClock
from tests.counted import counted
from tests.fakes.telegram_api import TOKEN

# The last one has cases.
ENTRIES = ("unpaid-wages", "night-doctor", "italian-course", "tax-code", "health-registration")
SECRET = "telegram-secret"
PASSWORD = "abcd-efgh-jkmn-pqrs"
# Whoever signs in pays what the hash asks for, and the one of a real password asks for a tenth of a second.
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


_PLACES = ("data_dir", "database_url")
_CHECKED: dict[str, Settings] = {}


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
    given = values | others
    # All that is checked of settings is the same for most desks, but where their data is.
    checked = {name: value for name, value in given.items() if name not in _PLACES}
    name = repr(sorted((key, _plain(value)) for key, value in checked.items()))
    if name not in _CHECKED:
        _CHECKED[name] = Settings(_env_file=None, **given)
    return _CHECKED[name].model_copy(update={key: given[key] for key in _PLACES})


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@cache
def vocabularies() -> Vocabularies:
    """Give those of all desks: remembering two readers, for tests that change an entry and others come in turns."""
    return counted(2)


# What the first desk of a process read, for the others: they are copies of one database, and reading is dear.
_READ: list[tuple[Knowledge, Reader]] = []


async def furnish(program: Program) -> None:
    """Let a program know the entries that stand in its database from the beginning."""
    if not _READ:
        async with program.database.read() as connection:
            knowledge = await loading.load(connection)
        _READ.append(
            (knowledge, await loading.build(program.database, NoEmbedder(), knowledge.entries, vocabularies()))
        )
    program.library.take(*_READ[0])


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
    # Each with the settings and adapters that it was made of.
    apps: list[tuple[Any, Any, Any]] = field(default_factory=list, compare=False)

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

    async def claim(self, member: StaffMember) -> UUID:
        """Let a member take the conversation that waits, which is the only one; gives the ticket."""
        async with self.program.database.begin() as connection:
            (waiting,) = await tickets.waiting(connection)
            claimed = await queue.claim(connection, waiting.id, member, new_id=self.new_id, now=self.clock())
            assert claimed == Claimed()
        await self.turns()
        return waiting.id

    async def inbox_counts(self) -> dict[str, int]:
        async with self.program.database.read() as connection:
            return {status.value: count for status, count in (await inbox.counts(connection)).items()}

    def browser(self) -> httpx.AsyncClient:
        """Give a client that speaks to the application in this process: one, until what it is made of changes."""
        made_of = (self.program.settings, self.program.adapters)
        if not self.apps or any(one is not now for one, now in zip(self.apps[-1][:2], made_of, strict=True)):
            self.apps.append((*made_of, create_app(self.program, COMPILED)))
        transport = httpx.ASGITransport(app=self.apps[-1][2], raise_app_exceptions=False)
        headers = {"Accept": "text/html", "Accept-Language": "it", "Sec-Fetch-Site": "same-origin"}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


async def next_due(deliveries: Deliveries) -> datetime | None:
    """Give the moment from which something may be sent."""
    channel, account = deliveries.adapter.channel, deliveries.adapter.account
    async with deliveries.database.read() as connection:
        return await leasing.next_due(connection, channel=channel, account=account)
