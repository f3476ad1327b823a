"""Watching over phones: a gateway whose battery saver killed it must not go unnoticed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from channels.phone import CHANNEL
from sportello.counting import Counts
from store import health
from store.database import Database

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watch:
    """Tells in the figures and the log which phones give no sign of life; the desk's pages look for themselves."""

    database: Database
    phones: Sequence[str]
    clock: Callable[[], datetime]
    counts: Counts
    _silent: frozenset[str] = field(default=frozenset(), init=False)

    async def look(self) -> None:
        """Look once."""
        async with self.database.begin() as connection:
            for name in self.phones:
                await health.open_channel(connection, channel=CHANNEL, account=name)
            found = await health.silent(connection, channel=CHANNEL, accounts=self.phones, now=self.clock())
        silent = frozenset(each.account for each in found)
        for name in self.phones:
            self.counts.phone_silent.labels(phone=name).set(name in silent)
        for name in sorted(silent - self._silent):
            log.error("phone_silent", phone=name)
        for name in sorted(self._silent - silent):
            log.info("phone_back", phone=name)
        self._silent = silent
