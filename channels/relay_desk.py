"""What the pages of the relay desk show: threads, what is to be sent, and what is in quarantine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from bot.languages import CODES, DEFAULT, language
from channels import relay
from channels.adapter import Outbound
from channels.relay import CAPABILITIES, CHANNEL, app_of
from channels.rendering import render
from store import conversations, handovers, health, outbox, quarantine, relay_acts, staff
from store.conversations import Author, Conversation, Message
from store.database import Database, Read
from web.identity import Identity, SignedIn
from web.live import Hub
from web.messages import MessageView, message_views
from web.shell import Shell

# Keys come from browsers: made into ids of ours, whatever they are.
_KEYS: Final = UUID("7d9b3a52-40b6-4f43-9a1c-0c7f6f5f2a90")


@dataclass(frozen=True, slots=True)
class ToSend:
    """An answer that waits for the operator: the text to copy, and its Italian where there is one."""

    id: int
    text: str
    tag: str
    italian: str
    by_person: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class RelayDesk:
    """What the routes need.

    `apps` are those that can be chosen, `phones` the names of those whose silence is an alarm. `in_italian` gives
    the Italian of a block of a message. `wait_seconds`: so long a form without script waits for the answer.
    """

    shell: Shell
    database: Database
    hub: Hub
    identity: Identity
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    apps: Sequence[str]
    phones: Sequence[str]
    in_italian: Callable[[Mapping[str, Any]], str | None]
    wait_seconds: float

    def key(self, signed_in: SignedIn, key: str) -> UUID:
        """Give the dedupe key of a form: what a page calls one use of it, within this member."""
        return uuid5(_KEYS, f"{signed_in.member.id} {key}") if key else self.new_id()

    async def lists(self, connection: Read) -> dict[str, Any]:
        """Give what the left pane shows."""
        return {
            "threads": await handovers.threads(connection, CHANNEL),
            "quarantined": await quarantine.waiting(connection),
            "silent": await health.silent(connection, channel="phone", accounts=self.phones, now=self.clock()),
            "app_of": app_of,
        }

    async def to_send(self, connection: Read, conversation_id: UUID) -> list[ToSend]:
        """Give what waits to be sent, in its order."""
        waiting = await handovers.waiting(connection, conversation_id)
        found: list[ToSend] = []
        for each in waiting:
            outbound = Outbound.from_json(each.payload)
            seq = each.seq
            row = None if seq is None else await conversations.message(connection, conversation_id, seq)
            text = "\n\n".join(part.text for part in render(outbound, CAPABILITIES))
            found.append(
                ToSend(
                    id=each.id,
                    text=text,
                    tag=language(outbound.language if outbound.language in CODES else DEFAULT).tag,
                    italian=self._italian(row),
                    by_person=row is not None and row.author is Author.MEDIATOR,
                    at=each.created_at,
                )
            )
        return found

    def _italian(self, row: Message | None) -> str:
        blocks = [] if row is None else row.body.get("blocks", [])
        texts = [self.in_italian(block) for block in blocks if block["kind"] == "answer"]
        return "\n\n".join(text for text in texts if text)

    async def rows(self, connection: Read, conversation_id: UUID, *, since: int) -> list[MessageView]:
        """Give the rows of a conversation after a place, as staff see them."""
        rows = await conversations.transcript(connection, conversation_id, since=since)
        deliveries = await outbox.deliveries(connection, conversation_id)
        names = {member.id: member.name for member in await staff.everyone(connection)}
        return message_views(rows, audience="staff", names=names, deliveries=deliveries)

    async def show(self, request: Request, signed_in: SignedIn, *, problem: str = "", typed: str = "") -> Response:
        """Show the threads, perhaps with what went wrong."""
        async with self.database.read() as connection:
            lists = await self.lists(connection)
        return self.page(request, signed_in, "resident/relay.html", problem=problem, current=None, name=typed, **lists)

    async def show_thread(
        self, request: Request, signed_in: SignedIn, thread_id: UUID, *, problem: str = "", typed: str = ""
    ) -> Response:
        """Show a conversation, perhaps with what went wrong and the text that was not stored."""
        async with self.database.read() as connection:
            lists = await self.lists(connection)
            found = await relay.thread(connection, thread_id)
            if found is None:
                raise HTTPException(404)
            views = await self.rows(connection, thread_id, since=0)
            to_send = await self.to_send(connection, thread_id)
            acts = await relay_acts.of_conversation(connection, thread_id)
        return self.page(
            request,
            signed_in,
            "resident/relay_thread.html",
            problem=problem,
            current=thread_id,
            thread=found,
            tongue=_tongue(found),
            messages=views,
            staff=True,
            media_base="",
            to_send=to_send,
            acts=acts,
            typed=typed,
            name="",
            **lists,
        )

    def page(self, request: Request, signed_in: SignedIn, template: str, *, problem: str, **context: Any) -> Response:
        """Answer with a page of the relay desk."""
        return self.shell.page(
            request,
            template,
            here=f"/desk/relay/threads/{context['current']}#paste" if context["current"] else "/desk/relay",
            code=signed_in.member.language,
            status=409 if problem else 200,
            signed_in=signed_in,
            section="relay",
            problem=problem,
            apps=self.apps,
            kinds=relay.KINDS,
            **context,
        )

    def told(self, request: Request, signed_in: SignedIn, problem: str) -> Response | None:
        """Answer a script with what happened; None where a form asks, which gets a page."""
        if "application/json" not in request.headers.get("accept", ""):
            return None
        if problem:
            return JSONResponse({"problem": self.shell.catalogue.text(problem, signed_in.member.language)}, 409)
        return JSONResponse({"ok": True, "key": str(self.new_id())}, 202)


def _tongue(conversation: Conversation) -> Any:
    code = conversation.language or conversation.language_hint
    return language(code if code in CODES else DEFAULT)
