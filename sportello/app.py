"""The web application: every router and handler, in one visible place."""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from jinja2 import BytecodeCache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from channels import bridge_gateway, phone_gateway, relay_live, relay_pages, webchat, webhooks
from channels.bridge_gateway import BridgeGateway
from channels.handing_over import HandingOver
from channels.passive import PassiveReplies
from channels.phone_gateway import PhoneGateway
from channels.relay_desk import RelayDesk
from channels.webchat import Webchat
from channels.webchat_session import Sessions
from channels.webhooks import Webhooks
from handoff import channel_pages, console, live, media, writing
from handoff.channels import Channels
from handoff.console import Desk
from knowledge import pages, record_pages
from knowledge.filling import Filler, fill
from knowledge.pages import Editing
from knowledge.record_pages import RecordEditing
from knowledge.records import Records
from sportello import cards
from sportello.channel_list import desk_channels
from sportello.media import fetching
from sportello.platforms import bridges, called, phones
from sportello.program import Program
from sportello.writing import showing
from store import migrations
from store.database import TROUBLES
from store.migrations import Fit
from web import problems, sign_in
from web.identity import Identity
from web.problems import Problems
from web.protection import LOOKED_AT, Protection, Signer
from web.shell import Shell

ROOT: Final = Path(__file__).resolve().parent.parent
TEMPLATES: Final = {
    "web": ROOT / "web" / "templates",
    "resident": ROOT / "channels" / "templates",
    "desk": ROOT / "handoff" / "templates",
    "knowledge": ROOT / "knowledge" / "templates",
}
# How long a form without script waits for the answer.
WAIT_SECONDS: Final = 3.0


def shell_of(program: Program, compiled: BytecodeCache | None = None) -> Shell:
    """Make the page shell; shells that follow one another in a process may share what is `compiled`."""
    settings = program.settings
    service: dict[str, str | timedelta] = {
        "name": settings.service_name,
        "operator": settings.operator,
        "contact": settings.contact,
        "chat_days": timedelta(days=settings.chat_days),
        "ticket_days": timedelta(days=settings.ticket_days),
        # Whether the desk has a relay; a page that is not there has no link.
        "relay": "on" if settings.relayed else "",
    }
    return Shell(program.catalogue, TEMPLATES, service=service, new_id=program.new_id, compiled=compiled)


def create_app(program: Program, compiled: BytecodeCache | None = None) -> ASGIApp:
    """Make the application of a program; `compiled` is as for `shell_of`."""
    settings = program.settings
    app = FastAPI(title=settings.service_name, docs_url=None, redoc_url=None, openapi_url=None)
    shell = shell_of(program, compiled)
    signer = Signer(settings.secret())
    identity = Identity(program.database, signer, program.clock, secure=settings.secure)
    told = Problems(shell, identity)
    problems.install(app, told)
    app.mount("/static", shell.static)
    app.include_router(
        webchat.router(
            Webchat(
                shell=shell,
                database=program.database,
                hub=program.hub,
                signer=signer,
                sessions=Sessions(signer, program.new_id, settings.secure),
                clock=program.clock,
                new_id=program.new_id,
                topics=program.library.topics,
                wait_seconds=WAIT_SECONDS,
            ),
            secure=settings.secure,
        )
    )
    app.include_router(
        webhooks.router(
            called(settings, program.adapters),
            Webhooks(
                database=program.database,
                passive=PassiveReplies(program.database, program.hub, program.clock),
                clock=program.clock,
                new_id=program.new_id,
                counts=program.inbox_counts,
            ),
        )
    )
    _add_handed_over(app, program, shell)
    app.include_router(sign_in.router(shell, identity, program.database))
    channels = Channels(desk_channels(settings, program.adapters), program.clock)
    phone_names = [name for name, _ in settings.phones]
    desk = Desk(shell, program.database, program.hub, identity, channels, program.clock, program.new_id, phone_names)
    app.include_router(channel_pages.router(desk))
    app.include_router(console.router(desk))
    app.include_router(live.router(desk))
    app.include_router(writing.router(desk, showing(program.database, program.adapters)))
    _add_relay(app, program, shell, identity)
    app.include_router(media.router(desk, fetching(program.adapters)))

    def filler(records: Records) -> Filler:
        return partial(fill, records=records, today=program.today(), catalogue=program.catalogue)

    # Before the entries, whose addresses would take those of the records for a slug and a language.
    records = RecordEditing(shell, program.database, identity, program.clock, filler, cards.fault_of)
    app.include_router(record_pages.router(records))
    editing = Editing(shell, program.database, identity, program.clock, program.today, filler)
    app.include_router(pages.router(editing))
    _add_probes(app, program)
    return Protection(app, told.answer, secure=settings.secure)


def _add_relay(app: FastAPI, program: Program, shell: Shell, identity: Identity) -> None:
    """Add the relay desk, where an operator does by hand what no interface does."""

    def in_italian(block: Mapping[str, Any]) -> str | None:
        return program.library.presenter.in_italian(block)

    desk = RelayDesk(
        shell=shell,
        database=program.database,
        hub=program.hub,
        identity=identity,
        clock=program.clock,
        new_id=program.new_id,
        apps=program.settings.relayed,
        phones=[name for name, _ in program.settings.phones],
        in_italian=in_italian,
        wait_seconds=WAIT_SECONDS,
    )
    app.include_router(relay_pages.router(desk))
    app.include_router(relay_live.router(desk))


def _add_handed_over(app: FastAPI, program: Program, shell: Shell) -> None:
    """Add where phones and a bridge deliver and fetch by themselves."""
    app.include_router(
        phone_gateway.router(
            PhoneGateway(
                database=program.database,
                passive=PassiveReplies(program.database, program.hub, program.clock),
                handing_over=HandingOver(program.database, program.hub, program.clock, phone_gateway.LEASE),
                clock=program.clock,
                new_id=program.new_id,
                counts=program.inbox_counts,
                catalogue=program.catalogue,
                devices=phones(program.settings),
                repeats_within=timedelta(seconds=program.settings.phone_repeat_seconds),
            )
        )
    )
    bridge = bridges(program.settings)
    gateway = None
    if bridge is not None:
        gateway = BridgeGateway(
            shell=shell,
            database=program.database,
            handing_over=HandingOver(program.database, program.hub, program.clock, bridge_gateway.LEASE),
            clock=program.clock,
            new_id=program.new_id,
            counts=program.inbox_counts,
            bridge=bridge,
        )
    app.include_router(bridge_gateway.router(gateway))


def _add_probes(app: FastAPI, program: Program) -> None:
    """Add what a proxy, a supervisor and Prometheus ask for."""
    token = program.settings.metrics_token.get_secret_value()

    @app.api_route("/healthz", methods=LOOKED_AT)
    async def healthz() -> Response:
        """Tell that the process lives."""
        return JSONResponse({"status": "ok"})

    @app.api_route("/readyz", methods=LOOKED_AT)
    async def readyz() -> Response:
        """Tell whether the process can serve: database there, schema current, entries read."""
        try:
            async with program.database.read() as connection:
                fits = await migrations.fit(connection) is Fit.CURRENT
        except TROUBLES:
            return JSONResponse({"status": "no database"}, 503)
        if not fits or not program.library.ready:
            return JSONResponse({"status": "schema" if not fits else "entries"}, 503)
        return JSONResponse({"status": "ok"})

    if token:

        @app.get("/metrics")
        async def metrics(request: Request) -> Response:
            """Give the figures to who has the token."""
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
                return Response(status_code=401)
            return Response(generate_latest(program.registry), media_type=CONTENT_TYPE_LATEST)
