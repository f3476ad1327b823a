"""Where a bridge delivers and fetches, with the description of it for whoever writes one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, Response

from channels.adapter import BadPayloadError, Call, RejectedError
from channels.bridge import (
    BODY_MAX,
    CHANNEL,
    SIGNATURE_HEADER,
    WINDOW,
    Acknowledged,
    Acknowledgement,
    Answered,
    Bridge,
    Choice,
    Message,
    Outbox,
    Stored,
    stored,
)
from channels.bridge_description import body, openapi, operations, refusals
from channels.counting import InboxCounts
from channels.describing import ProgramRoute
from channels.handing_over import ENDINGS, ID_MAX, LONGEST_WAIT, MOST_AT_ONCE, Handed, HandingOver
from channels.payloads import json_or_text
from channels.receiving import store, take_in
from channels.webhooks import bounded
from store import limits
from store.database import TROUBLES, Database
from web.shell import Shell

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=2)
# The description is for programmers, and in English like the code.
DOCUMENTATION: Final = "en"


@dataclass(frozen=True, slots=True)
class BridgeGateway:
    """What the routes need."""

    shell: Shell
    database: Database
    handing_over: HandingOver
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    counts: InboxCounts
    bridge: Bridge

    async def verified(self, request: Request) -> bytes:
        """Give the body of a request that the bridge signed. Raises RejectedError."""
        try:
            call = Call(request.headers, request.query_params, await bounded(request, BODY_MAX))
            self.bridge.verify_request(call, method=request.method, target=_target(request), now=self.clock())
        except RejectedError:
            self.counts.rejected.labels(channel=CHANNEL).inc()
            raise
        return call.body

    async def message(self, request: Request) -> Response:
        """Store what a resident did."""
        payload = json_or_text(await self.verified(request))
        try:
            self.bridge.parse(payload)
        except BadPayloadError as error:
            # Set aside for an administrator, like everything that cannot be read.
            async with self.database.begin() as connection:
                await store(connection, self.bridge, payload, now=self.clock(), new_id=self.new_id, counts=self.counts)
            return JSONResponse({"problem": str(error)}, 422)
        async with self.database.begin() as connection:
            await self.handing_over.open(connection, self.bridge)
        received = await take_in(
            self.database, self.bridge, payload, clock=self.clock, new_id=self.new_id, counts=self.counts
        )
        answer = stored(received[0].inbound.event_key, is_new=received[0].is_new)
        return Response(answer.body, media_type=answer.media_type)

    async def outbox(self, request: Request, *, seconds: float, most: int) -> Response:
        """Hand over what waits for the residents behind the bridge, as soon as there is something."""
        await self.verified(request)
        signed = request.headers[SIGNATURE_HEADER]
        async with self.database.begin() as connection:
            key = "bridge:" + hashlib.sha256(signed.encode()).hexdigest()
            if await limits.hit(connection, key, window=2 * WINDOW, now=self.clock()) > 1:
                return JSONResponse({"problem": "this very request came before"}, 409)
        handed = await self.handing_over.wait(self.bridge, most=most, seconds=seconds, gone=request.is_disconnected)
        return _json(Outbox(messages=[_answered(each) for each in handed]))

    async def acknowledge(self, request: Request, outbox_id: int) -> Response:
        """Hear how a message ended."""
        try:
            said = Acknowledgement.model_validate_json(await self.verified(request))
        except ValidationError:
            return JSONResponse({"problem": 'the body is {"status": "done"} or {"status": "failed"}'}, 422)
        error = None if said.status == "done" else "the bridge could not send it"
        stands = await self.handing_over.acknowledge(self.bridge, outbox_id, ending=ENDINGS[said.status], error=error)
        if stands is None:
            return JSONResponse({"problem": "no such message of this bridge"}, 404)
        return _json(Acknowledged(status=stands.value))


def _target(request: Request) -> str:
    """Give the path with its query as it was sent."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    whole: bytes = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return whole.decode("latin-1")


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def _answered(handed: Handed) -> Answered:
    return Answered(
        id=handed.id,
        thread=handed.thread,
        recipient=handed.recipient,
        language=handed.language,
        texts=[part.text for part in handed.parts],
        choices=[Choice(id=choice.id, label=choice.label) for choice in handed.parts[-1].choices],
        by_person=handed.by_person,
        created_at=handed.created_at,
    )


def router(gateway: BridgeGateway | None) -> APIRouter:
    """Make the routes; without a bridge there are none."""
    routes = APIRouter(prefix="/bridge", route_class=ProgramRoute)
    if gateway is None:
        return routes
    _add_routes(routes, gateway)
    described = openapi(routes.routes)

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response:
        return JSONResponse(described)

    @routes.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return gateway.shell.page(
            request, "resident/bridge.html", code=DOCUMENTATION, api=described, operations=operations(described)
        )

    return routes


def _add_routes(routes: APIRouter, gateway: BridgeGateway) -> None:
    """Add what the bridge calls. Bodies are read by hand, as they are signed byte by byte."""

    @routes.post("/messages", response_model=Stored, openapi_extra=body(Message), responses=refusals(413, 422))
    async def messages(request: Request) -> Response:
        """Store what a resident did on the other app."""
        return await _answer(gateway.message, request)

    @routes.get("/outbox", response_model=Outbox, openapi_extra=body(None), responses=refusals(409, 413, 422))
    async def outbox(
        request: Request,
        wait: Annotated[
            float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for something, where there is nothing.")
        ] = LONGEST_WAIT,
        most: Annotated[int, Query(ge=1, le=MOST_AT_ONCE, description="So many messages at most.")] = 1,
    ) -> Response:
        """Fetch what is to be sent, as soon as there is something."""
        return await _answer(gateway.outbox, request, seconds=wait, most=most)

    @routes.post(
        "/outbox/{outbox_id}/ack",
        response_model=Acknowledged,
        openapi_extra=body(Acknowledgement),
        responses=refusals(404, 413, 422),
    )
    async def acknowledge(request: Request, outbox_id: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
        """Say how a message ended: done, or failed for good."""
        return await _answer(gateway.acknowledge, request, outbox_id=outbox_id)


async def _answer(handle: Callable[..., Any], request: Request, **arguments: Any) -> Response:
    """Answer what the bridge asks; a refusal is a status alone."""
    try:
        answer: Response = await handle(request, **arguments)
    except RejectedError as error:
        return Response(status_code=error.status)
    except TROUBLES as error:
        log.error("bridge_trouble", error=type(error).__name__)  # noqa: TRY400 - no trace: it may quote a message
        return Response(status_code=503)
    return answer
