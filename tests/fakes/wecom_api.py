"""A fake of qyapi.weixin.qq.com for customer service (kf) that enforces the platform's rules, in injected time.

The rules are those of developer.work.weixin.qq.com/document (paths 91039, 94670, 94677, 94669, 95122, 90254):

- gettoken gives the same token for 7,200 seconds, each time with `expires_in` 7200; a token that ended gives 42001, one
  that never was 40014, none 41001.
- sync_msg gives pages after a cursor, of three days; the first without one begins with the oldest. `has_more` may come
  with an empty list. What was sent through the interface is not in it. The token of a ring is good for ten minutes,
  after which it gives 95007; without one only a few calls a minute are allowed, then 45009.
- send_msg: states 0 and 1 only (95018); within 48 hours after the customer's last message (95002) and five messages
  (95001), or both reported later as msg_send_fail, as the platform also does; texts of 1 to 2,048 bytes (45002); menus
  of at most 10 items, head of 1,024 bytes, ids of 64 and labels of 128 bytes; own msgid of at most 32 characters
  `[0-9a-zA-Z_-]`, not used before (40058).
- send_msg_on_event: a welcome code works once, for 20 seconds, and costs no message of the five; it comes with
  enter_session only where nothing was sent for 48 hours.
- service_state: what may follow what (95016); a customer who writes after the end begins anew with 0.
- media/get: a file, for three days; JSON where there is none (40007).

Which code stands for which refusal is documented only in part; see docs/channels.md.
"""

import json
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID
from tests.fakes.wecom_memory import WINDOW_SECONDS, KfMemory, SentMessage, Session

SECRET: Final = "kf-secret"
TOKEN_SECONDS: Final = 7200
RING_SECONDS: Final = 600
DAY: Final = 86400.0
KEPT_SECONDS: Final = 3 * DAY
CODE_SECONDS: Final = 20
QUOTA: Final = 5
UNANNOUNCED_A_MINUTE: Final = 3
_MSGID: Final = re.compile(r"[0-9a-zA-Z_-]{1,32}")
_MAY_FOLLOW: Final = {0: {1, 2, 3, 4}, 1: {2, 3, 4}, 2: {3, 4}, 3: {3, 4}, 4: set[int]()}


