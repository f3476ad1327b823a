"""Where phones deliver and fetch: notifications in, with the reply where it is ready; the rest by a long poll."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from bot.actions import Wording
from bot.languages import DEFAULT
from bot.wording import Catalogue
from channels.adapter import Answer, BadPayloadError, Call, Inbound, InboundKind, RejectedError, WireMessage
from channels.counting import InboxCounts
from channels.describing import ProgramRoute
from channels.handing_over import ENDINGS, ID_MAX, LONGEST_WAIT, MOST_AT_ONCE, Handed, HandingOver
from channels.passive import PassiveReplies
from channels.phone import BODY_MAX, CHANNEL, TOKEN_HEADER, PhoneDevice, read, replies
from channels.phone_description import (
    ACKNOWLEDGEMENT,
    MESSAGE,
    Acknowledged,
    Acknowledgement,
    Beat,
    Box,
    Replies,
    openapi,
    refusals,
)
from channels.phone_identity import Weakness, weakness
from channels.receiving import Received, count, keep, raw
from channels.webhooks import bounded
from store import conversations, health, inbox, quarantine, repeats
from store.conversations import Address
from store.database import TROUBLES, Database, Write

log = structlog.get_logger(__name__)

# Long enough for a macro that wakes the screen and waits for the app; then nobody knows how it ended.
LEASE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class PhoneGateway:
    """What the routes need. `repeats_within`: the same words of the same sender within it are one message."""

    database: Database
    passive: PassiveReplies
    handing_over: HandingOver
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    counts: InboxCounts
    catalogue: Catalogue
    devices: Sequence[PhoneDevice]
    repeats_within: timedelta

    def device(self, request: Request) -> PhoneDevice:
        """Give the phone that a request comes from. Raises RejectedError."""
        token = request.headers.get(TOKEN_HEADER, "")
        # All are compared, so that the time taken tells nothing of which one it is.
        known = [device for device in self.devices if device.is_this(token)]
        if not known:
            self.counts.rejected.labels(channel=CHANNEL).inc()
            raise RejectedError(401)
        return known[0]

    async def message(self, request: Request) -> Response:
        """Take in a notification, and answer with the replies that are ready in time."""
        try:
            device = self.device(request)
            call = Call(request.headers, request.query_params, await bounded(request, BODY_MAX))
            payload = device.verify(call, now=self.clock())
        except RejectedError as error:
            return _said((), error.status)
        try:
            return await self._taken_in(device, payload)
        except BadPayloadError as error:
            await self._set_aside(device, payload, str(error))
            return _said((), 400)
        except TROUBLES as error:
            log.error("not_stored", channel=CHANNEL, error=type(error).__name__)  # noqa: TRY400 - no trace: it may quote the message
            return _said((), 503)

    async def _taken_in(self, device: PhoneDevice, payload: Any) -> Response:
        notification = read(payload)
        if notification.query.is_test:
            words = self.catalogue.text(Wording("relay.phone.test", (("name", device.account),)), DEFAULT)
            return _said((WireMessage(words),))
        (inbound,) = device.parse(payload)
        async with self.database.begin() as connection:
            await self.handing_over.open(connection, device)
            received = await self._stored(connection, device, inbound, notification.package)
        if received is None:
            return _said(())
        count([received], self.counts)
        return _said(await self.passive.whole(device, received, patience=device.capabilities.passive or timedelta()))

    async def _stored(self, connection: Write, device: PhoneDevice, inbound: Inbound, package: str) -> Received | None:
        """Store a notification; None where it went into quarantine."""
        now = self.clock()
        key = f"{inbound.event_key}:{self.new_id()}"
        if self.repeats_within:
            key = await repeats.key_for(
                connection,
                inbound.event_key,
                channel=CHANNEL,
                account=device.account,
                window=self.repeats_within,
                now=now,
            )
        inbound = replace(inbound, event_key=key)
        weak = await self._weak(connection, inbound, package)
        if weak is None:
            return (await keep(connection, device, [inbound], now=now, new_id=self.new_id))[0]
        await quarantine.add(
            connection,
            channel=CHANNEL,
            account=device.account,
            event_key=key,
            app=package,
            sender=inbound.user_ref,
            message=inbound.text or "",
            reason=weak.value,
            now=now,
        )
        await health.came_in(connection, channel=CHANNEL, account=device.account, now=now)
        return None

    async def _weak(self, connection: Write, inbound: Inbound, package: str) -> Weakness | None:
        if inbound.kind is InboundKind.GROUP:
            return None
        address = Address(CHANNEL, inbound.account, inbound.thread)
        return weakness(package, inbound.user_ref, await conversations.known_as(connection, address))

    async def _set_aside(self, device: PhoneDevice, payload: Any, error: str) -> None:
        """Keep for an administrator what a phone that we know sent, and nobody can read."""
        async with self.database.begin() as connection:
            added = await inbox.set_aside(
                connection,
                channel=CHANNEL,
                account=device.account,
                event_key=device.event_key(payload),
                raw=raw(payload),
                error=error,
                now=self.clock(),
            )
        if added:
            self.counts.set_aside.labels(channel=CHANNEL).inc()

    async def outbox(self, request: Request, *, seconds: float, most: int) -> Response:
        """Hand over what waits for the residents of a phone's apps, as soon as there is something."""
        device = self.device(request)
        handed = await self.handing_over.wait(device, most=most, seconds=seconds, gone=request.is_disconnected)
        return JSONResponse({"messages": [_told(each) for each in handed]})

    async def acknowledge(self, request: Request, outbox_id: int) -> Response:
        """Hear how a message ended on the phone."""
        device = self.device(request)
        try:
            said = Acknowledgement.model_validate_json(await bounded(request, BODY_MAX))
        except ValidationError:
            return JSONResponse({"problem": 'the body is {"status": "done"} or {"status": "failed"}'}, 400)
        error = None if said.status == "done" else "the phone could not send it"
        stands = await self.handing_over.acknowledge(device, outbox_id, ending=ENDINGS[said.status], error=error)
        if stands is None:
            return JSONResponse({"problem": "no such message for this phone"}, 404)
        return JSONResponse({"status": stands.value})

    async def heartbeat(self, request: Request) -> Response:
        """Remember that a phone lives."""
        device = self.device(request)
        now = self.clock()
        async with self.database.begin() as connection:
            await self.handing_over.open(connection, device)
            await health.beat(connection, channel=CHANNEL, account=device.account, now=now)
        return JSONResponse({"ok": True, "device": device.account, "now": now.isoformat()})


