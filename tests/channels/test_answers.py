"""What platforms answer, with any JSON in any field: no client raises but its own errors, and all can be kept."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from telegram.error import TelegramError

from channels.adapter import MediumGoneError, PlatformRefusedError, Pulled, WireMessage
from channels.receiving import storable
from channels.results import RetryAfter
from channels.telegram import TelegramAdapter
from channels.wechat_api import WeChatApi
from tests.channels.wecom_peer import adapter_of
from tests.channels.whatsapp_peer import adapter_for
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN
from tests.fakes.tokens import MemoryTokens

OWN_ERRORS: Final = (MediumGoneError, PlatformRefusedError, TelegramError)
HELLO: Final = WireMessage("ciao", key="1-0")
STATUSES: Final = (200, 200, 200, 400, 401, 403, 404, 429, 500)


@dataclass
class Server:
    """Answers each call with what is set for the last word of its path, else with a good token, else with bytes."""

    answers: Mapping[str, bytes]
    status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = Request(scope).url.path.rpartition("/")[2]
        if name in self.answers:
            response = Response(self.answers[name], self.status, media_type="application/json")
        elif name in {"gettoken", "stable_token"}:
            response = Response(json.dumps(GOOD_TOKEN), media_type="application/json")
        else:
            response = Response(b"bytes", media_type="image/png")
        await response(scope, receive, send)


@dataclass
class Line:
    """A server, its address, and the one loop in which all is asked."""

    server: Server
    url: str
    runner: asyncio.Runner

    async def telegram(self, ask: Callable[[TelegramAdapter], Awaitable[Any]]) -> Any:
        adapter = TelegramAdapter(TOKEN, "secret", self.url)
        try:
            return await ask(adapter)
        finally:
            await adapter.close()

    async def wecom_pulls(self) -> Any:
        adapter = adapter_of(self.url)
        try:
            return await adapter.pull("cursor", "token")
        finally:
            await adapter.close()

    async def wecom_sends(self) -> Any:
        adapter = adapter_of(self.url)
        try:
            return await adapter.send("wm1", HELLO)
        finally:
            await adapter.close()

    async def wecom_fetches(self) -> Any:
        adapter = adapter_of(self.url)
        try:
            return await adapter.fetch("m1")
        finally:
            await adapter.close()

    async def wechat(self, ask: Callable[[WeChatApi, MemoryTokens], Awaitable[Any]]) -> Any:
        api = WeChatApi("wx1", "secret", self.url)
        try:
            return await ask(api, MemoryTokens(api.fetch_token))
        finally:
            await api.close()

    async def whatsapp_sends(self) -> Any:
        adapter = adapter_for(self.url)
        try:
            return await adapter.send("39333", HELLO)
        finally:
            await adapter.close()

    async def whatsapp_fetches(self) -> Any:
        adapter = adapter_for(self.url)
        try:
            return await adapter.fetch("m1")
        finally:
            await adapter.close()


GOOD_TOKEN: Final = {"errcode": 0, "errmsg": "ok", "access_token": "token", "expires_in": 7200}
REFUSAL: Final = {"ok": False, "description": "no", "error_code": 400}
WAITS: Final = {"ok": False, "description": "no", "parameters": {"retry_after": 3, "migrate_to_chat_id": 0}}
MESSAGE: Final = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "ciao"}
FILE: Final = {"file_id": "f", "file_unique_id": "u", "file_size": 5, "file_path": "photos/1.png"}
PAGE: Final = {"errcode": 0, "errmsg": "ok", "next_cursor": "c2", "has_more": 1, "msg_list": [{"msgid": "m1"}]}
META_ERROR: Final = {"error": {"code": 100, "message": "no", "error_data": {"details": "no"}}}
GRAPH: Final = {"url": "http://127.0.0.1:9/bytes", "file_size": 5}

# Who asks, under which last word of the path the answer is looked for, and a good answer.
Asking = Callable[[Line], Awaitable[Any]]
CALLS: Final[Mapping[str, tuple[Asking, str, Any]]] = {
    "telegram sends": (
        lambda line: line.telegram(lambda adapter: adapter.send("5", HELLO)),
        "sendMessage",
        {"ok": True, "result": MESSAGE},
    ),
    "telegram refuses": (lambda line: line.telegram(lambda adapter: adapter.send("5", HELLO)), "sendMessage", REFUSAL),
    "telegram puts off": (lambda line: line.telegram(lambda adapter: adapter.send("5", HELLO)), "sendMessage", WAITS),
    "telegram hears of a tap": (
        lambda line: line.telegram(lambda adapter: adapter.acknowledge("7")),
        "answerCallbackQuery",
        {"ok": True, "result": True},
    ),
    "telegram fetches": (
        lambda line: line.telegram(lambda adapter: adapter.fetch("f")),
        "getFile",
        {"ok": True, "result": FILE},
    ),
    "telegram polls": (
        lambda line: line.telegram(lambda adapter: adapter.updates(1, seconds=0)),
        "getUpdates",
        {"ok": True, "description": "", "result": [{"update_id": 1}]},
    ),
    "telegram tells its name": (
        lambda line: line.telegram(lambda adapter: adapter.username()),
        "getMe",
        {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "a", "username": "b"}},
    ),
    "wecom gives a token": (Line.wecom_pulls, "gettoken", GOOD_TOKEN),
    "wecom gives a page": (Line.wecom_pulls, "sync_msg", PAGE),
    "wecom sends": (Line.wecom_sends, "send_msg", {"errcode": 0, "errmsg": "ok", "msgid": "m1"}),
    "wecom tells the state": (Line.wecom_sends, "send_msg", {"errcode": 95018, "errmsg": "no"}),
    "wecom fetches": (Line.wecom_fetches, "get", {"errcode": 40007, "errmsg": "no"}),
    "wechat gives a token": (
        lambda line: line.wechat(lambda api, tokens: api.send_text(tokens, "o1", "ciao")),
        "stable_token",
        GOOD_TOKEN,
    ),
    "wechat sends": (
        lambda line: line.wechat(lambda api, tokens: api.send_text(tokens, "o1", "ciao")),
        "send",
        {"errcode": 0, "errmsg": "ok"},
    ),
    "wechat sets a menu": (
        lambda line: line.wechat(lambda api, tokens: api.set_menu(tokens, {})),
        "create",
        {"errcode": 1, "errmsg": "no"},
    ),
    "wechat fetches": (
        lambda line: line.wechat(lambda api, tokens: api.medium(tokens, "m1")),
        "get",
        {"video_url": "http://127.0.0.1:9/v", "errcode": 0},
    ),
    "whatsapp sends": (Line.whatsapp_sends, "messages", {"messages": [{"id": "wamid.1"}]}),
    "whatsapp refuses": (Line.whatsapp_sends, "messages", META_ERROR),
    "whatsapp fetches": (Line.whatsapp_fetches, "m1", GRAPH),
}

TROUBLESOME: Final = st.sampled_from(
    ["", "\0", "\ud800", "a b", "é", "http://[", "http://127.0.0.1:99999/", "x" * 5000, 10**20, -(10**20), 1e308]
)
JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | TROUBLESOME,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def places(answer: Any) -> list[tuple[str | int, ...]]:
    """List where something stands in an answer, the whole of it first."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(answer, dict):
        inner = list(answer.items())
    elif isinstance(answer, list):
        inner = list(enumerate(answer))
    return [(), *((name, *rest) for name, value in inner for rest in places(value))]