@dataclass
class FakeKf(KfMemory):
    """The server's memory, and verbs for the other side and for misbehaviour.

    With `reports_later` it takes a message too many, and says so by an event. It takes the next messages and fails to
    deliver them for the reasons (`fail_type`) in `fails`.
    """

    reports_later: bool = False
    fails: deque[int] = field(default_factory=deque)
    page: int = 1000
    tokens_fetched: int = 0
    empty_pages: int = 0
    syncs: list[dict[str, Any]] = field(default_factory=list)
    transitions: list[tuple[str, int]] = field(default_factory=list)
    _token: tuple[str, float] = ("", -1e12)
    _ended: set[str] = field(default_factory=set)
    _msgids: set[str] = field(default_factory=set)
    _unannounced: deque[float] = field(default_factory=deque)
    _failures: deque[tuple[str, Response | None, float]] = field(default_factory=deque)

    # --- verbs for misbehaviour ---

    def fail_next(self, errcode: int, errmsg: str = "refused", **fields: Any) -> None:
        """Answer the next call but gettoken with a code, and whatever else."""
        self._failures.append(("error", _said(errcode, errmsg, **fields), 0.0))

    def garbage_next(self, *, status: int = 200) -> None:
        """Answer the next call but gettoken with something that is no JSON."""
        self._failures.append(("error", PlainTextResponse("<html>bad gateway</html>", status), 0.0))

    def stall_next(self, seconds: float) -> None:
        """Do what the next call asks for, but answer only after a while: the caller cannot know."""
        self._failures.append(("stall", None, seconds))

    def lose_token(self) -> None:
        """End the token that is in force, as when somebody made a new secret."""
        with self.lock:
            self._ended.add(self._token[0])
            self._token = ("", -1e12)

    # --- the server ---

    def app(self) -> Starlette:
        """Give the application."""
        paths = ("kf/sync_msg", "kf/send_msg", "kf/send_msg_on_event", "kf/service_state/get", "kf/service_state/trans")
        return Starlette(
            routes=[
                Route("/cgi-bin/gettoken", self._gettoken, methods=["GET"]),
                Route("/cgi-bin/media/get", self._media_get, methods=["GET"]),
                *(Route(f"/cgi-bin/{path}", self._posted, methods=["POST"]) for path in paths),
            ]
        )

    async def _gettoken(self, request: Request) -> Response:
        if request.query_params.get("corpid") != CORP_ID:
            return _said(40013, "invalid corpid")
        if request.query_params.get("corpsecret") != SECRET:
            return _said(40001, "invalid credential")
        with self.lock:
            self.tokens_fetched += 1
            token, since = self._token
            if since + TOKEN_SECONDS <= self.clock():
                self._ended.add(token)
                token = self.new_id("token")
                self._token = (token, self.clock())
        return _said(0, "ok", access_token=token, expires_in=TOKEN_SECONDS)

    async def _media_get(self, request: Request) -> Response:
        with self.lock:
            refused = self._refused(request) or self._failing()
            media_type, content, at = self.media.get(request.query_params.get("media_id", ""), ("", b"", -1e12))
        if refused is not None:
            return refused
        if at + KEPT_SECONDS <= self.clock():
            return _said(40007, "invalid media_id")
        return Response(content, media_type=media_type, headers={"Content-Disposition": 'attachment; filename="file"'})

    async def _posted(self, request: Request) -> Response:
        arguments = await request.json()
        stall = 0.0
        with self.lock:
            if (refused := self._refused(request)) is not None:
                return refused
            if self._failures and self._failures[0][0] == "stall":
                stall = self._failures.popleft()[2]
            elif (failing := self._failing()) is not None:
                return failing
            answer = self._answer(request.url.path.removeprefix("/cgi-bin/kf/"), arguments)
        if stall:
            await run_in_threadpool(time.sleep, stall)
        return answer

    def _failing(self) -> Response | None:
        return self._failures.popleft()[1] if self._failures and self._failures[0][0] == "error" else None

    def _refused(self, request: Request) -> Response | None:
        given = request.query_params.get("access_token", "")
        token, since = self._token
        if not given:
            return _said(41001, "access_token missing")
        if given in self._ended or (given == token and since + TOKEN_SECONDS <= self.clock()):
            return _said(42001, "access_token expired")
        return None if given == token else _said(40014, "invalid access_token")

    def _answer(self, path: str, arguments: dict[str, Any]) -> Response:
        if path == "sync_msg":
            return self._sync(arguments)
        if path == "send_msg_on_event":
            return self._send_on_event(arguments)
        if arguments.get("open_kfid") != OPEN_KFID:
            return _said(95000, "invalid open_kfid")
        user = arguments.get("touser") or arguments.get("external_userid", "")
        session = self.sessions.get(user)
        if session is None:
            return _said(40096, "invalid external userid")
        if path == "send_msg":
            return self._send(user, session, arguments)
        if path == "service_state/get":
            return _said(0, "ok", service_state=session.state)
        wanted = arguments.get("service_state")
        if wanted not in _MAY_FOLLOW[session.state]:
            return _said(95016, "not allowed to change to this state")
        session.state = wanted
        self.transitions.append((user, wanted))
        return _said(0, "ok")

    def _sync(self, arguments: dict[str, Any]) -> Response:
        self.syncs.append(arguments)
        now, limit = self.clock(), arguments.get("limit", 1000)
        if arguments.get("token"):
            if self.rung.get(arguments["token"], -1e12) + RING_SECONDS <= now:
                return _said(95007, "invalid msg token")
        else:
            while self._unannounced and self._unannounced[0] <= now - 60:
                self._unannounced.popleft()
            if len(self._unannounced) >= UNANNOUNCED_A_MINUTE:
                return _said(45009, "api freq out of limit")
            self._unannounced.append(now)
        if not 1 <= limit <= 1000 or arguments.get("open_kfid", OPEN_KFID) != OPEN_KFID:
            return _said(95000, "invalid open_kfid")
        cursor = arguments.get("cursor", "")
        if cursor and not re.fullmatch(r"c[0-9]+", cursor):
            return _said(40058, "invalid cursor")
        start = int(cursor[1:]) if cursor else 0
        if self.empty_pages and start < len(self.log):
            self.empty_pages -= 1
            return _said(0, "ok", next_cursor=f"c{start}", has_more=1, msg_list=[])
        end = min(start + min(limit, self.page), len(self.log))
        found = [item for at, item in self.log[start:end] if at + KEPT_SECONDS > now]
        return _said(0, "ok", next_cursor=f"c{end}", has_more=int(end < len(self.log)), msg_list=found)

    def _send(self, user: str, session: Session, arguments: dict[str, Any]) -> Response:
        if session.state not in {0, 1}:
            return _said(95018, "send msg session status invalid")
        if (wrong := self._wrong(arguments)) is not None:
            return wrong
        failure: tuple[int, Response | None] | None = None
        if session.refuses:
            failure = (10, None)
        elif session.wrote_at + WINDOW_SECONDS <= self.clock():
            failure = (4, _said(95002, "msg time limit"))
        elif session.sent >= QUOTA:
            failure = (6, _said(95001, "msg count limit"))
        elif self.fails:
            failure = (self.fails.popleft(), None)
        if failure is not None and failure[1] is not None and not self.reports_later:
            return failure[1]
        msgid = arguments.get("msgid") or self.new_id("out")
        self._msgids.add(msgid)
        if failure is not None:
            self.event("msg_send_fail", user, fail_msgid=msgid, fail_type=failure[0])
        else:
            session.sent += 1
            self._deliver(user, msgid, arguments, on_event=False)
        return _said(0, "ok", msgid=msgid)

    def _send_on_event(self, arguments: dict[str, Any]) -> Response:
        user, since = self.codes.get(arguments.get("code", ""), ("", -1e12))
        if since + CODE_SECONDS < self.clock():
            return _said(40058, "invalid code")
        if (wrong := self._wrong(arguments)) is not None:
            return wrong
        del self.codes[arguments["code"]]
        msgid = arguments.get("msgid") or self.new_id("out")
        self._msgids.add(msgid)
        self._deliver(user, msgid, arguments, on_event=True)
        return _said(0, "ok", msgid=msgid)

    def _wrong(self, arguments: dict[str, Any]) -> Response | None:
        """Refuse what the interface does not take."""
        msgid = arguments.get("msgid")
        if msgid is not None and (not _MSGID.fullmatch(msgid) or msgid in self._msgids):
            return _said(40058, "invalid msgid")
        match arguments.get("msgtype"):
            case "text":
                return _said(45002, "content too long") if not _fits(arguments["text"]["content"], 2048) else None
            case "msgmenu":
                menu = arguments["msgmenu"]
                items = [item["click"] for item in menu["list"]]
                fits = _fits(menu["head_content"], 1024) and 1 <= len(items) <= 10
                fits = fits and all(_fits(item["id"], 64) and _fits(item["content"], 128) for item in items)
                return None if fits else _said(40058, "invalid menu")
            case _:
                return _said(40008, "invalid msgtype")

    def _deliver(self, user: str, msgid: str, arguments: dict[str, Any], *, on_event: bool) -> None:
        self.sessions[user].last_out = self.clock()
        if arguments["msgtype"] == "text":
            text, items = arguments["text"]["content"], []
        else:
            text, items = arguments["msgmenu"]["head_content"], arguments["msgmenu"]["list"]
        menu = tuple((item["click"]["content"], item["click"]["id"]) for item in items)
        self.sent.append(SentMessage(user, msgid, text, menu, on_event, self.clock()))


def _fits(text: str, longest: int) -> bool:
    return 1 <= len(text.encode()) <= longest


def _said(errcode: int, errmsg: str, **fields: Any) -> Response:
    # In plain ASCII, so that it can carry whatever a test puts into a message.
    body = json.dumps({"errcode": errcode, "errmsg": errmsg, **fields})
    return Response(body, media_type="application/json; charset=UTF-8")
