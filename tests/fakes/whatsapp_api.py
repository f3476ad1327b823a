"""A fake of WhatsApp's Cloud API that enforces the platform's rules, in time that a test can steer.

Rules: the bearer token (190); the number's id (100); exactly one of `to` and `recipient`; texts of 1 to 4,096
characters, above buttons or a list 1,024; 1 to 3 buttons with titles of 1 to 20 characters, all different; a list
with a button of 1 to 20, 1 to 10 rows, titles of 1 to 24, descriptions of at most 72; ids that differ, of at most
256 and 200 characters; free text only within 24 hours of the resident's last message (131047), told with the
request or, as the real one often does, later in a status; templates at any time, by name and approved language
(132001); residents who blocked us (131026, told later); the pace of one pair (131056) and of the number (130429);
media in two steps, where the address lasts five minutes and the medium seven days; calls signed with the secret;
"is typing" under a message that the resident wrote (100), which marks it as read, costs no message, and lasts 25
seconds or until a message of ours (https://developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators/).
"""

import hashlib
import hmac
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.whatsapp_rules import RefusedError, interactive, within

PHONE_ID = "106540352242922"
TOKEN = "EAAG-token"
SECRET = "app-secret"
VERIFY_TOKEN = "a-word"
WINDOW_SECONDS = 24 * 3600.0
ADDRESS_SECONDS = 300.0
TYPING_SECONDS = 25.0
MEDIUM_SECONDS = 7 * 24 * 3600.0
# A burst of so many to one person is lent, then one in six seconds.
PAIR_BURST, PAIR_SECONDS = 45, 6.0


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the server took: `choices` as (id, title, description), `via` text, button, list or template."""

    to: str
    id: str
    via: str
    text: str
    choices: tuple[tuple[str, str, str], ...]
    at: float
    language: str = ""


@dataclass
class FakeCloudApi:
    """The server's memory, and verbs for the other side and for misbehaviour."""

    clock: Callable[[], float] = time.time
    enforce_window: bool = True
    enforce_rate: bool = False
    # Says that the window is over only after it took the message.
    tells_later: bool = False
    # Takes the next messages and fails to deliver them for these codes, told later.
    fails: deque[int] = field(default_factory=deque)
    templates: dict[str, set[str]] = field(default_factory=lambda: {"answer_ready": {"it", "en", "zh_CN"}})
    sent: list[SentMessage] = field(default_factory=list)
    undelivered: list[tuple[SentMessage, int]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    last_heard: dict[str, float] = field(default_factory=dict)
    # Who wrote a message, by its id; which of them were marked as read; until when somebody is shown to write.
    written: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    typing_until: dict[str, float] = field(default_factory=dict)
    media: dict[str, tuple[str, bytes, float]] = field(default_factory=dict)
    url: str = ""
    _addresses: dict[str, tuple[str, float]] = field(default_factory=dict)
    _failures: deque[tuple[Response | None, float]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lent: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _recent: deque[float] = field(default_factory=deque)
    _next: int = 1

    # --- verbs ---

    def heard(self, sender: str, key: str = "") -> None:
        """Let a resident's message open the window; `key` is its id."""
        self.last_heard[sender] = self.clock()
        if key:
            self.written[key] = sender

    def shows_typing(self, sender: str) -> bool:
        """Tell whether a resident sees now that somebody is writing."""
        return self.clock() < self.typing_until.get(sender, -1e12)

    def fail_next(self, code: int, details: str = "refused", *, status: int = 400) -> None:
        """Answer the next call with an error of the API."""
        self._failures.append((RefusedError(code, details, status).response, 0.0))

    def garbage_next(self, *, status: int = 200) -> None:
        """Answer the next call with something that is no JSON."""
        self._failures.append((PlainTextResponse("<html>bad gateway</html>", status), 0.0))

    def stall_next(self, seconds: float) -> None:
        """Take the next message, but answer only after a while: the caller cannot know."""
        self._failures.append((None, seconds))

    def keep(self, medium_id: str, media_type: str, content: bytes) -> None:
        """Keep a medium that a resident sent."""
        self.media[medium_id] = (media_type, content, self.clock())

    def call(self, *values: dict[str, Any], secret: str = SECRET) -> tuple[bytes, dict[str, str]]:
        """Make body and headers of a call that brings values of changes."""
        changes = [{"field": "messages", "value": with_metadata(value)} for value in values]
        body = json.dumps(
            {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]},
            ensure_ascii=True,
        ).encode()
        return body, signed(body, secret)

    def failed_status(self, message: SentMessage, code: int) -> dict[str, Any]:
        """Make the value with which the platform tells that it could not deliver."""
        status = {
            "id": message.id,
            "status": "failed",
            "timestamp": str(int(self.clock())),
            "recipient_id": message.to,
            "recipient_user_id": user_id(message.to),
            "biz_opaque_callback_data": message.to,
            "errors": [{"code": code, "title": "failed", "message": "failed", "error_data": {"details": "failed"}}],
        }
        return {"contacts": [contact(message.to)], "statuses": [status]}

    # --- the server ---

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(
            routes=[
                Route("/v24.0/{number}/messages", self._messages, methods=["POST"]),
                Route("/v24.0/{medium}", self._medium_address, methods=["GET"]),
                Route("/bytes/{address}", self._medium_bytes, methods=["GET"]),
            ]
        )

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        stall = 0.0
        with self._lock:
            try:
                self._known(request)
                if self._failures:
                    response, stall = self._failures.popleft()
                    if response is not None:
                        return response
                answer = self._send(request.path_params["number"], body)
            except RefusedError as refused:
                return refused.response
        if stall:
            await run_in_threadpool(time.sleep, stall)
        return answer

    def _known(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise RefusedError(190, "Invalid OAuth access token.", 401)

    def _send(self, number: str, body: dict[str, Any]) -> Response:
        if number != PHONE_ID:
            raise RefusedError(100, f"Object with ID '{number}' does not exist", 404)
        if body.get("messaging_product") != "whatsapp":
            raise RefusedError(100, "messaging_product is required")
        if body.get("status") == "read":
            return self._reads(body)
        if ("to" in body) == ("recipient" in body):
            raise RefusedError(100, "exactly one of to and recipient is required")
        to = str(body.get("to") or body.get("recipient"))
        if ("to" in body) != to.isdecimal():
            raise RefusedError(100, "to is a phone number, recipient is an id with a country before it")
        via, text, choices, language = self._content(body)
        message = SentMessage(to, f"wamid.{self._next:08d}", via, text, choices, self.clock(), language)
        if self.enforce_rate:
            self._pace(to)
        self._next += 1
        closed = self.clock() - self.last_heard.get(to, -1e12) > WINDOW_SECONDS
        if self.enforce_window and closed and via != "template":
            if not self.tells_later:
                raise RefusedError(131047, "Message failed to send because more than 24 hours have passed")
            self.undelivered.append((message, 131047))
        elif to in self.blocked:
            self.undelivered.append((message, 131026))
        elif self.fails:
            self.undelivered.append((message, self.fails.popleft()))
        else:
            self.sent.append(message)
            self.typing_until.pop(to, None)
        named = {"input": to, "wa_id": to}
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [named], "messages": [{"id": message.id}]})

    def _reads(self, body: dict[str, Any]) -> Response:
        sender = self.written.get(body.get("message_id", ""))
        if sender is None:
            raise RefusedError(100, "Invalid parameter: message_id")
        indicator = body.get("typing_indicator")
        if indicator is not None:
            if indicator != {"type": "text"}:
                raise RefusedError(100, "Invalid parameter: typing_indicator")
            self.typing_until[sender] = self.clock() + TYPING_SECONDS
        self.read.append(body["message_id"])
        return JSONResponse({"success": True})

    def _content(self, body: dict[str, Any]) -> tuple[str, str, tuple[tuple[str, str, str], ...], str]:
        match body.get("type"):
            case "text":
                return "text", within(body["text"]["body"], 1, 4096, "Param text['body']"), (), ""
            case "template":
                name, code = body["template"]["name"], body["template"]["language"]["code"]
                if code not in self.templates.get(name, set()):
                    raise RefusedError(132001, f"template name ({name}) does not exist in {code}", 404)
                return "template", name, (), code
            case "interactive":
                return interactive(body["interactive"])
            case other:
                raise RefusedError(131051, f"Message type {other} is not currently supported.")

    def _pace(self, to: str) -> None:
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= 80:
            raise RefusedError(130429, "Cloud API message throughput has been reached.", 429)
        lent = self._lent[to]
        while lent and lent[0] <= now - PAIR_BURST * PAIR_SECONDS:
            lent.popleft()
        if len(lent) >= PAIR_BURST:
            raise RefusedError(131056, "Too many messages sent to the same phone number in a short period.", 400)
        lent.append(now)
        self._recent.append(now)

    async def _medium_address(self, request: Request) -> Response:
        try:
            self._known(request)
        except RefusedError as refused:
            return refused.response
        medium = request.path_params["medium"]
        kept = self.media.get(medium)
        if kept is None or self.clock() - kept[2] > MEDIUM_SECONDS:
            return RefusedError(100, f"Unsupported get request. Object with ID '{medium}' does not exist").response
        address = f"a{len(self._addresses)}"
        self._addresses[address] = (medium, self.clock())
        said = {"id": medium, "mime_type": kept[0], "file_size": len(kept[1]), "messaging_product": "whatsapp"}
        said |= {"url": f"{self.url}/bytes/{address}", "sha256": hashlib.sha256(kept[1]).hexdigest()}
        return JSONResponse(said)

    async def _medium_bytes(self, request: Request) -> Response:
        medium, since = self._addresses.get(request.path_params["address"], ("", -1e12))
        if self.clock() - since > ADDRESS_SECONDS:
            return Response(status_code=404)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        media_type, content, _ = self.media[medium]
        return Response(content, media_type=media_type)


def with_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """Add what every value carries."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": PHONE_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata} | value


def text_value(text: str, *, key: str, sender: str, at: float = 1_700_000_000.0) -> dict[str, Any]:
    """Make the value of a resident's text."""
    return message_value("text", {"body": text}, key=key, sender=sender, at=at)


def message_value(
    kind: str, content: Any, *, key: str, sender: str, at: float = 1_700_000_000.0, **others: Any
) -> dict[str, Any]:
    """Make the value of anything that a resident sent."""
    message = {"from": sender, "from_user_id": user_id(sender), "id": key, "timestamp": str(int(at)), "type": kind}
    return {"contacts": [contact(sender)], "messages": [message | {kind: content} | others]}


def contact(sender: str) -> dict[str, Any]:
    """Make what the platform says of a resident with everything."""
    return {"profile": {"name": "R"}, "wa_id": sender, "user_id": user_id(sender)}


def user_id(sender: str) -> str:
    """Give the id that the platform makes of a resident for one business."""
    return f"IT.{sender[::-1]}"


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Make the header with which a call is signed."""
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