def replaced(answer: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """Give an answer with something else at a place."""
    if not place:
        return value
    copy: Any = dict(answer) if isinstance(answer, dict) else list(answer)
    copy[place[0]] = replaced(copy[place[0]], place[1:], value)
    return copy


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    server = Server({})
    with LoopbackServer(server) as served, asyncio.Runner() as runner:
        yield Line(server, served.url, runner)


def asked(line: Line, name: str, body: bytes, status: int) -> Any:
    """Ask, and give what came of it: one of our own errors, too."""
    ask, path, _ = CALLS[name]
    line.server.answers, line.server.status = {path: body}, status

    async def answered() -> Any:
        return await ask(line)

    try:
        return line.runner.run(answered())
    except OWN_ERRORS as error:
        return error


def fit_to_keep(outcome: Any) -> None:
    """Check that what a delivery stores can be stored, and what it adds to the time be added."""
    if isinstance(outcome, RetryAfter):
        assert timedelta() <= outcome.delay <= timedelta(days=1)
    if isinstance(outcome, Pulled):
        assert storable(outcome.cursor) == outcome.cursor
    elif hasattr(outcome, "__dataclass_fields__"):
        for value in astuple(outcome):
            assert storable(value) == value
    elif isinstance(outcome, PlatformRefusedError):
        assert storable(str(outcome)) == str(outcome)


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_no_answer_raises_but_our_own_errors(line: Line, name: str, data: st.DataObject) -> None:
    good = CALLS[name][2]
    answer = replaced(good, data.draw(st.sampled_from(places(good))), data.draw(JSON_VALUES))
    status = data.draw(st.sampled_from(STATUSES))
    fit_to_keep(asked(line, name, json.dumps(answer).encode(), status))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("body", [b"", b"\xff", b"<html>", b"[" * 100_000, b"null", b'"x"', b"[]", b"1e999"])
def test_neither_does_what_is_no_answer_at_all(line: Line, name: str, body: bytes) -> None:
    for status in (200, 429, 500):
        fit_to_keep(asked(line, name, body, status))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("wecom gives a token", ("expires_in",), 10**20),
        ("wecom gives a token", ("access_token",), "\ud800"),
        ("wechat gives a token", ("access_token",), "\ud800"),
        ("wecom gives a page", ("next_cursor",), "\ud800"),
        ("telegram sends", ("result",), "x"),
        ("telegram fetches", ("result",), "x"),
        ("telegram fetches", ("result", "file_path"), "\ud800"),
        ("telegram fetches", ("result", "file_size"), "x"),
        ("telegram hears of a tap", (), []),
        ("telegram puts off", ("parameters", "retry_after"), 10**20),
        ("telegram puts off", ("parameters", "retry_after"), 10**12),
        ("telegram puts off", ("parameters", "retry_after"), "0"),
        ("telegram refuses", ("description",), "\0\ud800"),
        ("whatsapp sends", ("messages", 0, "id"), "\ud800"),
        ("whatsapp fetches", ("url",), "http://\ud800"),
        ("whatsapp fetches", ("url",), "http://127.0.0.1:99999/"),
        ("wechat fetches", ("video_url",), "http://["),
        ("wechat fetches", ("video_url",), "http://a.qq.com/\ud800"),
        ("wechat sets a menu", ("errmsg",), "\ud800"),
    ],
)
def test_answers_that_once_raised(line: Line, name: str, place: tuple[str | int, ...], value: Any) -> None:
    body = json.dumps(replaced(CALLS[name][2], place, value)).encode()
    for status in (200, 429):
        fit_to_keep(asked(line, name, body, status))
