"""Where platforms deliver: verify, parse, inbox, commit, acknowledge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from channels.adapter import Answer, Call, CalledAdapter, PulledAdapter, RejectedError, WireMessage
from channels.composing import AFTER, typing_shown
from channels.counting import InboxCounts
from channels.passive import PassiveReplies
from channels.receiving import Received, take_in
from store import cursors
from store.database import TROUBLES, Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the routes need. `typing_after`: an answer that takes longer is shown as being written."""

    database: Database
    passive: PassiveReplies
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    counts: InboxCounts
    typing_after: timedelta = AFTER

    async def check(self, adapter: CalledAdapter, request: Request) -> Response:
        """Answer a platform that checks the address."""
        try:
            answer = adapter.check(Call(request.headers, request.query_params, b""), now=self.clock())
        except RejectedError as error:
            return self._rejected(adapter, error)
        return _response(answer)

    async def receive(self, adapter: CalledAdapter, request: Request) -> Response:
        """Store what a platform sent, and tell it so."""
        try:
            body = await bounded(request, adapter.body_max)
            payload = adapter.verify(Call(request.headers, request.query_params, body), now=self.clock())
        except RejectedError as error:
            return self._rejected(adapter, error)
        try:
            received = await self._store(adapter, payload)
            reply = await self._first_reply(adapter, received)
        except TROUBLES as error:
            # Not stored, so not acknowledged: the platform sends it again.
            log.error("not_stored", channel=adapter.channel, error=type(error).__name__)  # noqa: TRY400 - no trace: it may quote the message
            return Response(status_code=503)
        return _response(adapter.answer(payload, reply, now=self.clock()))

    async def _store(self, adapter: CalledAdapter, payload: Any) -> list[Received]:
        if (token := rung(adapter, payload)) is not None:
            async with self.database.begin() as connection:
                await cursors.ring(
                    connection, channel=adapter.channel, account=adapter.account, token=token, now=self.clock()
                )
            return []
        return await take_in(self.database, adapter, payload, clock=self.clock, new_id=self.new_id, counts=self.counts)

    async def _first_reply(self, adapter: CalledAdapter, received: Sequence[Received]) -> WireMessage | None:
        patience = adapter.capabilities.passive
        if patience is None or len(received) != 1:
            return None
        async with typing_shown(adapter, received[0], after=self.typing_after):
            return await self.passive.first(adapter, received[0], patience=patience)

    def _rejected(self, adapter: CalledAdapter, error: RejectedError) -> Response:
        self.counts.rejected.labels(channel=adapter.channel).inc()
        return Response(status_code=error.status)


def rung(adapter: CalledAdapter, payload: Any) -> str | None:
    """Give the token of a call that only announces something; None for all others."""
    doorbell: Callable[[Any], str | None] | None = getattr(adapter, "doorbell", None)
    return None if doorbell is None else doorbell(payload)


def router(adapters: Sequence[CalledAdapter | PulledAdapter], webhooks: Webhooks) -> APIRouter:
    """Make the routes of each adapter; without adapters there are none."""
    routes = APIRouter(prefix="/webhooks")
    for adapter in adapters:
        _add(routes, adapter, webhooks)
    return routes


def _add(routes: APIRouter, adapter: CalledAdapter, webhooks: Webhooks) -> None:
    path = f"/{adapter.channel}"

    async def check(request: Request) -> Response:
        return await webhooks.check(adapter, request)

    async def receive(request: Request) -> Response:
        return await webhooks.receive(adapter, request)

    routes.add_api_route(path, check, methods=["GET"])
    routes.add_api_route(path, receive, methods=["POST"])


def _response(answer: Answer) -> Response:
    # The bytes as they are: a framework that puts them in quotes fails every platform's check of the address.
    return Response(answer.body, media_type=answer.media_type)


async def bounded(request: Request, longest: int) -> bytes:
    """Read a body up to a bound in bytes, without trusting what it says of its length. Raises RejectedError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise RejectedError(413)
    return bytes(body)
