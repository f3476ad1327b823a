"""A fake of WeChat's interface for an Official Account that enforces the platform's rules, in injected time.

The rules are those of developers.weixin.qq.com, as `docs/channels.md` names them:

- `stable_token`: the same token until its last five minutes, then a new one, and both are good; a forced one at most
  20 times a day and 30 seconds apart, and the one before stays good for five minutes. 40013 and 40125 for a wrong app
  id or secret, 40164 for an address that is not in the list.
- the old `token`: every call ends the token that the call before gave, after five minutes; 2,000 a day.
- `message/custom/send`: 40001 for a token that nobody gave, 42001 for an old one, 41001 for none; 40003 for an openid
  that nobody has; 43004 after the resident left; 45015 outside the window; 45047 when its messages are used up; 45002
  above 2,048 bytes; 44004 for an empty text; 40008 for another kind of message.
- `message/custom/typing`: 45072 for another command, 45080 where nothing was said within 30 seconds, 45081 while it is
  shown, which is 15 seconds or until a message comes. It costs no message.
- `menu/create`: in place of the old one; 40016 for the number of buttons, 40017 for their type, 40018 for a name of
  more than 16 bytes, 40019 for a key of more than 128; below a button 40023, 40024, 40025 (40 bytes) and 40026.
- `media/get`: bytes, or an error as JSON with status 200; 40007 for what is older than three days.

What the platform does by itself is in `wechat_platform`.
"""

import itertools
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.conftest import START
from tests.fakes.wechat_errors import Refusal, error
from tests.fakes.wechat_menu import wrong_menu

APP_ID = "wx5823bf96d3bd56c7"
SECRET = "s3cret-of-the-app"
OPENID = "oyORnuP8q7ou2gfYjqLzSIWZf0rs"

LIFE = timedelta(seconds=7200)
BOTH_GOOD = timedelta(minutes=5)
MEDIA_KEPT = timedelta(days=3)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a resident read, and how it came: `passive` with the platform's request, `custom`, or as a `fault`."""

    openid: str
    text: str
    how: str
    at: datetime


@dataclass(slots=True)
class Resident:
    """What the platform knows of one resident."""

    follows: bool = True
    until: datetime = LONG_AGO
    left: int = 0
    spoke_at: datetime = LONG_AGO
    typing_until: datetime = LONG_AGO


