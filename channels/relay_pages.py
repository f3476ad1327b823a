"""The routes of the relay desk: opening threads, pasting, marking, and deciding over what is in quarantine."""

from collections.abc import Awaitable
from contextlib import ExitStack
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from channels import relay
from channels.handing_over import ID_MAX
from channels.relay import Refused, Result
from channels.relay_desk import RelayDesk
from store.notify import Topic
from store.staff import Role
from web.identity import SignedIn
from web.live import wait

TextField = Annotated[str, Form()]
KeyField = Annotated[str, Form(max_length=100)]
NumberPath = Annotated[int, Path(ge=1, le=ID_MAX)]

ROLES: Final = (Role.MEDIATOR, Role.ADMINISTRATOR)


def router(desk: RelayDesk) -> APIRouter:
    """Make the routes; without apps there are none."""
    routes = APIRouter(prefix="/desk/relay")
    if not desk.apps:
        return routes
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.get("")
    async def show(request: Request, signed_in: reader) -> Response:
        return await desk.show(request, signed_in)

    @routes.get("/threads/{thread_id}")
    async def show_thread(request: Request, signed_in: reader, thread_id: UUID) -> Response:
        return await desk.show_thread(request, signed_in, thread_id)

    @routes.post("/threads")
    async def open_thread(
        request: Request, signed_in: writer, app: TextField = "", name: TextField = "", tongue: TextField = ""
    ) -> Response:
        result: Result = Refused("relay.problem.app")
        if app in desk.apps:
            async with desk.database.begin() as connection:
                result = await relay.open_thread(
                    connection, app, name, language=tongue, new_id=desk.new_id(), now=desk.clock()
                )
        if isinstance(result, Refused):
            return await desk.show(request, signed_in, problem=result.message, typed=name)
        return RedirectResponse(f"/desk/relay/threads/{result.thread}#paste", 303)

    _add_pasting(routes, desk)
    _add_marks(routes, desk)
    _add_decisions(routes, desk)
    return routes


def _add_pasting(routes: APIRouter, desk: RelayDesk) -> None:
    """Add where the operator pastes what arrived."""
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.post("/threads/{thread_id}/messages")
    async def paste(
        request: Request,
        signed_in: writer,
        thread_id: UUID,
        text: TextField = "",
        kind: TextField = "text",
        key: KeyField = "",
    ) -> Response:
        with ExitStack() as listening:
            async with desk.database.begin() as connection:
                found = await relay.thread(connection, thread_id)
                if found is None:
                    raise HTTPException(404)
                result = await relay.paste(
                    connection,
                    found,
                    signed_in.member,
                    text,
                    kind=kind,
                    key=desk.key(signed_in, key),
                    new_id=desk.new_id(),
                    now=desk.clock(),
                )
                # Before the commit, so that the answer cannot come before anybody listens.
                woken = listening.enter_context(desk.hub.subscribe(Topic.CONVERSATION, str(thread_id)))
            problem = result.message if isinstance(result, Refused) else ""
            told = desk.told(request, signed_in, problem)
            if told is not None:
                return told
            if problem:
                return await desk.show_thread(request, signed_in, thread_id, problem=problem, typed=text)
            await wait(woken, seconds=desk.wait_seconds)
        return RedirectResponse(f"/desk/relay/threads/{thread_id}#paste", 303)


def _add_marks(routes: APIRouter, desk: RelayDesk) -> None:
    """Add where the operator says how an answer ended."""
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    async def mark(request: Request, signed_in: SignedIn, thread_id: UUID, outbox_id: int, *, sent: bool) -> Response:
        async with desk.database.begin() as connection:
            result = await relay.mark(connection, outbox_id, signed_in.member, sent=sent, now=desk.clock())
        problem = result.message if isinstance(result, Refused) else ""
        told = desk.told(request, signed_in, problem)
        if told is not None:
            return told
        if problem:
            return await desk.show_thread(request, signed_in, thread_id, problem=problem)
        return RedirectResponse(f"/desk/relay/threads/{thread_id}#paste", 303)

    @routes.post("/threads/{thread_id}/outbox/{outbox_id}/sent")
    async def sent(request: Request, signed_in: writer, thread_id: UUID, outbox_id: NumberPath) -> Response:
        return await mark(request, signed_in, thread_id, outbox_id, sent=True)

    @routes.post("/threads/{thread_id}/outbox/{outbox_id}/failed")
    async def failed(request: Request, signed_in: writer, thread_id: UUID, outbox_id: NumberPath) -> Response:
        return await mark(request, signed_in, thread_id, outbox_id, sent=False)


def _add_decisions(routes: APIRouter, desk: RelayDesk) -> None:
    """Add where the operator decides over what is in quarantine."""
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    async def shown(request: Request, signed_in: SignedIn, deciding: Awaitable[Result]) -> Response:
        result = await deciding
        if isinstance(result, Refused):
            return await desk.show(request, signed_in, problem=result.message)
        return RedirectResponse(f"/desk/relay/threads/{result.thread}#paste" if result.thread else "/desk/relay", 303)

    @routes.post("/quarantine/{quarantine_id}/assign")
    async def assign(request: Request, signed_in: writer, quarantine_id: NumberPath, to: TextField = "") -> Response:
        async def deciding() -> Result:
            async with desk.database.begin() as connection:
                return await relay.assign(
                    connection, quarantine_id, _thread(to), signed_in.member, new_id=desk.new_id(), now=desk.clock()
                )

        return await shown(request, signed_in, deciding())

    @routes.post("/quarantine/{quarantine_id}/drop")
    async def drop(request: Request, signed_in: writer, quarantine_id: NumberPath) -> Response:
        async def deciding() -> Result:
            async with desk.database.begin() as connection:
                return await relay.drop(connection, quarantine_id, signed_in.member, now=desk.clock())

        return await shown(request, signed_in, deciding())


def _thread(to: str) -> UUID | None:
    """Read which thread was chosen; None stands for a new one. Raises HTTPException where it is neither."""
    if not to:
        return None
    try:
        return UUID(to)
    except ValueError:
        raise HTTPException(422) from None
