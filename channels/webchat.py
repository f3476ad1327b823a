"""The resident's page: a chat of our own, without a platform. The transcript row is the delivery."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.languages import CODES, DEFAULT
from bot.picks import Verb
from channels.adapter import Inbound, InboundKind
from channels.receiving import receive
from channels.webchat_session import ACCOUNT, CHANNEL, Session, Sessions
from store import conversations, limits
from store.conversations import PLACE_MAX, VISIBLE_TO_RESIDENT, Message
from store.database import Database
from store.notify import Topic
from web.forms import typed
from web.live import Hub, LiveEvent, stream, wait
from web.messages import MessageView, message_view, message_views
from web.protection import LOOKED_AT, Signer
from web.shell import LANGUAGE_COOKIE, YEAR_SECONDS, Shell, page_language

TEXT_MAX: Final = 2000
SESSION_LIMIT: Final = 20
ADDRESS_LIMIT: Final = 60
LIMIT_WINDOW: Final = timedelta(minutes=1)
# A person writes: so many seconds the page shows it, unless it is told so again.
TYPING: Final = LiveEvent("typing", "10")
# Keys come from browsers: made into ids of ours, whatever they are.
_KEYS: Final = UUID("6ad3bd0c-6a5e-4c57-9f05-6ce1f5c3b3a4")
_CONTROLS: Final = frozenset(
    {Verb.ENTRY, Verb.GROUP, Verb.MENU, Verb.PERSON, Verb.LANGUAGES, Verb.LANGUAGE, Verb.STOP, Verb.DELETE}
)


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """An entry to choose: its question in a language, which may not be the page's."""

    slug: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class TopicSection:
    """A part of a group under the id of its label."""

    label: str
    entries: tuple[TopicEntry, ...]


