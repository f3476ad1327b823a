"""What the fake of WeCom's server remembers, with verbs for customers and for staff in WeCom's own app."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from channels.adapter import Call
from channels.wechat_envelope import write_xml
from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID, sealed

WINDOW_SECONDS: Final = 48 * 3600.0


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that reached the customer."""

    touser: str
    msgid: str
    text: str
    menu: tuple[tuple[str, str], ...]
    on_event: bool
    at: float


@dataclass
class Session:
    """One customer with the account."""

    state: int = 0
    wrote_at: float = -1e12
    sent: int = 0
    last_out: float = -1e12
    refuses: bool = False


@dataclass
class KfMemory:
    """Customers, what they sent, and what is to be fetched of it."""

    clock: Callable[[], float] = time.time
    sent: list[SentMessage] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    media: dict[str, tuple[str, bytes, float]] = field(default_factory=dict)
    log: list[tuple[float, Any]] = field(default_factory=list)
    rung: dict[str, float] = field(default_factory=dict)
    codes: dict[str, tuple[str, float]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def writes(self, user: str, text: str, *, menu_id: str | None = None, msgid: str | None = None) -> str:
        """Let a customer write, or tap in a menu; gives the id of the message."""
        content = {"content": text} | ({} if menu_id is None else {"menu_id": menu_id})
        return self.sends(user, "text", content, msgid=msgid)

    def sends(self, user: str, msgtype: str, content: Any, *, msgid: str | None = None, **fields: Any) -> str:
        """Let a customer send something of any kind."""
        with self.lock:
            session = self.sessions.setdefault(user, Session())
            if session.state == 4:
                session.state = 0
            session.wrote_at, session.sent = self.clock(), 0
            return self.adds({
                "msgid": msgid or self.new_id("msg"),
                "open_kfid": OPEN_KFID,
                "external_userid": user,
                "origin": 3,
                "servicer_userid": "",
                "msgtype": msgtype,
                msgtype: content,
            } | fields)  # fmt: skip

    def enters(self, user: str, *, scene: str = "", scene_param: str = "") -> str | None:
        """Let a customer open the chat; gives the welcome code, where there is one."""
        with self.lock:
            session = self.sessions.setdefault(user, Session(state=4))
            now, code = self.clock(), None
            details = {"scene": scene, "scene_param": scene_param}
            if session.last_out < now - WINDOW_SECONDS:
                code = self.new_id("code")
                self.codes[code] = (user, now)
                details["welcome_code"] = code
            self.event("enter_session", user, **details)
            return code

    def staff_write(self, user: str, text: str) -> None:
        """Let staff answer in WeCom's own app."""
        self.adds({
            "msgid": self.new_id("staff"),
            "open_kfid": OPEN_KFID,
            "external_userid": user,
            "origin": 5,
            "servicer_userid": "Zhangsan",
            "msgtype": "text",
            "text": {"content": text},
        })  # fmt: skip

    def event(self, event_type: str, user: str | None, **details: Any) -> None:
        """Log an event; account and customer stand within it."""
        event = {"event_type": event_type, "open_kfid": OPEN_KFID} | details
        if user is not None:
            event["external_userid"] = user
        self.adds({"msgid": self.new_id("event"), "origin": 4, "msgtype": "event", "event": event})

    def logs(self, item: Any) -> None:
        """Put anything at all into the list that sync_msg gives."""
        with self.lock:
            self.log.append((self.clock(), item))

    def keeps(self, media_type: str, content: bytes) -> str:
        """Keep a medium of a customer; gives its id."""
        media_id = self.new_id("media")
        self.media[media_id] = (media_type, content, self.clock())
        return media_id

    def rings(self, *, open_kfid: str = OPEN_KFID, at: float | None = None, **fields: str) -> Call:
        """Make the callback that says that there is something."""
        token = self.new_id("ENC")
        self.rung[token] = self.clock()
        now = int(self.clock() if at is None else at)
        fields = {
            "ToUserName": CORP_ID,
            "CreateTime": str(now),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": token,
            "OpenKfId": open_kfid,
        } | fields  # fmt: skip
        return sealed(write_xml(fields), at=now)

    def adds(self, item: dict[str, Any]) -> str:
        """Put an item with its time into the list that sync_msg gives; gives its id."""
        with self.lock:
            self.log.append((self.clock(), item | {"send_time": int(self.clock())}))
        return str(item["msgid"])

    def new_id(self, kind: str) -> str:
        """Give an id that was not given before."""
        return f"{kind}{next(self._numbers):08d}"