@dataclass
class FakeWeChatApi:
    """The platform's memory, and verbs for misbehaviour."""

    clock: Callable[[], datetime] = lambda: START
    listed: bool = True
    enforce_windows: bool = True
    shown: list[Shown] = field(default_factory=list)
    residents: dict[str, Resident] = field(default_factory=lambda: defaultdict(Resident))
    unknown: set[str] = field(default_factory=set)
    media: dict[str, tuple[datetime, str, bytes]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    # The codes with which calls were refused by the rules, not by a verb for misbehaviour.
    refused: list[int] = field(default_factory=list)
    forced: list[datetime] = field(default_factory=list)
    tokens: dict[str, datetime] = field(default_factory=dict)
    typing: list[str] = field(default_factory=list)
    menu: dict[str, Any] | None = None
    _current: str = ""
    _old_endpoint: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _failures: deque[tuple[Response | None, float]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- verbs: misbehaviour ---

    def fail_next(self, code: int, *, times: int = 1) -> None:
        """Answer the next calls, but those for tokens, with an error."""
        self._failures.extend([(error(code), 0.0)] * times)

    def answer_next(self, content: str, *, status: int = 200, media_type: str = "text/html") -> None:
        """Answer the next call, unless it is for a token, with whatever."""
        self._failures.append((PlainTextResponse(content, status, media_type=media_type), 0.0))

    def stall_next(self, seconds: float) -> None:
        """Take the next message, but answer only after a while of real time: the caller cannot know."""
        self._failures.append((None, seconds))

    def lose_tokens(self) -> None:
        """Forget every token at once, as when somebody else fetched one by the old way."""
        self.tokens.clear()
        self._current = ""

    def renew_elsewhere(self) -> None:
        """Let somebody else who has the secret force a new token: ours is good for five minutes more."""
        self._stable_token(
            {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, "force_refresh": True}
        )

    def refuse_without_forgetting(self) -> None:
        """Refuse the token in force, and go on giving it out until a new one is forced."""
        self.tokens.pop(self._current, None)

    # --- what residents read ---

    def read_by(self, openid: str = OPENID) -> list[str]:
        """Give what a resident read."""
        return [shown.text for shown in self.shown if shown.openid == openid]

    def _show(self, openid: str, text: str, how: str) -> None:
        self.shown.append(Shown(openid, text, how, self.clock()))
        resident = self.residents[openid]
        resident.spoke_at, resident.typing_until = self.clock(), LONG_AGO

    # --- the server ---

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(routes=[Route("/cgi-bin/{path:path}", self._call, methods=["GET", "POST"])])

    async def _call(self, request: Request) -> Response:
        path = request.path_params["path"]
        content = await request.body()
        stall = 0.0
        with self._lock:
            self.calls.append(path)
            if not path.endswith("token") and self._failures:
                response, stall = self._failures.popleft()
                if response is not None:
                    return response
            answer = self._answer(path, dict(request.query_params), content)
            if isinstance(answer, Refusal):
                self.refused.append(answer.code)
        if stall:
            await run_in_threadpool(time.sleep, stall)
        return answer

    def _answer(self, path: str, query: dict[str, str], content: bytes) -> Response:
        if path == "stable_token":
            return self._stable_token(json.loads(content))
        if path == "token":
            return self._token(query)
        if (refused := self._refused(query.get("access_token"))) is not None:
            return refused
        if path == "message/custom/send":
            return self._send(json.loads(content))
        if path == "message/custom/typing":
            return self._type(json.loads(content))
        if path == "menu/create":
            return self._set_menu(json.loads(content))
        if path == "media/get":
            return self._medium(query.get("media_id", ""))
        return PlainTextResponse("not found", 404)

    def _stable_token(self, asked: dict[str, Any]) -> Response:
        if (refused := self._unknown_app(asked)) is not None:
            return refused
        now = self.clock()
        ends = self.tokens.get(self._current, now)
        if asked.get("force_refresh"):
            if self.forced and now - self.forced[-1] < timedelta(seconds=30):
                return error(45011)
            if len([moment for moment in self.forced if now - moment < timedelta(days=1)]) >= 20:
                return error(45009)
            self.forced.append(now)
            if self._current in self.tokens:
                self.tokens[self._current] = min(ends, now + BOTH_GOOD)
            self._current = self._new_token()
        elif not self._current or (self._current in self.tokens and ends - now <= BOTH_GOOD):
            self._current = self._new_token()
        lasts = int((self.tokens.get(self._current, now + LIFE) - now).total_seconds())
        return JSONResponse({"access_token": self._current, "expires_in": lasts})

    def _token(self, asked: dict[str, str]) -> Response:
        if (refused := self._unknown_app(asked)) is not None:
            return refused
        if self.calls.count("token") > 2000:
            return error(45009)
        if self._old_endpoint:
            self.tokens[self._old_endpoint] = min(self.tokens[self._old_endpoint], self.clock() + BOTH_GOOD)
        self._old_endpoint = self._new_token()
        return JSONResponse({"access_token": self._old_endpoint, "expires_in": int(LIFE.total_seconds())})

    def _new_token(self) -> str:
        token = f"{next(self._numbers)}_{'t' * 500}"
        self.tokens[token] = self.clock() + LIFE
        return token

    def _unknown_app(self, asked: dict[str, Any]) -> Response | None:
        if asked.get("grant_type") != "client_credential" or asked.get("appid") != APP_ID:
            return error(40013)
        if asked.get("secret") != SECRET:
            return error(40125)
        return None if self.listed else error(40164)

    def _refused(self, token: str | None) -> Response | None:
        if not token:
            return error(41001)
        if token not in self.tokens:
            return error(40001)
        if self.tokens[token] <= self.clock():
            return error(42001)
        return None if self.listed else error(40164)

    def _send(self, asked: dict[str, Any]) -> Response:
        openid = asked.get("touser", "")
        resident = self.residents[openid]
        if openid in self.unknown:
            return error(40003)
        if not resident.follows:
            return error(43004)
        if asked.get("msgtype") != "text":
            return error(40008)
        text = str(asked.get("text", {}).get("content", ""))
        if not text.strip():
            return error(44004)
        if len(text.encode()) > 2048:
            return error(45002)
        if self.enforce_windows:
            if resident.until <= self.clock():
                return error(45015)
            if resident.left <= 0:
                return error(45047)
            resident.left -= 1
        self._show(openid, text, "custom")
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _type(self, asked: dict[str, Any]) -> Response:
        openid = asked.get("touser", "")
        resident, now = self.residents[openid], self.clock()
        if asked.get("command") != "Typing":
            return error(45072)
        if now - resident.spoke_at > timedelta(seconds=30):
            return error(45080)
        if resident.typing_until > now:
            return error(45081)
        resident.typing_until = now + timedelta(seconds=15)
        self.typing.append(openid)
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _set_menu(self, asked: dict[str, Any]) -> Response:
        if (wrong := wrong_menu(asked)) is not None:
            return error(wrong)
        self.menu = asked
        return JSONResponse({"errcode": 0, "errmsg": "ok"})

    def _medium(self, media_id: str) -> Response:
        kept = self.media.get(media_id)
        if kept is None or kept[0] + MEDIA_KEPT <= self.clock():
            return error(40007)
        _, media_type, content = kept
        return Response(content, media_type=media_type)
