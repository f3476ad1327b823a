"""What the mediators' pages are told while they are open: the queue as it changes, and new messages."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from handoff import presence
from handoff.channels import Allowance
from handoff.console import ROLES, Desk, media_base
from store import conversations, tickets
from store.conversations import PLACE_MAX
from store.notify import Topic
from store.tickets import Ticket, TicketStatus
from web.identity import SignedIn
from web.live import LiveEvent, stream


def router(desk: Desk) -> APIRouter:
    """Make the routes of the streams of the desk."""
    routes = APIRouter(prefix="/desk")
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.get("/queue/events")
    async def queue_events(request: Request, signed_in: reader, current: str = "") -> Response:
        await _here(desk, signed_in)
        return stream(
            request,
            desk.hub,
            Topic.QUEUE,
            "",
            _queue_news(desk, signed_in, current),
            may_read=desk.identity.still(request, *ROLES),
        )

    @routes.post("/here")
    async def here(signed_in: writer) -> Response:
        # The page's own word: a connection seems open long after a laptop was closed.
        await _here(desk, signed_in)
        return Response(status_code=204)

    @routes.get("/tickets/{ticket_id}/events")
    async def ticket_events(
        request: Request, signed_in: reader, ticket_id: UUID, since: Annotated[int, Query(ge=0, le=PLACE_MAX)] = 0
    ) -> Response:
        async with desk.database.read() as connection:
            found = await tickets.get(connection, ticket_id)
        if found is None:
            return Response(status_code=204)
        last = request.headers.get("last-event-id", "")
        start = int(last) if last.isdecimal() and len(last) < 10 else since  # noqa: PLR2004 - within an int4
        news = _ticket_news(desk, signed_in, found, start)
        may_read = desk.identity.still(request, *ROLES)
        return stream(request, desk.hub, Topic.CONVERSATION, str(found.conversation_id), news, may_read=may_read)

    return routes


async def _here(desk: Desk, signed_in: SignedIn) -> None:
    async with desk.database.begin() as connection:
        await presence.seen(connection, signed_in.member.id, now=desk.clock())


def _queue_news(desk: Desk, signed_in: SignedIn, current: str) -> Callable[[], Awaitable[Sequence[LiveEvent]]]:
    """Make the function that renders the lists anew; a wake-up that changed nothing sends nothing."""
    last = ""

    async def news() -> Sequence[LiveEvent]:
        nonlocal last
        async with desk.database.read() as connection:
            lists = await desk.lists(connection, signed_in.member)
        state = repr(
            [
                (held.id, held.status, held.urgent, held.claimed_by, held.unanswered)
                for name in ("waiting", "mine", "others")
                for held in lists[name]
            ]
            + [lists["attention"], *(phone.account for phone in lists["silent"])]
        )
        if state == last:
            return []
        last = state
        chosen = current if current in {str(held.id) for held in lists["mine"] + lists["others"]} else None
        html = desk.shell.fragment(
            "desk/lists.html",
            code=signed_in.member.language,
            signed_in=signed_in,
            current=chosen and UUID(chosen),
            **lists,
        )
        return [LiveEvent("queue", html)]

    return news


def _ticket_news(
    desk: Desk, signed_in: SignedIn, found: Ticket, since: int
) -> Callable[[], Awaitable[Sequence[LiveEvent]]]:
    """Make the function that gives the rows a page has not seen, and tells what changes about them.

    That is who holds the ticket, what the platform still lets us write, and that the resident erased what it shows.
    """
    seen, status = since, found.status
    allowed: Allowance | None = None

    async def news() -> Sequence[LiveEvent]:
        nonlocal seen, status, allowed
        async with desk.database.read() as connection:
            gone = await conversations.is_gone(connection, found.conversation_id, seen)
            seen = 0 if gone else seen
            views = await desk.rows(connection, found.conversation_id, since=seen)
            today = await tickets.get(connection, found.id)
            allowance = await desk.channels.allowance(connection, found.channel, found.conversation_id)
        events = [LiveEvent("reset", "")] if gone else []
        events += [
            LiveEvent(
                "message",
                desk.shell.fragment(
                    "web/message.html",
                    code=signed_in.member.language,
                    message=view,
                    staff=True,
                    media_base=media_base(found.id),
                ),
                str(view.seq),
            )
            for view in views
        ]
        seen = views[-1].seq if views else seen
        now = TicketStatus.CLOSED if today is None else today.status
        if now is not status:
            status = now
            events.append(LiveEvent("ticket", now.value))
        if allowance != allowed:
            allowed = allowance
            html = desk.shell.fragment("desk/allowance.html", code=signed_in.member.language, allowance=allowance)
            events.append(LiveEvent("allowance", html))
        return events

    return news
