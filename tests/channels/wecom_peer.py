"""WeCom's side of the contract: its rings, what it gives when asked, and its fake server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from channels.adapter import Call, CalledAdapter, WireMessage
from channels.wechat_envelope import write_xml
from channels.wecom import WecomAdapter
from channels.wecom_api import WecomApi
from tests.channels.peer import Trouble
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID, sealed, signed
from tests.fakes.wecom_memory import SentMessage, Session

CHAT: Final = "77"
HELLO: Final = WireMessage("你好", key="1-0")


def adapter_of(address: str, *, menus: bool = False, seconds: float = 5.0) -> WecomAdapter:
    """Make an adapter for the fake at an address, with a token in memory."""
    api = WecomApi(CORP_ID, SECRET, address, MemoryTokens, read_seconds=seconds)
    return WecomAdapter(
        corp_id=CORP_ID, open_kfid=OPEN_KFID, api=api, token=CALLBACK_TOKEN, aes_key=AES_KEY, menus=menus
    )


class WecomPeer:
    """An account of customer service and its server."""

    name = "wecom"

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = FakeKf(clock=self._now)
        self._server: LoopbackServer | None = None
        self.read_seconds = 1.0

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

    def connect(self) -> AbstractAsyncContextManager[CalledAdapter]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledAdapter]:
        with LoopbackServer(self.api.app()) as server:
            adapter = adapter_of(server.url, seconds=self.read_seconds)
            self._server = server
            try:
                yield adapter
            finally:
                await adapter.close()

    def thread_for(self, trouble: Trouble) -> str | None:
        session = self.api.sessions[CHAT] = Session(wrote_at=self.clock.timestamp())
        match trouble:
            case Trouble.NONE:
                pass
            case Trouble.THROTTLED:
                self.api.fail_next(45009, "api freq out of limit")
            case Trouble.BLOCKED:
                self.api.fail_next(84061, "no such external contact")
            case Trouble.WINDOW_CLOSED:
                session.wrote_at -= 49 * 3600
            case Trouble.QUOTA_EXHAUSTED:
                session.sent = 5
            case Trouble.TOO_LONG:
                self.api.fail_next(45002, "content too long")
            case Trouble.TIME_OUT:
                self.api.stall_next(1.5 * self.read_seconds)
            case Trouble.SERVER_ERROR:
                self.api.garbage_next(status=502)
            case Trouble.GARBAGE:
                self.api.garbage_next()
            case Trouble.NO_CONNECTION:
                assert self._server is not None
                self._server.__exit__()
        return CHAT

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent


def item(**fields: Any) -> dict[str, Any]:
    """Make an item of `msg_list`, as a customer's message has it."""
    message = {"msgid": "m1", "open_kfid": OPEN_KFID, "external_userid": "wm1", "origin": 3, "send_time": 1_615_478_585}
    return message | fields
