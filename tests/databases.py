"""Databases of their own for tests, as cheaply as can be: copied or washed, and spoken to as one before was."""

import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from store import database
from store.database import Database

# Where a connection notes which round of its engine it is in.
_GIVEN = "given"


class Engines:
    """Engines that one test leaves to the next, with what they compiled.

    A statement costs a millisecond to compile, and each test would compile the same ones. An engine that is let go is
    given to whoever asks for one of the same address and settings: with its connections, where the database stays.
    """

    def __init__(self) -> None:
        self._free: dict[str, list[AsyncEngine]] = defaultdict(list)
        self._names: dict[AsyncEngine, str] = {}
        self._staying: set[URL] = set()
        # How often each engine was given to somebody.
        self._given: Counter[int] = Counter()

    def make(self, url: URL, **settings: Any) -> AsyncEngine:
        """Stand in for SQLAlchemy's function."""
        name = f"{url.render_as_string(hide_password=False)} {settings}"
        engine = self._free[name].pop() if self._free[name] else self._new(url, settings)
        self._names[engine] = name
        self._given[id(engine)] += 1
        return engine

    def _new(self, url: URL, settings: dict[str, Any]) -> AsyncEngine:
        engine = create_async_engine(url, **settings)

        def forget(_connection: object, record: PoolProxiedConnection, _proxy: object) -> None:
            # What the program has noted with a connection, it would not know of a new one.
            if record.info.get(_GIVEN) != self._given[id(engine)]:
                record.info.clear()
                record.info[_GIVEN] = self._given[id(engine)]

        event.listen(engine.sync_engine, "checkout", forget)
        return engine

    async def let_go(self, one: Database) -> None:
        """Keep the engine of a database for the next one; close its connections, unless the database stays."""
        engine = one._engine
        if engine.url not in self._staying:
            await engine.dispose()
        # A database may be closed twice, and its engine belong to another one by then.
        name = self._names.pop(engine, None)
        if name is not None:
            self._free[name].append(engine)

    def keep(self, url: URL) -> None:
        """Keep connections to a database open from one test to the next."""
        self._staying.add(url)

    async def drop(self, url: URL) -> None:
        """Close the connections to a database that is about to go."""
        self._staying.discard(url)
        for engine in [engine for engines in self._free.values() for engine in engines if engine.url == url]:
            await engine.dispose()

    async def close(self) -> None:
        """Close all connections."""
        for url in list(self._staying):
            await self.drop(url)

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every database of this process take its engine from here."""

        async def close(one: Database) -> None:
            await self.let_go(one)

        monkeypatch.setattr(database, "create_async_engine", self.make)
        monkeypatch.setattr(Database, "close", close)


# A row that is changed has a later transaction, one that is deleted is missing (PostgreSQL, 5.6).
_SEEN = "(SELECT count(*) || ' ' || coalesce(max(xmin::text::bigint), 0) FROM {})"
_EMPTIED = "DELETE FROM {}; "


@dataclass(frozen=True, slots=True)
class _Washing:
    """How a copy becomes as its template again: what is looked at, what must be found, and what empties the rest."""

    look: str
    found: tuple[Any, ...]
    empty: str

    @classmethod
    async def of(cls, template: Database) -> "_Washing":
        """See which tables of a template have rows: these may not be changed, and all others are emptied."""
        async with template.read() as connection:
            named = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            tables = sorted(named.scalars())
            full = [
                table
                for table in tables
                if (await connection.execute(text(f"SELECT {_SEEN.format(table)}"))).scalar_one() != "0 0"
            ]
            look = f"SELECT {', '.join(_SEEN.format(table) for table in full) or 'NULL'}"
            found = tuple((await connection.execute(text(look))).one())
        emptied = "".join(_EMPTIED.format(table) for table in tables if table not in full)
        return cls(
            look,
            found,
            # Without the checks of foreign keys, whose rows go too.
            f"DO $$ BEGIN SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '2s'; {emptied}"
            "PERFORM setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences"
            " WHERE last_value IS NOT NULL; END $$",
        )

    async def wash(self, copy: Database) -> bool:
        """Empty what a test has filled; False where it changed what was there before, or still holds something."""
        try:
            async with copy.begin() as connection:
                if tuple((await connection.execute(text(self.look))).one()) != self.found:
                    return False
                await connection.execute(text(self.empty))
        except DBAPIError:
            return False
        return True


class Copies:
    """Copies of databases, made and dropped over one connection."""

    def __init__(self, server: Database, engines: Engines) -> None:
        self._server, self._engines = server, engines
        self._numbers = itertools.count(1)
        # Names of copies that are gone. They are used again, for `Engines` knows engines by their address.
        self._free: list[str] = []
        self._washed: dict[str, list[URL]] = defaultdict(list)
        self._washing: dict[str, _Washing] = {}

    @asynccontextmanager
    async def of(self, template: str) -> AsyncIterator[URL]:
        """Give a copy of a database that nobody had before, for as long as it is used."""
        name = self._free.pop() if self._free else f"test_{next(self._numbers)}"
        yield await self._make(name, template)
        await self._drop(name)
        self._free.append(name)

    @asynccontextmanager
    async def washed(self, template: str) -> AsyncIterator[URL]:
        """Give a copy that others may have had before and that is as its template again: a tenth of the time.

        For programs in this process. Another process may still write after it was killed.
        """
        if template not in self._washing:
            async with Database(self._server.url.set(database=template)) as original:
                self._washing[template] = await _Washing.of(original)
        free = self._washed[template]
        url = free.pop() if free else await self._make(f"washed_{next(self._numbers)}", template)
        self._engines.keep(url)
        yield url
        async with Database(url, pool_size=1) as copy:
            clean = await self._washing[template].wash(copy)
        if clean:
            free.append(url)
        else:
            await self._engines.drop(url)
            await self._drop(str(url.database))

    async def _make(self, name: str, template: str) -> URL:
        await execute_outside_transaction(
            self._server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
        )
        return self._server.url.set(database=name)

    async def _drop(self, name: str) -> None:
        await execute_outside_transaction(self._server, f"DROP DATABASE {name} WITH (FORCE)")


async def execute_outside_transaction(database: Database, statement: str) -> None:
    """Execute what PostgreSQL does not do within a transaction."""
    async with database.read() as connection:
        await connection.execute(text(statement))
