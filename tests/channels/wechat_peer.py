"""WeChat's side of the contract: its sealed requests, and its fake interface."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.types import ASGIApp

from channels.adapter import Call
from channels.wechat import WeChatAdapter
from channels.wechat_api import WeChatApi
from tests.channels.peer import Trouble
from tests.channels.served_peer import ServedPeer
from tests.conftest import START
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET, Shown
from tests.fakes.wechat_platform import ACCOUNT, OLD_AES_KEY, TOKEN, FakeWeChat

# So long the suite waits for a first reply that nobody makes there.
PATIENCE: Final = timedelta(milliseconds=20)


def call_of(request: tuple[dict[str, str], bytes]) -> Call:
    """Give a request of the fake as the adapter gets it."""
    query, body = request
    return Call({}, query, body)


def text_fields(text: str, *, event: int, openid: str = OPENID) -> dict[str, Any]:
    """Give the fields of a text."""
    created = int(START.timestamp()) + event
    common = {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": created}
    return common | {"MsgType": "text", "Content": text, "MsgId": 6054768590064713000 + event}


class WeChatPeer(ServedPeer):
    """An Official Account in the safe mode."""

    name = "wechat"
    chat = OPENID

    def __init__(self) -> None:
        # The suite puts its own here.
        self.clock: Callable[[], datetime] = lambda: START
        # The suite keeps its own count of windows, from conversations that the platform never saw.
        self.platform = FakeWeChat(clock=self._now, enforce_windows=False)

    def _now(self) -> datetime:
        return self.clock()

    def text(self, text: str, *, event: int, thread: str) -> Call:
        return call_of(self.platform.request(text_fields(text, event=event, openid=thread)))

    def forged(self) -> Sequence[Call]:
        good = self.text("ciao", event=1, thread=OPENID)
        other = self.text("un altro", event=2, thread=OPENID)
        plain = FakeWeChat(mode="plain").request(text_fields("ciao", event=1))
        compat = FakeWeChat(mode="compat").request(text_fields("ciao", event=1))
        unknown_key = FakeWeChat(aes_key=OLD_AES_KEY)
        query = dict(good.query)
        unsigned = {name: value for name, value in query.items() if name != "msg_signature"}
        return [
            Call({}, {}, good.body),
            Call({}, query | {"signature": "0" * 40}, good.body),
            Call({}, query | {"signature": ""}, good.body),
            Call({}, query | {"signature": "é"}, good.body),
            Call({}, query | {"nonce": "1"}, good.body),
            Call({}, query | {"timestamp": "x"}, good.body),
            Call({}, query | {"msg_signature": "0" * 40}, good.body),
            # A good signature of the query, from another request, says nothing of this body.
            Call({}, unsigned, good.body),
            Call({}, query, other.body),
            Call({}, query, b""),
            # What is not sealed is nobody's, and neither is a readable copy.
            call_of(plain),
            Call({}, query | {"encrypt_type": "raw"}, plain[1]),
            call_of(compat),
            # Sealed with another key.
            Call({}, query, unknown_key.request(text_fields("ciao", event=3))[1]),
        ]

    def replayed(self) -> Call | None:
        fields = text_fields("ciao", event=1)
        return call_of(self.platform.request(fields, at=START - timedelta(hours=1)))

    def malformed(self) -> Sequence[Call]:
        fields = text_fields("ciao", event=1)
        without = [
            {key: value for key, value in text_fields("ciao", event=event).items() if key != name}
            for event, name in enumerate(("MsgType", "MsgId", "Content"), 2)
        ]
        return [
            call_of(self.platform.request("no XML at all")),
            call_of(self.platform.request("<xml/>")),
            call_of(self.platform.request("<xml><MsgType><MsgType/></MsgType></xml>")),
            call_of(self.platform.request('<!DOCTYPE xml [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>')),
            *(call_of(self.platform.request(each)) for each in without),
            call_of(self.platform.request(fields | {"FromUserName": "not an openid"})),
        ]

    def unknown(self) -> Call:
        return call_of(self.platform.request(text_fields("ciao", event=5) | {"MsgType": "hologram"}))

    def check(self) -> Call:
        return Call({}, self.platform.check(self.echo), b"")

    def app(self) -> ASGIApp:
        return self.platform.app()

    def adapter_at(self, url: str) -> WeChatAdapter:
        return adapter_of(self.platform, url, read_seconds=self.read_seconds, patience=PATIENCE)

    def troubles(self) -> Mapping[Trouble, Callable[[], object] | None]:
        return {
            Trouble.THROTTLED: lambda: self.platform.fail_next(45011),
            Trouble.BLOCKED: lambda: self.platform.event("unsubscribe"),
            Trouble.WINDOW_CLOSED: lambda: self.platform.fail_next(45015),
            Trouble.QUOTA_EXHAUSTED: lambda: self.platform.fail_next(45047),
            Trouble.TOO_LONG: lambda: self.platform.fail_next(45002),
            Trouble.TIME_OUT: lambda: self.platform.stall_next(1.5 * self.read_seconds),
            Trouble.SERVER_ERROR: lambda: self.platform.answer_next("<html>bad gateway</html>", status=502),
            Trouble.GARBAGE: lambda: self.platform.answer_next("<html>welcome</html>"),
            Trouble.REFUSED: lambda: self.platform.fail_next(48003),
            Trouble.TOLD_LATER: None,
        }

    def sent(self) -> Sequence[Shown]:
        return [shown for shown in self.platform.shown if shown.how == "custom"]


def adapter_of(
    platform: FakeWeChat, url: str = "http://127.0.0.1:9", *, read_seconds: float = 1.0, **others: Any
) -> WeChatAdapter:
    """Make an adapter for a fake platform, its token in memory."""
    api = WeChatApi(APP_ID, SECRET, url, read_seconds=read_seconds)
    given = {"token": TOKEN, "aes_key": platform.aes_key} | others
    return WeChatAdapter(app_id=APP_ID, api=api, tokens=MemoryTokens(api.fetch_token), **given)


def retimed(call: Call, **query: str) -> Call:
    """Give a request with other values in its query."""
    return replace(call, query={**call.query, **query})
