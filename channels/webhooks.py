"""Where platforms deliver: verify, parse, inbox, commit, acknowledge."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from channels.adapter import Adapter, RejectedError
from channels.counting import InboxCounts
from channels.receiving import take_in
from store.database import TROUBLES, Database

log = structlog.get_logger(__name__)

BODY_MAX: Final = 1024 * 1024


def router(
    adapters: Sequence[Adapter],
    database: Database,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> APIRouter:
    """Make one route for each adapter; without adapters there are none."""
    routes = APIRouter(prefix="/webhooks")
    for adapter in adapters:
        routes.add_api_route(
            f"/{adapter.channel}",
            _handler(adapter, database, clock=clock, new_id=new_id, counts=counts),
            methods=["POST"],
        )
    return routes


def _handler(
    adapter: Adapter,
    database: Database,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> Callable[[Request], Any]:
    async def receive(request: Request) -> Response:
        try:
            body = await _bounded(request)
            adapter.verify(request.headers, body)
        except RejectedError as error:
            counts.rejected.labels(channel=adapter.channel).inc()
            return Response(status_code=error.status)
        try:
            payload: Any = json.loads(body)
        except (ValueError, RecursionError):
            payload = body.decode("utf-8", "replace")
        try:
            await take_in(database, adapter, payload, clock=clock, new_id=new_id, counts=counts)
        except TROUBLES as error:
            # Not stored, so not acknowledged: the platform sends it again.
            log.error("not_stored", channel=adapter.channel, error=type(error).__name__)  # noqa: TRY400 - no trace: it may quote the message
            return Response(status_code=503)
        return Response(status_code=200)

    return receive


async def _bounded(request: Request) -> bytes:
    """Read a body up to a bound, without trusting what it says of its length."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise RejectedError(413)
    return bytes(body)
