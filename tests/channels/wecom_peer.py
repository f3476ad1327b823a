"""WeCom's side of the contract: its rings, what it gives when asked, and its fake server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.types import ASGIApp

from channels.adapter import Call, WireMessage
from channels.wechat_envelope import write_xml
from channels.wecom import WecomAdapter
from channels.wecom_api import WecomApi
from tests.channels.peer import Trouble
from tests.channels.served_peer import ServedPeer
from tests.conftest import FakeClock
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID, envelope, sealed, signed
from tests.fakes.wecom_memory import SentMessage, Session

CHAT: Final = "77"
HELLO: Final = WireMessage("你好", key="1-0")


def adapter_of(address: str, *, menus: bool = False, seconds: float = 5.0) -> WecomAdapter:
    """Make an adapter for the fake at an address, with a token in memory."""
    api = WecomApi(CORP_ID, SECRET, address, MemoryTokens, read_seconds=seconds)
    return WecomAdapter(
        corp_id=CORP_ID, open_kfid=OPEN_KFID, api=api, token=CALLBACK_TOKEN, aes_key=AES_KEY, menus=menus
    )


class WecomPeer(ServedPeer):
    """An account of customer service and its server."""

    name = "wecom"
    chat = CHAT

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = FakeKf(clock=self._now)

    def _now(self) -> float:
        return self.clock.timestamp()

    def text(self, text: str, *, event: int, thread: str) -> Call:
        self.api.writes(thread, text, msgid=f"msg{event}")
        return self.api.rings()

    def forged(self) -> Sequence[Call]:
        # Only a ring that is believed may bring it.
        self.api.writes(CHAT, "ciao")
        now = self.clock.timestamp()
        good = self.api.rings()
        xml = write_xml({"MsgType": "event", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": OPEN_KFID})
        without = {name: value for name, value in good.query.items() if name != "msg_signature"}
        return [
            Call(good.headers, without, good.body),
            Call(good.headers, {**good.query, "msg_signature": ""}, good.body),
            Call(good.headers, {**good.query, "msg_signature": "0" * 40}, good.body),
            Call(good.headers, {**good.query, "nonce": "1"}, good.body),
            Call(good.headers, {**good.query, "timestamp": "é"}, good.body),
            Call(good.headers, good.query, xml.encode()),
            Call(good.headers, good.query, b"no xml at all \xff"),
            Call(good.headers, good.query, self.api.rings().body),
            sealed(xml, at=now, token="another"),
            sealed(xml, at=now, receiver="ww0000000000000000"),
        ]

    def replayed(self) -> Call | None:
        return self.api.rings(at=self.clock.timestamp() - 600)

    def malformed(self) -> Sequence[Call]:
        now = self.clock.timestamp()
        for item in (
            None,
            ["list"],
            {"msgid": "m1"},
            {"msgid": "m2", "msgtype": "text"},
            {"msgid": "m3", "msgtype": "event", "event": []},
            {"msgid": "a\x00b\ud800", "msgtype": "text", "open_kfid": OPEN_KFID, "origin": 3, "text": {"content": "x"}},
        ):
            self.api.logs(item)
        return [
            signed("no envelope", at=now),
            signed("AAAA" * 16, at=now),
            sealed("no xml", at=now),
            sealed("<xml><Of>nothing we know</Of></xml>", at=now),
            *(self.api.rings() for _ in range(6)),
        ]

    def unknown(self) -> Call:
        self.api.event("of_a_later_version", CHAT)
        return self.api.rings()

    def fetched(self) -> Sequence[Any]:
        return [
            item(msgtype="text", text={"content": "ciao", "menu_id": "7.1"}),
            item(msgtype="image", image={"media_id": "m1"}),
            item(msgtype="event", event={"event_type": "enter_session", "external_userid": "wm1", "scene": "market"}),
        ]

    def check(self) -> Call:
        query = dict(sealed(self.echo, at=self.clock.timestamp()).query)
        encrypted = envelope().encrypt(self.echo, random=b"0123456789abcdef")
        return Call({}, query | {"echostr": encrypted}, b"")

    def app(self) -> ASGIApp:
        return self.api.app()

    def adapter_at(self, url: str) -> WecomAdapter:
        return adapter_of(url, seconds=self.read_seconds)

    def thread_for(self, trouble: Trouble) -> str | None:
        self.api.sessions[CHAT] = Session(wrote_at=self.clock.timestamp())
        return super().thread_for(trouble)

    def troubles(self) -> Mapping[Trouble, Callable[[], object] | None]:
        session = self.api.sessions[CHAT]
        return {
            Trouble.THROTTLED: lambda: self.api.fail_next(45009, "api freq out of limit"),
            Trouble.BLOCKED: lambda: self.api.fail_next(84061, "no such external contact"),
            Trouble.WINDOW_CLOSED: lambda: setattr(session, "wrote_at", session.wrote_at - 49 * 3600),
            Trouble.QUOTA_EXHAUSTED: lambda: setattr(session, "sent", 5),
            Trouble.TOO_LONG: lambda: self.api.fail_next(45002, "content too long"),
            Trouble.TIME_OUT: lambda: self.api.stall_next(1.5 * self.read_seconds),
            Trouble.SERVER_ERROR: lambda: self.api.garbage_next(status=502),
            Trouble.GARBAGE: self.api.garbage_next,
            Trouble.REFUSED: lambda: self.api.fail_next(95014, "session status not allowed"),
            Trouble.TOLD_LATER: lambda: setattr(session, "refuses", True),
        }

    def told_later(self) -> Call:
        # The fake has written it down where it is fetched.
        return self.api.rings()

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent


def item(**fields: Any) -> dict[str, Any]:
    """Make an item of `msg_list`, as a customer's message has it."""
    message = {"msgid": "m1", "open_kfid": OPEN_KFID, "external_userid": "wm1", "origin": 3, "send_time": 1_615_478_585}
    return message | fields
