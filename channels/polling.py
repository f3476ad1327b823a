"""Fetching updates, for a machine without a public address. The same inbox as the webhook's."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from channels.adapter import Adapter, PlatformRefusedError
from channels.counting import InboxCounts
from channels.receiving import take_in
from store.database import Database

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 25
LONGEST_BACK_OFF: Final = 30.0


class PolledAdapter(Adapter, Protocol):
    """A platform that can be asked for what is new."""

    async def updates(self, offset: int | None, *, seconds: int) -> list[Any]:
        """Wait for updates from `offset` on, and give them as they came."""


async def poll(
    adapter: PolledAdapter,
    database: Database,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    counts: InboxCounts,
    stop: asyncio.Event,
    seconds: int = WAIT_SECONDS,
) -> None:
    """Fetch until stopped. What is fetched is confirmed only after it is stored."""
    offset: int | None = None
    back_off = 1.0
    while not stop.is_set():
        try:
            for update in await adapter.updates(offset, seconds=seconds):
                await take_in(database, adapter, update, clock=clock, new_id=new_id, counts=counts)
                if isinstance(update, dict) and isinstance(update.get("update_id"), int):
                    offset = max(offset or 0, update["update_id"] + 1)
            back_off = 1.0
        except Exception as error:  # noqa: BLE001 - network, platform or database: it is tried again, forever
            # Only the platform's own words are fit to show: other errors may hold the address with the token.
            reason = str(error) if isinstance(error, PlatformRefusedError) else type(error).__name__
            log.warning("polling_failed", channel=adapter.channel, reason=reason)
            try:
                async with asyncio.timeout(back_off):
                    await stop.wait()
            except TimeoutError:
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