def router(gateway: PhoneGateway) -> APIRouter:
    """Make the routes; without phones there are none."""
    routes = APIRouter(prefix="/gateways/phone", route_class=ProgramRoute)
    if not gateway.devices:
        return routes
    _add_routes(routes, gateway)
    described = openapi(routes.routes)

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi_json() -> Response:
        return JSONResponse(described)

    return routes


def _add_routes(routes: APIRouter, gateway: PhoneGateway) -> None:
    """Add what a phone calls. Bodies are read by hand, as macros write them in several ways."""

    @routes.post(
        "/messages", response_model=Replies, openapi_extra=MESSAGE, responses=refusals(400, 413, shaped_as=Replies)
    )
    async def messages(request: Request) -> Response:
        """Take in a notification, and answer with the replies that are ready within 10 seconds."""
        return await gateway.message(request)

    @routes.get("/outbox", response_model=Box, responses=refusals(422))
    async def outbox(
        request: Request,
        wait: Annotated[
            float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for something, where there is nothing.")
        ] = LONGEST_WAIT,
        most: Annotated[int, Query(ge=1, le=MOST_AT_ONCE, description="So many messages at most.")] = 1,
    ) -> Response:
        """Fetch what is to be sent, as soon as there is something."""
        return await _known(gateway.outbox(request, seconds=wait, most=most))

    @routes.post(
        "/outbox/{outbox_id}/ack",
        response_model=Acknowledged,
        openapi_extra=ACKNOWLEDGEMENT,
        responses=refusals(400, 404, 413, 422),
    )
    async def acknowledge(request: Request, outbox_id: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
        """Say how a message ended: done, or failed for good."""
        return await _known(gateway.acknowledge(request, outbox_id))

    @routes.post("/heartbeat", response_model=Beat, responses=refusals())
    async def heartbeat(request: Request) -> Response:
        """Say that the phone lives, every two minutes."""
        return await _known(gateway.heartbeat(request))


async def _known(answering: Awaitable[Response]) -> Response:
    """Answer a phone that is known; any other gets the status alone."""
    try:
        return await answering
    except RejectedError as error:
        return Response(status_code=error.status)
    except TROUBLES as error:
        log.error("gateway_trouble", channel=CHANNEL, error=type(error).__name__)  # noqa: TRY400 - no trace: it may quote a message
        return Response(status_code=503)


def _said(messages: Sequence[WireMessage], status: int = 200) -> Response:
    answer: Answer = replies(messages)
    return Response(answer.body, status, media_type=answer.media_type)


def _told(handed: Handed) -> dict[str, Any]:
    """Give a message as the phone gets it: `text` is all of it, `texts` the parts to send one after the other."""
    texts = [part.text for part in handed.parts]
    return {
        "id": handed.id,
        "package": handed.thread.partition("|")[0],
        "recipient": handed.recipient,
        "text": "\n\n".join(texts),
        "texts": texts,
        "language": handed.language,
        "by_person": handed.by_person,
        "created_at": handed.created_at.isoformat(),
    }
