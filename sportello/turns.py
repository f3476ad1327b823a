"""Turns: one inbox row after the other of a conversation, each in one transaction."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.engine import step
from bot.events import Event
from bot.state import dump
from sportello.arrivals import SET_ASIDE, Arrivals
from sportello.counting import Counts
from sportello.effects import Effects
from sportello.transcribing import Turn, begin
from sportello.undelivered import NotYetError
from store import albums, inbox
from store.albums import Part
from store.database import Database
from store.inbox import Waiting
from web.tracing import place

log = structlog.get_logger(__name__)

# A message that makes the program fail so often is set aside; it never blocks the conversation.
FAILURES_ALLOWED: Final = 3
RETRY_AFTER: Final = timedelta(seconds=1)
# No event leads to more than two others; more than this is a loop in the engine.
EVENTS_AT_MOST: Final = 10


class EngineLoopError(Exception):
    """One inbox row led to more events than any can."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes turns. Any number may do so at once, in any number of processes."""

    database: Database
    arrivals: Arrivals
    effects: Effects
    clock: Callable[[], datetime]
    counts: Counts
    scenes: frozenset[str] = frozenset()

    async def take(self) -> bool:
        """Handle the oldest waiting row of a conversation that nobody works on; False where there is none.

        Raises the database's own errors: they are no fault of the message, which is taken again later.
        """
        waiting: Waiting | None = None
        others: tuple[Part, ...] = ()
        try:
            async with self.database.begin() as connection:
                now = self.clock()
                waiting = await inbox.take(connection, now=now)
                if waiting is None:
                    return False
                others = await albums.parts(connection, waiting)
                turn = begin(connection, waiting.conversation, now)
                await self._handle(turn, waiting, others)
        except (OperationalError, InterfaceError, ConnectionError):
            raise
        except NotYetError:
            await self._put_off(waiting)
            return True
        except Exception as error:
            if waiting is None or _passing(error):
                raise
            await self._failed(waiting, others, error)
            return True
        self.counts.turns.labels(outcome="done").inc()
        self._count_scene(waiting)
        self.counts.turn_seconds.observe((self.clock() - waiting.received_at).total_seconds())
        return True

    def _count_scene(self, waiting: Waiting) -> None:
        """Count by which link somebody came; anybody can make one up, so only those of the settings stand apart."""
        scene = waiting.payload.get("payload") if waiting.payload["kind"] in {"start", "opened"} else None
        if scene:
            channel = waiting.conversation.address.channel
            self.counts.scenes.labels(channel=channel, scene=scene if scene in self.scenes else "other").inc()

    async def _handle(self, turn: Turn, waiting: Waiting, others: tuple[Part, ...]) -> None:
        staff = waiting.payload.get("staff")
        staff_id = None if staff is None else UUID(staff)
        first = await self.arrivals.event(turn, _joined(waiting, others))
        events: deque[Event] = deque(() if first is None else (first,))
        for _ in range(EVENTS_AT_MOST):
            if not events:
                break
            stepped = step(turn.state, events.popleft())
            turn.state = stepped.state
            for action in stepped.actions:
                follows = await self.effects.apply(turn, action, inbox_id=waiting.id, staff_id=staff_id)
                if follows is not None:
                    events.append(follows)
        if events:
            raise EngineLoopError
        await turn.store(dump(turn.state), waiting.id, *(part.id for part in others))

    async def _put_off(self, waiting: Waiting | None) -> None:
        if waiting is not None:
            async with self.database.begin() as connection:
                await inbox.put_off(connection, waiting.id, until=self.clock() + RETRY_AFTER)

    async def _failed(self, waiting: Waiting, others: tuple[Part, ...], error: Exception) -> None:
        """Count the failure; at the third, apologise through a turn of its own. What came together fails together."""
        # The error's text may quote what the resident wrote, so only its kind and place are kept.
        log.error("turn_failed", inbox=waiting.id, error=type(error).__name__, at=place(error))
        self.counts.turns.labels(outcome="failed").inc()
        now = self.clock()
        async with self.database.begin() as connection:
            ended = [
                await inbox.count_failure(
                    connection,
                    inbox_id,
                    error=type(error).__name__,
                    limit=FAILURES_ALLOWED,
                    retry_at=now + RETRY_AFTER,
                    now=now,
                )
                for inbox_id in (waiting.id, *(part.id for part in others))
            ]
            set_aside = ended[0]
            if set_aside and waiting.payload.get("kind") != SET_ASIDE:
                self.counts.turns.labels(outcome="set-aside").inc()
                await inbox.receive(
                    connection,
                    channel="sportello",
                    account="sportello",
                    event_key=f"set-aside:{waiting.id}",
                    conversation_id=waiting.conversation.id,
                    payload={"kind": SET_ASIDE},
                    now=now,
                )


def _joined(waiting: Waiting, others: tuple[Part, ...]) -> dict[str, Any]:
    """Give the payload of a row, with what came together with it."""
    return waiting.payload | ({"others": [part.payload for part in others]} if others else {})


# PostgreSQL's codes for a transaction that it ended so that another could go on: deadlock, serialization.
_SACRIFICED: Final = frozenset({"40P01", "40001"})


def _passing(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _SACRIFICED