@dataclass(frozen=True, slots=True)
class TopicGroup:
    """A group of entries: either all of them, or in sections."""

    group: str
    entries: tuple[TopicEntry, ...] = ()
    sections: tuple[TopicSection, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was stored: an id of the catalogue, and the HTTP status."""

    message: str
    status: int


@dataclass(frozen=True, slots=True)
class Webchat:
    """What the routes need."""

    shell: Shell
    database: Database
    hub: Hub
    signer: Signer
    sessions: Sessions
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    topics: Callable[[str], Sequence[TopicGroup]]
    # How long a form without script waits for the answer before the page is shown, in seconds.
    wait_seconds: float

    async def page(self, request: Request, *, problem: Refusal | None = None, typed: str = "") -> Response:
        """Show the page with the conversation so far."""
        code = page_language(request)
        session = self.sessions.of(request)
        rows: list[Message] = []
        if session is not None:
            async with self.database.read() as connection:
                found = await conversations.find(connection, session.address)
                if found is not None:
                    rows = await conversations.transcript(connection, found, authors=VISIBLE_TO_RESIDENT)
        views = _with_open_choices(message_views(rows, audience="resident"))
        return self.shell.page(
            request,
            "resident/home.html",
            code=code,
            status=problem.status if problem else 200,
            topics=self.topics(code),
            messages=views,
            staff=False,
            live=session is not None,
            last_seq=views[-1].seq if views else 0,
            latest=_latest(views),
            problem=problem.message if problem else None,
            typed=typed,
        )

    async def accept(self, request: Request, *, kind: InboundKind, value: str, key: str) -> Response:
        """Store what the resident did, and answer as the browser asked: JSON for the script, a page without."""
        session = self.sessions.of(request)
        is_first = session is None
        session = session or self.sessions.new()
        refusal = _refusal(kind, value) or await self._over_limit(request, session)
        if refusal is not None:
            return await self._refuse(request, refusal, typed=value if kind is InboundKind.TEXT else "")
        inbound = Inbound(
            channel=CHANNEL,
            account=ACCOUNT,
            event_key=f"{session.digest}:{uuid5(_KEYS, key) if key else self.new_id()}",
            thread=session.thread,
            user_ref=session.digest,
            kind=kind,
            text=value if kind is not InboundKind.CHOICE else None,
            choice_id=value if kind is InboundKind.CHOICE else None,
            language_hint=page_language(request),
        )
        with ExitStack() as listening:
            async with self.database.begin() as connection:
                await receive(connection, inbound, new_id=session.conversation_id, now=self.clock())
                # Before the commit, so that the answer cannot come before anybody listens.
                woken = listening.enter_context(self.hub.subscribe(Topic.CONVERSATION, str(session.conversation_id)))
            response: Response
            if wants_json(request):
                response = JSONResponse({"ok": True, "key": str(self.new_id())}, 202)
            else:
                await wait(woken, seconds=self.wait_seconds)
                response = RedirectResponse("/#latest", 303)
        if is_first:
            self.sessions.keep(response, session)
        return response

    async def _over_limit(self, request: Request, session: Session) -> Refusal | None:
        address = request.client.host if request.client else ""
        keys = (
            (self.signer.keyed("web-session", session.token), SESSION_LIMIT),
            (self.signer.keyed("web-address", address), ADDRESS_LIMIT),
        )
        now = self.clock()
        async with self.database.begin() as connection:
            over = [await limits.hit(connection, key, window=LIMIT_WINDOW, now=now) > limit for key, limit in keys]
        return Refusal("resident.problem.too_many", 429) if any(over) else None

    async def _refuse(self, request: Request, refusal: Refusal, *, typed: str) -> Response:
        if wants_json(request):
            text = self.shell.catalogue.text(refusal.message, page_language(request))
            return JSONResponse({"problem": text}, refusal.status)
        return await self.page(request, problem=refusal, typed=typed)

    def news(self, session: Session, since: int) -> Callable[[], Awaitable[list[LiveEvent]]]:
        """Make the function that gives the rows a page has not seen."""
        seen = since

        async def since_then() -> list[LiveEvent]:
            nonlocal seen
            events: list[LiveEvent] = []
            async with self.database.read() as connection:
                found = await conversations.find(connection, session.address)
                conversation = None if found is None else await conversations.get(connection, found)
                if conversation is None:
                    return events
                if await conversations.is_gone(connection, conversation.id, seen):
                    # What the page shows was deleted meanwhile.
                    events.append(LiveEvent("reset", ""))
                    seen = 0
                rows = await conversations.transcript(
                    connection, conversation.id, since=seen, authors=VISIBLE_TO_RESIDENT
                )
            code = conversation.language or conversation.language_hint
            code = code if code in CODES else DEFAULT
            events += [LiveEvent("message", self._fragment(row, code), str(row.seq)) for row in rows]
            seen = rows[-1].seq if rows else seen
            return events

        return since_then

    def _fragment(self, row: Message, code: str) -> str:
        view = message_view(row, audience="resident")
        return self.shell.fragment("web/message.html", code=code, message=view, staff=False)


def _with_open_choices(views: Sequence[MessageView]) -> list[MessageView]:
    """Leave only the buttons below the resident's last word, as the script does: older ones ask for what is over."""
    last = max((view.seq for view in views if view.mine), default=0)
    return [view if view.seq > last else replace(view, choices=()) for view in views]


def _latest(views: Sequence[MessageView]) -> int:
    """Give the place at which a reader goes on: what first answers the resident's last word, else the last row."""
    latest = 0
    for view in reversed(views):
        if latest and view.mine:
            break
        latest = view.seq
    return latest


def wants_json(request: Request) -> bool:
    """Tell whether the page's script asks, rather than a form."""
    return "application/json" in request.headers.get("accept", "")


def _refusal(kind: InboundKind, value: str) -> Refusal | None:
    if kind is InboundKind.TEXT and len(value) > TEXT_MAX:
        return Refusal("resident.problem.too_long", 413)
    if not value.strip():
        return Refusal("resident.problem.empty", 422)
    if kind is InboundKind.PICK and value.partition(":")[0] not in _CONTROLS:
        return Refusal("resident.problem.empty", 422)
    return None


def router(webchat: Webchat, *, secure: bool) -> APIRouter:
    """Make the routes of the resident's page."""
    routes = APIRouter()

    @routes.api_route("/", methods=LOOKED_AT)
    async def home(request: Request) -> Response:
        return await webchat.page(request)

    @routes.post("/messages")
    async def messages(
        request: Request, text: Annotated[str, Form()] = "", key: Annotated[str, Form(max_length=100)] = ""
    ) -> Response:
        return await webchat.accept(request, kind=InboundKind.TEXT, value=typed(text), key=key)

    @routes.post("/choices")
    async def choices(
        request: Request,
        choice: Annotated[str, Form(max_length=20)] = "",
        key: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        return await webchat.accept(request, kind=InboundKind.CHOICE, value=choice, key=key)

    @routes.post("/pick")
    async def pick(
        request: Request,
        pick: Annotated[str, Form(max_length=100)] = "",
        key: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        return await webchat.accept(request, kind=InboundKind.PICK, value=pick, key=key)

    @routes.post("/language")
    async def language(request: Request, language: Annotated[str, Form()] = "") -> Response:
        response: Response = RedirectResponse("/", 303)
        if language not in CODES:
            return response
        if webchat.sessions.of(request) is not None:
            key = str(webchat.new_id())
            told = await webchat.accept(request, kind=InboundKind.PICK, value=f"language:{language}", key=key)
            # Too many messages in a minute hold up the conversation, and not the page.
            response = told if told.status_code < 400 else response  # noqa: PLR2004 - where HTTP's errors begin
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, secure=secure, samesite="lax"
        )
        return response

    @routes.get("/events")
    async def events(request: Request, since: Annotated[int, Query(ge=0, le=PLACE_MAX)] = 0) -> Response:
        session = webchat.sessions.of(request)
        if session is None:
            return Response(status_code=204)  # tells an EventSource not to come back
        last = request.headers.get("last-event-id", "")
        start = int(last) if last.isdecimal() and len(last) < 10 else since  # noqa: PLR2004 - within an int4
        conversation, news = str(session.conversation_id), webchat.news(session, start)
        return stream(request, webchat.hub, Topic.CONVERSATION, conversation, news, passing=(Topic.TYPING, TYPING))

    @routes.api_route("/privacy", methods=LOOKED_AT)
    async def privacy(request: Request) -> Response:
        return webchat.shell.page(request, "resident/privacy.html", code=page_language(request))

    return routes
