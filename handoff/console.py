"""The mediators' pages: the queue, the conversations, and what can be done with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.languages import CODES, DEFAULT, language
from handoff import presence, queue, ticket
from handoff.channels import Channels
from handoff.queue import AtCapacity, Claimed, TakenBy
from handoff.ticket import OUTCOMES, Refused, Result
from store import conversations, health, outbox, staff, tickets
from store.database import Database, Read
from store.staff import Role, StaffMember
from web.identity import Identity, SignedIn
from web.live import Hub
from web.messages import MessageView, message_views
from web.shell import Shell

TextField = Annotated[str, Form()]
KeyField = Annotated[str, Form(max_length=100)]

ROLES: Final = (Role.MEDIATOR, Role.ADMINISTRATOR)
# Keys come from browsers: made into ids of ours, whatever they are.
_KEYS: Final = UUID("2b1f6f1e-7a0c-4f0b-9d55-6a3d9d0c8e11")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes need."""

    shell: Shell
    database: Database
    hub: Hub
    identity: Identity
    channels: Channels
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    # Names of the phones whose silence is an alarm.
    phones: Sequence[str] = ()

    def key(self, signed_in: SignedIn, ticket_id: UUID, key: str) -> UUID:
        """Give the dedupe key of a form: what a page calls one use of it, within this member and ticket."""
        return uuid5(_KEYS, f"{signed_in.member.id} {ticket_id} {key}") if key else self.new_id()

    async def lists(self, connection: Read, member: StaffMember) -> dict[str, Any]:
        """Give what the left pane shows."""
        claimed = await tickets.claimed(connection)
        return {
            "waiting": await tickets.waiting(connection),
            "mine": [held for held in claimed if held.claimed_by == member.id],
            "others": [held for held in claimed if held.claimed_by != member.id],
            "attention": await self.channels.attention(connection),
            "silent": await health.silent(connection, channel="phone", accounts=self.phones, now=self.clock()),
            "now": self.clock(),
        }

    async def show_queue(
        self, request: Request, signed_in: SignedIn, *, problem: str | None = None, values: dict[str, Any] | None = None
    ) -> Response:
        """Show the queue, perhaps with what went wrong."""
        async with self.database.read() as connection:
            lists = await self.lists(connection, signed_in.member)
        return self.shell.page(
            request,
            "desk/queue.html",
            here="/desk",
            code=_code(signed_in),
            status=409 if problem else 200,
            signed_in=signed_in,
            section="queue",
            problem=problem,
            values=values or {},
            current=None,
            **lists,
        )

    async def show_ticket(
        self,
        request: Request,
        signed_in: SignedIn,
        ticket_id: UUID,
        *,
        problem: str | None = None,
        typed: str = "",
        noted: str = "",
        status: int = 409,
    ) -> Response:
        """Show a conversation, perhaps with what went wrong and the reply or note that was not kept."""
        async with self.database.read() as connection:
            lists = await self.lists(connection, signed_in.member)
            found = await tickets.get(connection, ticket_id)
            if found is None and request.method == "POST":
                # The resident had everything deleted meanwhile.
                return await self.show_queue(request, signed_in, problem="desk.problem.closed")
            if found is None:
                raise HTTPException(404)
            views = await self.rows(connection, found.conversation_id, since=0)
            allowance = await self.channels.allowance(connection, found.channel, found.conversation_id)
        return self.shell.page(
            request,
            "desk/ticket.html",
            here=f"/desk/tickets/{ticket_id}#latest",
            code=_code(signed_in),
            status=status if problem else 200,
            signed_in=signed_in,
            section="queue",
            problem=problem,
            values={},
            typed=typed,
            noted=noted,
            ticket=found,
            current=found.id,
            messages=views,
            allowance=allowance,
            media_base=media_base(found.id),
            staff=True,
            last_seq=views[-1].seq if views else 0,
            outcomes=[outcome.value for outcome in OUTCOMES],
            resident_language=language(found.language if found.language in CODES else DEFAULT),
            **lists,
        )

    async def rows(self, connection: Read, conversation_id: UUID, *, since: int) -> list[MessageView]:
        """Give the rows of a conversation after a place, as staff see them."""
        rows = await conversations.transcript(connection, conversation_id, since=since)
        deliveries = await outbox.deliveries(connection, conversation_id)
        names = {member.id: member.name for member in await staff.everyone(connection)}
        return message_views(rows, audience="staff", names=names, deliveries=deliveries)

    async def answer(
        self,
        request: Request,
        signed_in: SignedIn,
        ticket_id: UUID,
        result: Result,
        *,
        typed: str = "",
        noted: str = "",
        to: str = "",
    ) -> Response:
        """Answer a form: JSON for the script, a page without; a refusal keeps the text."""
        with_script = "application/json" in request.headers.get("accept", "")
        if isinstance(result, Refused):
            if with_script:
                text = self.shell.catalogue.text(result.message, _code(signed_in))
                return JSONResponse({"problem": text, "changed": result.changed}, 409)
            return await self.show_ticket(
                request, signed_in, ticket_id, problem=result.message, typed=typed, noted=noted
            )
        if with_script:
            return JSONResponse({"ok": True, "key": str(self.new_id())}, 202)
        return RedirectResponse(to or f"/desk/tickets/{ticket_id}#latest", 303)


