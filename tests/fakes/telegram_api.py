"""A fake of Telegram's Bot API server that enforces the platform's rules.

The rules are those of Bot API 10.0 and of tdlib/telegram-bot-api: errors with `error_code`, `description`
and `parameters`; texts of 1 to 4,096 characters; callback data of 1 to 64 bytes; 403 after a block; 429
with `retry_after` above one message a second to a chat or 30 in all; callback queries that grow too old; files
of at most 20 MB, by an address that getFile gives and that ends after an hour; at most 100 commands with names of
1 to 32 small letters, digits and underscores and texts of 1 to 256 characters; descriptions of at most 512 and 120
characters; languages of two letters.
"""

import re
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

TOKEN = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcP"
CALLBACK_SECONDS = 150.0
FILE_MAX = 20 * 1024 * 1024
FILE_SECONDS = 3600.0
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
DESCRIPTIONS = {"setmydescription": ("description", 512), "setmyshortdescription": ("short_description", 120)}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that somebody sent; `says` is the size that the server tells, where it is another one."""

    path: str
    content: bytes
    says: int | None = None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the server took."""

    chat_id: int
    message_id: int
    text: str
    buttons: tuple[tuple[str, str], ...]
    at: float


@dataclass
class FakeBotApi:
    """The server's memory, and verbs for the other side and for misbehaviour."""

    token: str = TOKEN
    clock: Callable[[], float] = time.monotonic
    enforce_rate: bool = False
    sent: list[SentMessage] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)
    unknown_chats: set[int] = field(default_factory=set)
    queries: dict[str, float] = field(default_factory=dict)
    updates: deque[dict[str, Any]] = field(default_factory=deque)
    webhook: dict[str, Any] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    # By method and language, "" for all others.
    described: dict[tuple[str, str], Any] = field(default_factory=dict)
    typing: list[int] = field(default_factory=list)
    fetched: int = 0
    _addresses: dict[str, float] = field(default_factory=dict)
    _failures: deque[tuple[str, Response | None, float]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _by_chat: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: -1e9))
    _recent: deque[float] = field(default_factory=deque)
    _next_id: int = 1

    # --- verbs ---

    def fail_next(self, status: int, description: str, **parameters: int) -> None:
        """Answer the next call with an error of the API."""
        self._failures.append(("error", _error(status, description, **parameters), 0.0))

    def garbage_next(self, *, status: int = 200) -> None:
        """Answer the next call with something that is no JSON."""
        self._failures.append(("error", PlainTextResponse("<html>bad gateway</html>", status), 0.0))

    def stall_next(self, seconds: float) -> None:
        """Take the next message, but answer only after a while: the caller cannot know."""
        self._failures.append(("stall", None, seconds))

    def tap(self, query_id: str) -> None:
        """Remember a callback query as just made."""
        self.queries[query_id] = self.clock()

    # --- the server ---

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(
            routes=[
                Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._file),
            ]
        )

    async def _call(self, request: Request) -> Response:
        if request.path_params["token"] != self.token:
            return _error(401, "Unauthorized")
        arguments = await _arguments(request)
        stall = 0.0
        with self._lock:
            if self._failures:
                kind, response, stall = self._failures.popleft()
                if kind == "error" and response is not None:
                    return response
            answer = self._answer(request.path_params["method"], arguments)
        if stall:
            await run_in_threadpool(time.sleep, stall)
        return answer

    def _answer(self, method: str, arguments: dict[str, Any]) -> Response:
        match method.lower():
            case "getme":
                bot_id = int(self.token.partition(":")[0])
                return _ok({"id": bot_id, "is_bot": True, "first_name": "Sportello", "username": "sportello_bot"})
            case "sendmessage":
                return self._send(arguments)
            case "sendchataction":
                return self._act(int(arguments["chat_id"]), str(arguments.get("action", "")))
            case "answercallbackquery":
                return self._answer_query(str(arguments.get("callback_query_id", "")))
            case "setwebhook":
                self.webhook = arguments
                return _ok(result=True)
            case "deletewebhook":
                self.webhook = {}
                return _ok(result=True)
            case "getupdates":
                return self._updates(arguments)
            case "getfile":
                return self._get_file(str(arguments.get("file_id", "")))
            case "setmycommands" | "setmydescription" | "setmyshortdescription" as setting:
                return self._describe(setting, arguments)
            case "getmycommands":
                return _ok(self.described.get(("setmycommands", str(arguments.get("language_code") or "")), []))
            case _:
                return _error(404, "Not Found: method not found")

    def _send(self, arguments: dict[str, Any]) -> Response:
        chat_id, text = int(arguments["chat_id"]), str(arguments.get("text", ""))
        keyboard = (arguments.get("reply_markup") or {}).get("inline_keyboard", [])
        buttons = [(button["text"], button.get("callback_data", "")) for row in keyboard for button in row]
        if chat_id in self.unknown_chats:
            return _error(400, "Bad Request: chat not found")
        if chat_id in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        if not text.strip():
            return _error(400, "Bad Request: message text is empty")
        if len(text) > 4096:
            return _error(400, "Bad Request: message is too long")
        if any(not 1 <= len(data.encode()) <= 64 for _, data in buttons):
            return _error(400, "Bad Request: BUTTON_DATA_INVALID")
        if len(buttons) > 100:
            return _error(400, "Bad Request: REPLY_MARKUP_TOO_LONG")
        now = self.clock()
        if self.enforce_rate and (refused := self._over_rate(chat_id, now)) is not None:
            return refused
        message = SentMessage(chat_id, self._next_id, text, tuple(buttons), now)
        self._next_id += 1
        self.sent.append(message)
        chat = {"id": chat_id, "type": "private", "first_name": "R"}
        return _ok({"message_id": message.message_id, "date": int(time.time()), "chat": chat, "text": text})

    def _act(self, chat_id: int, action: str) -> Response:
        if chat_id in self.unknown_chats:
            return _error(400, "Bad Request: chat not found")
        if chat_id in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        if action != "typing":
            return _error(400, "Bad Request: wrong parameter action in request")
        self.typing.append(chat_id)
        return _ok(result=True)

    def _over_rate(self, chat_id: int, now: float) -> Response | None:
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        # A little tolerance, as the real server has: clocks of two machines are never one.
        if now - self._by_chat[chat_id] < 0.9:
            return _error(429, "Too Many Requests: retry after 1", retry_after=1)
        if len(self._recent) >= 30:
            return _error(429, "Too Many Requests: retry after 2", retry_after=2)
        self._by_chat[chat_id] = now
        self._recent.append(now)
        return None

    def _answer_query(self, query_id: str) -> Response:
        made = self.queries.get(query_id)
        if made is None or self.clock() - made > CALLBACK_SECONDS:
            return _error(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.answered.append(query_id)
        return _ok(result=True)

    def _updates(self, arguments: dict[str, Any]) -> Response:
        if self.webhook.get("url"):
            return _error(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(arguments.get("offset") or 0)
        while self.updates and int(self.updates[0].get("update_id", 0)) < offset:
            self.updates.popleft()
        return _ok(list(self.updates))

    def _get_file(self, file_id: str) -> Response:
        stored = self.files.get(file_id)
        if stored is None:
            return _error(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(stored.content) if stored.says is None else stored.says
        if size > FILE_MAX:
            return _error(400, "Bad Request: file is too big")
        self._addresses[stored.path] = self.clock()
        return _ok({"file_id": file_id, "file_unique_id": file_id, "file_size": size, "file_path": stored.path})

    async def _file(self, request: Request) -> Response:
        path = request.path_params["path"]
        given = self._addresses.get(path)
        if request.path_params["token"] != self.token or given is None or self.clock() - given > FILE_SECONDS:
            return _error(404, "Not Found")
        self.fetched += 1
        (stored,) = [stored for stored in self.files.values() if stored.path == path]
        return Response(stored.content, media_type="application/octet-stream")

    def _describe(self, setting: str, arguments: dict[str, Any]) -> Response:
        language = str(arguments.get("language_code") or "")
        if language and not (len(language) == 2 and language.isalpha() and language.islower()):
            return _error(400, "Bad Request: invalid language code specified")
        if setting == "setmycommands":
            commands = arguments.get("commands") or []
            if len(commands) > 100:
                return _error(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
            for command in commands:
                if not COMMAND.fullmatch(command["command"]):
                    return _error(400, "Bad Request: BOT_COMMAND_INVALID")
                if not 1 <= len(command["description"]) <= 256:
                    return _error(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
            self.described[setting, language] = commands
            return _ok(result=True)
        name, longest = DESCRIPTIONS[setting]
        text = str(arguments.get(name) or "")
        if len(text) > longest:
            return _error(400, "Bad Request: description is too long")
        self.described[setting, language] = text
        return _ok(result=True)


def _ok(result: Any) -> Response:
    return JSONResponse({"ok": True, "result": result})


def _error(code: int, description: str, **parameters: int) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return JSONResponse(body, code)


async def _arguments(request: Request) -> dict[str, Any]:
    """Read arguments as the API takes them: query, form or JSON; nested values of a form are JSON texts."""
    import json  # noqa: PLC0415 - used for this alone

    if "json" in request.headers.get("content-type", ""):
        found: dict[str, Any] = await request.json()
        return found
    arguments = {**request.query_params, **{key: str(value) for key, value in (await request.form()).items()}}
    return {key: json.loads(value) if value[:1] in "[{" else value for key, value in arguments.items()}
