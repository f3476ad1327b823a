"""Wake-ups between processes: PostgreSQL's NOTIFY inside a transaction, LISTEN on a connection of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import asyncpg
import structlog
from sqlalchemy.engine import URL

from store.database import WAKES, Write

log = structlog.get_logger(__name__)

RECONNECT_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 20.0


class Topic(StrEnum):
    """What a wake-up is about.

    The payload is the conversation's id for `CONVERSATION` and `TYPING`, the channel for `OUTBOX`.
    `TYPING` alone is no hint: there is nothing in the database to look at, and one that is missed is missed.
    """

    INBOX = "sportello_inbox"
    OUTBOX = "sportello_outbox"
    CONVERSATION = "sportello_conversation"
    QUEUE = "sportello_queue"
    KNOWLEDGE = "sportello_knowledge"
    PULL = "sportello_pull"
    TYPING = "sportello_typing"


def notify(connection: Write, topic: Topic, payload: str = "") -> None:
    """Wake the listeners of a topic when, and only when, the transaction commits."""
    connection.info[WAKES][topic.value, payload] = None


class Listener:
    """Hears all topics on one connection and passes them on; after a lost connection it tells everybody to look.

    A wake-up is a hint: whoever is woken reads the database. So nothing is lost where one is missed,
    only late by the slow poll that every worker has beside it.
    """

    def __init__(self, url: URL) -> None:
        """Prepare to listen; nobody is told anything yet."""
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._heard: list[Callable[[Topic, str], None]] = []
        self.connected = asyncio.Event()

    def tell(self, heard: Callable[[Topic, str], None]) -> None:
        """Call `heard` with topic and payload at every wake-up, from the event loop."""
        self._heard.append(heard)

    def on(self, topic: Topic, ring: Callable[[], None]) -> None:
        """Call `ring` at every wake-up of one topic."""
        self.tell(lambda heard, _payload: ring() if heard is topic else None)

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listener_lost", error=type(error).__name__)
            self.connected.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "sportello-listener"})
        try:
            for topic in Topic:
                await connection.add_listener(topic.value, self._received)
            self.connected.set()
            for topic in Topic:
                # Everybody is to look, and not to believe that a person is writing to them.
                if topic is not Topic.TYPING:
                    self._pass_on(topic, "")
            while True:
                await asyncio.sleep(PROBE_SECONDS)
                await connection.execute("SELECT 1", timeout=PROBE_SECONDS)
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    def _received(self, _connection: object, _pid: int, topic: str, payload: object) -> None:
        self._pass_on(Topic(topic), str(payload))

    def _pass_on(self, topic: Topic, payload: str) -> None:
        for heard in self._heard:
            heard(topic, payload)