def media_base(ticket_id: UUID) -> str:
    """Give the address under which the media of a ticket's conversation stand."""
    return f"/desk/tickets/{ticket_id}/media"


def router(desk: Desk) -> APIRouter:
    """Make the routes of the desk."""
    routes = APIRouter(prefix="/desk")
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.get("")
    async def show(request: Request, signed_in: reader) -> Response:
        return await desk.show_queue(request, signed_in)

    @routes.post("/tickets/{ticket_id}/claim")
    async def claim(request: Request, signed_in: writer, ticket_id: UUID, text: TextField = "") -> Response:
        async with desk.database.begin() as connection:
            await presence.seen(connection, signed_in.member.id, now=desk.clock())
            result = await queue.claim(connection, ticket_id, signed_in.member, new_id=desk.new_id, now=desk.clock())
        match result:
            case Claimed() if text.strip():
                # Written before, when it was somebody else's or nobody's: to go on with.
                return await desk.show_ticket(request, signed_in, ticket_id, typed=text)
            case Claimed():
                return RedirectResponse(f"/desk/tickets/{ticket_id}#latest", 303)
            case TakenBy(name, at):
                return await desk.show_queue(
                    request, signed_in, problem="desk.problem.taken", values={"name": name, "at": at}
                )
            case AtCapacity(load, _):
                return await desk.show_queue(request, signed_in, problem="desk.problem.capacity", values={"load": load})
            case _:
                return await desk.show_queue(request, signed_in, problem="desk.problem.gone")

    @routes.get("/tickets/{ticket_id}")
    async def show_ticket(request: Request, signed_in: reader, ticket_id: UUID) -> Response:
        return await desk.show_ticket(request, signed_in, ticket_id)

    @routes.post("/tickets/{ticket_id}")
    async def look_again(request: Request, signed_in: writer, ticket_id: UUID, text: TextField = "") -> Response:
        """Show the conversation as it is now, with what was typed: a text does not belong into an address."""
        return await desk.show_ticket(request, signed_in, ticket_id, typed=text)

    _add_acts(routes, desk)
    return routes


def _add_acts(routes: APIRouter, desk: Desk) -> None:
    """Add what the holder of a ticket does with it."""
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.post("/tickets/{ticket_id}/reply")
    async def reply(
        request: Request, signed_in: writer, ticket_id: UUID, text: TextField = "", key: KeyField = ""
    ) -> Response:
        async with desk.database.begin() as connection:
            result = await ticket.reply(
                connection, ticket_id, signed_in.member, text, key=desk.key(signed_in, ticket_id, key), now=desk.clock()
            )
        return await desk.answer(request, signed_in, ticket_id, result, typed=text)

    @routes.post("/tickets/{ticket_id}/note")
    async def note(
        request: Request, signed_in: writer, ticket_id: UUID, text: TextField = "", key: KeyField = ""
    ) -> Response:
        async with desk.database.begin() as connection:
            result = await ticket.note(
                connection, ticket_id, signed_in.member, text, key=desk.key(signed_in, ticket_id, key), now=desk.clock()
            )
        return await desk.answer(request, signed_in, ticket_id, result, noted=text)

    @routes.post("/tickets/{ticket_id}/close")
    async def close(
        request: Request,
        signed_in: writer,
        ticket_id: UUID,
        outcome: TextField = "",
        key: KeyField = "",
        seen: KeyField = "",
    ) -> Response:
        async with desk.database.begin() as connection:
            result = await ticket.close(
                connection,
                ticket_id,
                signed_in.member,
                outcome,
                key=desk.key(signed_in, ticket_id, key),
                now=desk.clock(),
                seen=_place(seen),
            )
        return await desk.answer(request, signed_in, ticket_id, result, to="/desk")

    @routes.post("/tickets/{ticket_id}/give-back")
    async def give_back(
        request: Request, signed_in: writer, ticket_id: UUID, key: KeyField = "", seen: KeyField = ""
    ) -> Response:
        async with desk.database.begin() as connection:
            result = await ticket.give_back(
                connection,
                ticket_id,
                signed_in.member,
                key=desk.key(signed_in, ticket_id, key),
                now=desk.clock(),
                seen=_place(seen),
            )
        return await desk.answer(request, signed_in, ticket_id, result, to="/desk")


def _place(text: str) -> int | None:
    """Read a place in the transcript; None where a form names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004 - within an int4


def _code(signed_in: SignedIn) -> str:
    return signed_in.member.language
