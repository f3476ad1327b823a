"""Showing a resident that an answer is being written, on platforms where that can be seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Protocol, runtime_checkable

import structlog

from channels.adapter import InboundKind
from channels.receiving import Received

log = structlog.get_logger(__name__)

# Nearly all answers are there sooner, and then nothing is to be shown.
AFTER: Final = timedelta(seconds=1)
# What a resident does who waits for an answer.
_ASKS: Final = frozenset({InboundKind.TEXT, InboundKind.MEDIA, InboundKind.CHOICE, InboundKind.PICK, InboundKind.START})


@runtime_checkable
class ShowsTyping(Protocol):
    """A platform that shows a resident that something is being written."""

    async def show_typing(self, thread: str) -> None:
        """Show it for a while; where it cannot be shown, do nothing."""


@runtime_checkable
class ShowsTypingUnder(Protocol):
    """A platform that shows it under what the resident wrote last, which it marks as read."""

    async def show_typing_under(self, message_id: str) -> None:
        """Show it for a while, by the platform's id of that message."""


@asynccontextmanager
async def typing_shown(source: object, received: Received, *, after: timedelta = AFTER) -> AsyncIterator[None]:
    """Show that an answer is being written, as long as what is done within takes longer than `after`.

    It is tried once, costs no message, holds nothing up and never fails: what matters is the answer. A repeated
    request shows nothing again.
    """
    task: asyncio.Task[None] | None = None
    if isinstance(source, ShowsTyping) and received.is_new and received.inbound.kind in _ASKS:
        task = asyncio.create_task(_show(source, received.inbound.thread, after))
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _show(source: ShowsTyping, thread: str, after: timedelta) -> None:
    await asyncio.sleep(after.total_seconds())
    await show(source, thread)


async def show(source: ShowsTyping, thread: str) -> None:
    """Show it now. It never fails."""
    await tried(source.show_typing(thread))


async def tried(showing: Awaitable[None]) -> None:
    """Wait for something that shows it. It never fails."""
    try:
        await showing
    except Exception as error:  # noqa: BLE001 - whatever it is, what is written comes all the same
        log.warning("typing_not_shown", error=type(error).__name__)
