"""Databases of their own for tests, as cheaply as can be: copied, not migrated, and spoken to as one before was."""

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store import database
from store.database import Database


class Copies:
    """Copies of databases, made and dropped over one connection."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        # Names of copies that are gone. They are used again, for `Engines` knows engines by their address.
        self._free: list[str] = []

    @asynccontextmanager
    async def of(self, template: str) -> AsyncIterator[URL]:
        """Give a copy of a database for as long as it is used."""
        name = self._free.pop() if self._free else f"test_{next(self._numbers)}"
        await execute_outside_transaction(
            self._server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
        )
        yield self._server.url.set(database=name)
        await execute_outside_transaction(self._server, f"DROP DATABASE {name} WITH (FORCE)")
        self._free.append(name)


class Engines:
    """Engines that one test leaves to the next, with nothing but what they compiled.

    A statement costs a millisecond to compile, and each test would compile the same ones. An engine that is let go has
    closed its connections, and is given to whoever asks for one of the same address and settings.
    """

    def __init__(self) -> None:
        self._free: dict[str, list[AsyncEngine]] = defaultdict(list)
        self._names: dict[AsyncEngine, str] = {}

    def make(self, url: URL, **settings: Any) -> AsyncEngine:
        """Stand in for SQLAlchemy's function."""
        name = f"{url.render_as_string(hide_password=False)} {settings}"
        engine = self._free[name].pop() if self._free[name] else create_async_engine(url, **settings)
        self._names[engine] = name
        return engine

    async def let_go(self, one: Database) -> None:
        """Close the connections of a database, and keep its engine for the next one."""
        engine = one._engine
        await engine.dispose()
        # A database may be closed twice, and its engine belong to another one by then.
        name = self._names.pop(engine, None)
        if name is not None:
            self._free[name].append(engine)

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every database of this process take its engine from here."""

        async def close(one: Database) -> None:
            await self.let_go(one)

        monkeypatch.setattr(database, "create_async_engine", self.make)
        monkeypatch.setattr(Database, "close", close)


async def execute_outside_transaction(database: Database, statement: str) -> None:
    """Execute what PostgreSQL does not do within a transaction."""
    async with database.read() as connection:
        await connection.execute(text(statement))
