"""The database engine and its transactions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NewType, Self

import asyncpg
from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

# Two names of one class, for the type checker: what a function's signature asks for says whether it writes.
Read = NewType("Read", AsyncConnection)
Write = NewType("Write", Read)

POOL_SIZE: Final = 10
# What the database or the way to it can do without any fault of ours. While connecting, the driver's own
# errors come through unwrapped.
TROUBLES: Final = (OSError, DBAPIError, InterfaceError, asyncpg.PostgresError, asyncpg.InterfaceError)
# Where a transaction keeps the wake-ups that its commit sends: an ordered set of topic and payload.
WAKES: Final = "sportello_wakes"
_NOTIFY: Final = text(
    "SELECT pg_notify(topic, payload) FROM unnest(:topics, :payloads) AS wake (topic, payload)"
).bindparams(bindparam("topics", type_=ARRAY(Text)), bindparam("payloads", type_=ARRAY(Text)))


class DatabaseUnreachableError(Exception):
    """No connection to the database; the message is fit to show to an administrator."""


def normalised(url: str) -> URL:
    """Give the URL with our driver, whatever driver it names; raises ValueError where it is none."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ValueError("DATABASE_URL is not a database URL") from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ValueError("DATABASE_URL must name a PostgreSQL server")
    return parsed.set(drivername="postgresql+asyncpg")


def wakes_of(connection: Write) -> tuple[list[str], list[str]]:
    """Take the wake-ups gathered so far, topics and payloads, for a statement that sends them itself."""
    wakes: dict[tuple[str, str], None] = connection.info[WAKES]
    topics, payloads = [topic for topic, _ in wakes], [payload for _, payload in wakes]
    wakes.clear()
    return topics, payloads


class Database:
    """One pool of connections to one PostgreSQL database."""

    def __init__(self, url: URL, *, pool_size: int = POOL_SIZE) -> None:
        """Prepare the pool; nothing is connected yet."""
        self.url = url
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_pre_ping=False,
            connect_args={"server_settings": {"application_name": "sportello"}},
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Write]:
        """Open a transaction: committed at the end of the block, rolled back where it raises.

        The wake-ups that `store.notify` gathered go out in one statement before the commit.
        """
        async with self._engine.begin() as connection:
            wakes: dict[tuple[str, str], None] = {}
            connection.info[WAKES] = wakes
            writing = Write(Read(connection))
            yield writing
            if wakes:
                topics, payloads = wakes_of(writing)
                await connection.execute(_NOTIFY, {"topics": topics, "payloads": payloads})

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        """Give a connection for reading only. Each statement sees what is committed when it begins.

        Without a transaction around them: at this isolation level one would show the statements nothing
        more in common, and cost two round trips.
        """
        async with self._engine.connect() as connection:
            yield Read(await connection.execution_options(isolation_level="AUTOCOMMIT"))

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[Write]:
        """Give a connection on which each statement is a transaction of its own, committed when it ends.

        For a change that is one statement: it costs one round trip and not three. No wake-up can be gathered here.
        """
        async with self._engine.connect() as connection:
            connection.info.pop(WAKES, None)
            yield Write(Read(await connection.execution_options(isolation_level="AUTOCOMMIT")))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        """Use the database for a block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it at the end."""
        await self.close()
