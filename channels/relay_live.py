"""What the pages of the relay desk are told while they are open: threads, rows, and what is to be sent."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from channels import relay
from channels.relay import CHANNEL
from channels.relay_desk import RelayDesk
from channels.relay_pages import ROLES
from store import conversations, relay_acts
from store.conversations import PLACE_MAX
from store.notify import Topic
from web.identity import SignedIn
from web.live import LiveEvent, stream

News = Callable[[], Awaitable[Sequence[LiveEvent]]]


def router(desk: RelayDesk) -> APIRouter:
    """Make the routes of the streams; without apps there are none."""
    routes = APIRouter(prefix="/desk/relay")
    if not desk.apps:
        return routes
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]

    @routes.get("/events")
    async def events(request: Request, signed_in: reader, current: str = "") -> Response:
        news = _lists(desk, signed_in, current)
        return stream(request, desk.hub, Topic.OUTBOX, CHANNEL, news, may_read=desk.identity.still(request, *ROLES))

    @routes.get("/threads/{thread_id}/events")
    async def thread_events(
        request: Request, signed_in: reader, thread_id: UUID, since: Annotated[int, Query(ge=0, le=PLACE_MAX)] = 0
    ) -> Response:
        async with desk.database.read() as connection:
            found = await relay.thread(connection, thread_id)
        if found is None:
            return Response(status_code=204)
        last = request.headers.get("last-event-id", "")
        start = int(last) if last.isdecimal() and len(last) < 10 else since  # noqa: PLR2004 - within an int4
        news, may_read = _thread(desk, signed_in, thread_id, start), desk.identity.still(request, *ROLES)
        return stream(request, desk.hub, Topic.CONVERSATION, str(thread_id), news, may_read=may_read)

    return routes


class _Changes:
    """Remembers what a page was told last, so that a wake-up that changed nothing sends nothing."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def event(self, name: str, state: Any, render: Callable[[], str]) -> list[LiveEvent]:
        """Give the event where the state is another than before."""
        if self._told.get(name) == state:
            return []
        self._told[name] = state
        return [LiveEvent(name, render())]


def _lists(desk: RelayDesk, signed_in: SignedIn, current: str) -> News:
    changes = _Changes()
    chosen = UUID(current) if _is_id(current) else None

    async def news() -> Sequence[LiveEvent]:
        async with desk.database.read() as connection:
            lists = await desk.lists(connection)

        def fragment(template: str) -> str:
            code = signed_in.member.language
            return desk.shell.fragment(template, code=code, signed_in=signed_in, current=chosen, **lists)

        threads = [(each.conversation_id, each.waiting, each.language) for each in lists["threads"]]
        held = [each.id for each in lists["quarantined"]]
        silent = [each.account for each in lists["silent"]]
        return [
            *changes.event("threads", (threads, silent, len(held)), lambda: fragment("resident/relay_threads.html")),
            *changes.event("quarantine", held, lambda: fragment("resident/relay_quarantine.html")),
        ]

    return news


def _thread(desk: RelayDesk, signed_in: SignedIn, thread_id: UUID, since: int) -> News:
    seen = since
    changes = _Changes()

    async def news() -> Sequence[LiveEvent]:
        nonlocal seen
        async with desk.database.read() as connection:
            gone = await conversations.is_gone(connection, thread_id, seen)
            seen = 0 if gone else seen
            views = await desk.rows(connection, thread_id, since=seen)
            to_send = await desk.to_send(connection, thread_id)
            acts = await relay_acts.of_conversation(connection, thread_id)

        def fragment(template: str, **context: Any) -> str:
            code = signed_in.member.language
            return desk.shell.fragment(template, code=code, signed_in=signed_in, current=thread_id, **context)

        rows = [
            LiveEvent("message", fragment("web/message.html", message=view, staff=True, media_base=""), str(view.seq))
            for view in views
        ]
        seen = views[-1].seq if views else seen
        return [
            *([LiveEvent("reset", "")] if gone else []),
            *rows,
            *changes.event(
                "to-send",
                [each.id for each in to_send],
                lambda: fragment("resident/relay_to_send.html", to_send=to_send),
            ),
            *changes.event("acts", len(acts), lambda: fragment("resident/relay_acts.html", acts=acts)),
        ]

    return news


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
