"""WeChat's own side: what residents do, and how the platform brings it to an account, in injected time.

The rules are those of developers.weixin.qq.com, as `docs/channels.md` names them:

- every request is signed, and sealed where the mode says so; it is made up to three times, five seconds apart, until it
  is answered within five seconds with "success", nothing, or a passive reply in the right form; else the resident
  reads that the account is out of order.
- a message opens a window of 48 hours and 5 messages; a tap, scan or follow one of a minute and 3. Allowances do not
  add up. A passive reply costs none of them.

Sealing is wechatpy's own, and not that of the code under test.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import xmltodict
from wechatpy.crypto import WeChatCrypto

from tests.fakes.wechat_api import APP_ID, OPENID, FakeWeChatApi

TOKEN = "QDG6eK"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OLD_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT = "gh_10f6c3c3ac5a"
PATIENCE = timedelta(seconds=5)
DELIVERIES = 3
OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"

Post = Callable[[dict[str, str], bytes], Awaitable[tuple[int, str]]]


@dataclass
class FakeWeChat(FakeWeChatApi):
    """The platform as a whole. `clock` moves by `advance`, in seconds, while the platform waits."""

    advance: Callable[[float], None] = lambda _seconds: None
    mode: str = "safe"
    aes_key: str = AES_KEY
    attempts: list[int] = field(default_factory=list)

    # --- residents ---

    def message(self, openid: str = OPENID, **fields: Any) -> dict[str, Any]:
        """Let a resident write: a window of 48 hours. Gives the message, for `deliver`."""
        self._open(openid, timedelta(hours=48), 5)
        self.residents[openid].spoke_at = self.clock()
        number = 6054768590064713000 + next(self._numbers)
        return self._fields(openid) | {"MsgId": number} | fields

    def text(self, text: str, openid: str = OPENID) -> dict[str, Any]:
        """Let a resident write a text."""
        return self.message(openid, MsgType="text", Content=text)

    def event(self, event: str, openid: str = OPENID, **fields: Any) -> dict[str, Any]:
        """Let a resident do something else."""
        resident = self.residents[openid]
        if event in {"subscribe", "unsubscribe"}:
            resident.follows = event == "subscribe"
        if event in {"subscribe", "SCAN", "CLICK"}:
            self._open(openid, timedelta(minutes=1), 3)
        return self._fields(openid) | {"MsgType": "event", "Event": event} | fields

    def _fields(self, openid: str) -> dict[str, Any]:
        created = int(self.clock().timestamp())
        return {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": created}

    def _open(self, openid: str, lasts: timedelta, messages: int) -> None:
        resident, now = self.residents[openid], self.clock()
        left = resident.left if resident.until > now else 0
        resident.left = max(left, messages)
        resident.until = max(resident.until, now + lasts)

    # --- the delivery side ---

    def request(self, fields: dict[str, Any] | str, *, at: datetime | None = None) -> tuple[dict[str, str], bytes]:
        """Give query and body of the request that brings a message; a text goes as it is, sealed all the same."""
        inner = fields if isinstance(fields, str) else written(fields)
        timestamp, nonce = str(int((at or self.clock()).timestamp())), str(next(self._numbers) + 1320562132)
        query = {"signature": signed(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        query["openid"] = fields["FromUserName"] if isinstance(fields, dict) else OPENID
        if self.mode == "plain":
            return query, inner.encode()
        crypto = WeChatCrypto(TOKEN, self.aes_key, APP_ID)
        sealed = xmltodict.parse(crypto.encrypt_message(inner, nonce, timestamp))["xml"]
        query |= {"encrypt_type": "aes", "msg_signature": sealed["MsgSignature"]}
        outer = {"ToUserName": ACCOUNT, "Encrypt": sealed["Encrypt"]}
        if self.mode == "compat" and isinstance(fields, dict):
            outer = {**fields, **outer}
        return query, written(outer).encode()

    def check(self, echo: str = "5837397576500011341") -> dict[str, str]:
        """Give the query with which the platform checks an address."""
        timestamp, nonce = str(int(self.clock().timestamp())), "1372623149"
        return {"signature": signed(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce, "echostr": echo}

    async def deliver(self, fields: dict[str, Any], post: Post) -> None:
        """Bring a message: three times at most, until it is answered in time and in the right form."""
        for attempt in range(1, DELIVERIES + 1):
            asked_at = self.clock()
            status, body = await post(*self.request(fields))
            if status == 200 and self.clock() - asked_at < PATIENCE:
                self.attempts.append(attempt)
                self._answered(fields["FromUserName"], body)
                return
            self.advance(max((asked_at + PATIENCE - self.clock()).total_seconds(), 0.0))
        self.attempts.append(DELIVERIES)
        self._show(fields["FromUserName"], OUT_OF_ORDER, "fault")

    def _answered(self, openid: str, body: str) -> None:
        if body in {"", "success"}:
            return
        try:
            reply = self.opened(body)
            good = reply["ToUserName"] == openid and reply["FromUserName"] == ACCOUNT and reply["MsgType"] == "text"
            text = str(reply["Content"] or "")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the platform says the same
            self._show(openid, f"{OUT_OF_ORDER} ({type(error).__name__})", "fault")
            return
        if not good or not text or len(text.encode()) > 2048:
            self._show(openid, OUT_OF_ORDER, "fault")
        else:
            self._show(openid, text, "passive")

    def opened(self, body: str) -> dict[str, Any]:
        """Read a passive reply; in the modes with sealing it has to be sealed."""
        if self.mode != "plain":
            outer = xmltodict.parse(body)["xml"]
            crypto = WeChatCrypto(TOKEN, self.aes_key, APP_ID)
            body = crypto.decrypt_message(body, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        found: dict[str, Any] = xmltodict.parse(body)["xml"]
        return found


def signed(*parts: str) -> str:
    """Sign as the platform does."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platform's choice


def written(fields: dict[str, Any]) -> str:
    """Write XML as the platform does: texts as CDATA, numbers as they are."""
    lines = [
        f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}><![CDATA[{_safe(value)}]]></{name}>"
        for name, value in fields.items()
    ]
    return "<xml>" + "\n".join(lines) + "\n</xml>"


def _safe(value: str) -> str:
    return value.replace("]]>", "]]]]><![CDATA[>")
