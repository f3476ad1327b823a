"""The tasks that run beside the web: turns, deliveries, the knowledge of the moment, and clearing up."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog

from knowledge.embedding import EmbedderUnavailableError
from sportello.deliveries import Deliveries, doubt
from sportello.library import Library
from sportello.memory import give_back
from sportello.platforms import HANDED_OVER
from sportello.pulling import Pulls
from sportello.turns import Turns
from sportello.waking import Bell
from sportello.watching import Watch
from store import handovers, inbox, limits, retention
from store.database import TROUBLES, Database
from store.retention import Terms

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Safety net beside the wake-ups, and what retries wait for.
POLL_SECONDS: Final = 2.0
AFTER_TROUBLE_SECONDS: Final = 1.0
DOUBT_EVERY: Final = 15.0
WATCH_EVERY: Final = 15.0
CLEARING_EVERY: Final = 600.0
# A platform repeats a request within seconds (WeChat: three times, every five).
REPLIES_KEPT: Final = timedelta(minutes=5)

# What may go wrong with the database or the network without any fault of ours: the next try may succeed.
PASSING_TROUBLES: Final = (*TROUBLES, TimeoutError, EmbedderUnavailableError)


class Stop:
    """Asked of the workers: finish what you do, and begin nothing new."""

    def __init__(self) -> None:
        """Begin running."""
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Ask everybody to stop."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Tell whether to stop."""
        return self._asked.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until asked or until the time is over; True where asked."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True


async def take_turns(turns: Turns, library: Library, bell: Bell, stop: Stop) -> None:
    """Take turns until asked to stop, from when messages can be understood."""
    while not (stop.asked or library.understood.is_set()):
        await stop.wait(0.1)
    while not stop.asked:
        if not await _tried(turns.take, stop):
            await bell.wait(POLL_SECONDS)


async def send(deliveries: Deliveries, bell: Bell, stop: Stop, clock: Callable[[], datetime]) -> None:
    """Send until asked to stop."""
    opened = False

    async def once() -> bool:
        nonlocal opened
        if not opened:
            await deliveries.open()
            opened = True
        # As long as there is something to send: then the time until there is more.
        due = await deliveries.send_due(lambda: not stop.asked)
        seconds = POLL_SECONDS if due is None else (due - clock()).total_seconds()
        # Due, and yet not to be had: another sender has it, or an earlier one of its conversation.
        await bell.wait(min(max(seconds, 0.01), POLL_SECONDS))
        return True

    while not stop.asked:
        await _tried(once, stop)


async def pull(pulls: Pulls, bell: Bell, stop: Stop, clock: Callable[[], datetime]) -> None:
    """Fetch until asked to stop."""
    opened = False

    async def once() -> bool:
        nonlocal opened
        if not opened:
            await pulls.open()
            opened = True
        due = await pulls.next_due()
        seconds = POLL_SECONDS if due is None else (due - clock()).total_seconds()
        if seconds > 0 or not await pulls.pull():
            await bell.wait(min(max(seconds, 0.01), POLL_SECONDS))
        return True

    while not stop.asked:
        await _tried(once, stop)


async def refresh(library: Library, bell: Bell, stop: Stop) -> None:
    """Bring the entries and the reader up to date at every wake-up, and now and then without one."""
    while not stop.asked:
        if await _tried(library.refresh, stop):
            give_back()
        await bell.wait(POLL_SECONDS * 15 if library.understood.is_set() else AFTER_TROUBLE_SECONDS)


async def ripen(library: Library, clock: Callable[[], datetime], stop: Stop) -> None:
    """Do beside everything else what a new reader needs and takes long: calibration, and the texts not embedded yet.

    Not in `refresh`, so that an edit is in use within seconds whatever goes on here.
    """
    await _tried(library.warm, stop)
    while not stop.asked:
        busy = await _tried(lambda: library.calibrate(clock()), stop) or await _tried(library.complete, stop)
        if busy:
            give_back()
        else:
            await stop.wait(POLL_SECONDS)


async def end_doubts(database: Database, clock: Callable[[], datetime], stop: Stop) -> None:
    """Find deliveries whose sender died."""
    while not await stop.wait(DOUBT_EVERY):
        await _tried(lambda: doubt(database, clock()), stop)


async def watch_phones(watch: Watch, stop: Stop) -> None:
    """Look after the phones until asked to stop."""
    while not stop.asked:
        await _tried(watch.look, stop)
        await stop.wait(WATCH_EVERY)


async def clear_up(database: Database, terms: Terms, clock: Callable[[], datetime], stop: Stop) -> None:
    """Delete on time what residents wrote; the first time at once."""

    async def once() -> bool:
        now = clock()
        async with database.begin() as connection:
            await handovers.give_up(connection, HANDED_OVER, before=now - terms.chat, now=now)
            deleted = await retention.sweep(connection, terms, now=now)
            await limits.sweep(connection, before=now - timedelta(days=1))
            await inbox.forget_replies(connection, before=now - REPLIES_KEPT)
        if deleted:
            log.info("conversations_deleted", count=deleted)
        return True

    await _tried(once, stop)
    while not await stop.wait(CLEARING_EVERY):
        await _tried(once, stop)


async def _tried(work: Callable[[], Awaitable[T]], stop: Stop) -> T | None:
    """Do some work; where the database or the network is away, wait a moment instead."""
    try:
        return await work()
    except PASSING_TROUBLES as error:
        log.warning("trouble", error=type(error).__name__)
        await stop.wait(AFTER_TROUBLE_SECONDS)
        return None
