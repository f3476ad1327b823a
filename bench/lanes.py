"""The residents of each channel, and the fake platform behind them, for the load over all channels at once."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

import httpx
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.crash.processes import SECRET as TELEGRAM_SECRET
from tests.fakes.phone import WHATSAPP, FakePhone
from tests.fakes.telegram_api import TOKEN as TELEGRAM_TOKEN
from tests.fakes.telegram_api import FakeBotApi
from tests.fakes.wechat_api import APP_ID
from tests.fakes.wechat_api import SECRET as WECHAT_SECRET
from tests.fakes.wechat_platform import AES_KEY as WECHAT_KEY
from tests.fakes.wechat_platform import TOKEN as WECHAT_TOKEN
from tests.fakes.wechat_platform import FakeWeChat
from tests.fakes.wecom_api import SECRET as WECOM_SECRET
from tests.fakes.wecom_api import FakeKf
from tests.fakes.wecom_callbacks import AES_KEY as WECOM_KEY
from tests.fakes.wecom_callbacks import CALLBACK_TOKEN, CORP_ID, OPEN_KFID
from tests.fakes.whatsapp_api import PHONE_ID, SECRET, TOKEN, VERIFY_TOKEN, FakeCloudApi, text_value

# Longer than any adapter waits.
HANGS_SECONDS: Final = 30.0
PHONE_TOKEN: Final = "token-of-the-bench"  # noqa: S105 - opens nothing
DEVICE: Final = "bench"

Trouble = Callable[["Switch"], Awaitable[Response]]


@dataclass
class Switch:
    """A platform that can be made to misbehave, for the calls that send messages."""

    app: ASGIApp
    sends: str
    trouble: Trouble | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the platform does, or as it should not."""
        if self.trouble is not None and scope["type"] == "http" and self.sends in scope["path"]:
            await (await self.trouble(self))(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def throttled(_switch: Switch) -> Response:
    """Ask to wait, as Telegram does."""
    parameters = {"retry_after": 5}
    return JSONResponse({"ok": False, "error_code": 429, "description": "Too Many", "parameters": parameters}, 429)


async def failing(_switch: Switch) -> Response:
    """Answer 500."""
    return PlainTextResponse("internal error", 500)


async def hanging(switch: Switch) -> Response:
    """Answer when nobody waits any more, or the trouble is over."""
    until = time.monotonic() + HANGS_SECONDS
    while switch.trouble is hanging and time.monotonic() < until:  # noqa: ASYNC110 - it is switched by another thread
        await asyncio.sleep(0.2)
    return PlainTextResponse("too late", 504)


@dataclass
class Arrivals:
    """When something reached each chat, in seconds of the monotonic clock."""

    times: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, chat: int) -> None:
        """Something arrived now."""
        self.times[chat].append(time.monotonic())

    def first_after(self, chat: int, moment: float) -> float | None:
        """Give when something first arrived after a moment."""
        return next((at for at in self.times[chat] if at >= moment), None)


class Lane(Protocol):
    """One channel: `ask` brings a question, and notes what comes back with the request."""

    name: str
    arrivals: Arrivals

    def app(self) -> ASGIApp | None:
        """Give the platform, where there is one to serve."""

    def settings(self, url: str) -> dict[str, str]:
        """Give what the program is told of the platform."""

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        """Let the resident of a chat write."""

    def look(self) -> None:
        """Note what the platform took since the last look."""


class TelegramLane:
    """A bot."""

    name = "telegram"

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.api = FakeBotApi()
        self._seen = self._updates = 0

    def app(self) -> ASGIApp:
        return self.api.app()

    def settings(self, url: str) -> dict[str, str]:
        return {"TOKEN": TELEGRAM_TOKEN, "SECRET": TELEGRAM_SECRET, "API_BASE": url, "RATE": "1000"}

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        self._updates += 1
        person = {"id": chat, "is_bot": False, "first_name": "R", "language_code": "it"}
        message = {"message_id": self._updates, "date": int(time.time()), "chat": {"id": chat, "type": "private"}}
        update = {"update_id": self._updates, "message": message | {"from": person, "text": text}}
        headers = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
        (await client.post("/webhooks/telegram", json=update, headers=headers)).raise_for_status()

    def look(self) -> None:
        sent = self.api.sent
        while self._seen < len(sent):
            self.arrivals.times[sent[self._seen].chat_id].append(sent[self._seen].at)
            self._seen += 1


class _WatchedWeChat(FakeWeChat):
    arrivals: Arrivals

    def _show(self, openid: str, text: str, how: str) -> None:
        super()._show(openid, text, how)
        if how != "fault":
            self.arrivals.note(int(openid[-6:]))


class WeChatLane:
    """An Official Account in the safe mode; most answers go back with the request."""

    name = "wechat"

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.platform = _WatchedWeChat(clock=lambda: datetime.now(UTC))
        self.platform.arrivals = self.arrivals

    def app(self) -> ASGIApp:
        return self.platform.app()

    def settings(self, url: str) -> dict[str, str]:
        return {
            "APP_ID": APP_ID,
            "SECRET": WECHAT_SECRET,
            "TOKEN": WECHAT_TOKEN,
            "AES_KEY": WECHAT_KEY,
            "API_BASE": url,
        }

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        async def post(query: dict[str, str], body: bytes) -> tuple[int, str]:
            answer = await client.post("/webhooks/wechat", params=query, content=body)
            return answer.status_code, answer.text

        await self.platform.deliver(self.platform.text(text, f"oyORnuP8q7ou2gfYjqLzSI{chat:06}"), post)

    def look(self) -> None:
        """Do nothing: all is noted when it is shown."""


class WecomLane:
    """An account of customer service: it rings, and is asked what for."""

    name = "wecom"

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.api = FakeKf()
        self._offset = time.monotonic() - time.time()
        self._seen = 0

    def app(self) -> ASGIApp:
        return self.api.app()

    def settings(self, url: str) -> dict[str, str]:
        return {
            "CORP_ID": CORP_ID,
            "SECRET": WECOM_SECRET,
            "OPEN_KFID": OPEN_KFID,
            "TOKEN": CALLBACK_TOKEN,
            "AES_KEY": WECOM_KEY,
            "API_BASE": url,
        }

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        self.api.writes(f"wm{chat:08}", text)
        call = self.api.rings()
        (
            await client.post("/webhooks/wecom", params=dict(call.query), content=call.body, headers=dict(call.headers))
        ).raise_for_status()

    def look(self) -> None:
        sent = self.api.sent
        while self._seen < len(sent):
            message = sent[self._seen]
            self.arrivals.times[int(message.touser[2:])].append(message.at + self._offset)
            self._seen += 1


class WhatsAppLane:
    """A number."""

    name = "whatsapp"

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.api = FakeCloudApi()
        self._offset = time.monotonic() - time.time()
        self._seen = self._keys = 0

    def app(self) -> ASGIApp:
        return self.api.app()

    def settings(self, url: str) -> dict[str, str]:
        return {
            "PHONE_ID": PHONE_ID,
            "TOKEN": TOKEN,
            "SECRET": SECRET,
            "VERIFY_TOKEN": VERIFY_TOKEN,
            "API_BASE": f"{url}/v24.0",
        }

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        self._keys += 1
        sender = f"39333{chat:07}"
        self.api.heard(sender)
        body, headers = self.api.call(text_value(text, key=f"wamid.{self._keys}", sender=sender, at=time.time()))
        (await client.post("/webhooks/whatsapp", content=body, headers=headers)).raise_for_status()

    def look(self) -> None:
        sent = self.api.sent
        while self._seen < len(sent):
            message = sent[self._seen]
            self.arrivals.times[int(message.to[5:])].append(message.at + self._offset)
            self._seen += 1


class PhoneLane:
    """A phone that passes on notifications: answers go back with the request, the rest is fetched."""

    name = "phone"

    def __init__(self) -> None:
        self.arrivals = Arrivals()

    def app(self) -> None:
        """Serve nothing: the phone calls us."""

    def settings(self, url: str) -> dict[str, str]:  # noqa: ARG002 - a lane's
        return {"DEVICES": f"{DEVICE}:{PHONE_TOKEN}"}

    async def ask(self, client: httpx.AsyncClient, chat: int, text: str) -> None:
        phone = FakePhone(client, PHONE_TOKEN)
        if await phone.arrives(text, sender=f"+39333{chat:07}", package=WHATSAPP):
            self.arrivals.note(chat)

    def look(self) -> None:
        """Do nothing: see `fetch`."""

    async def fetch(self, client: httpx.AsyncClient) -> None:
        """Fetch what did not go back with a request, for ever."""
        headers = {"X-Device-Token": PHONE_TOKEN}
        while True:
            with suppress(httpx.HTTPError, json.JSONDecodeError):
                answer = await client.get(
                    "/gateways/phone/outbox", params={"wait": 5, "most": 10}, headers=headers, timeout=15
                )
                for message in answer.json().get("messages", []):
                    self.arrivals.note(int(message["recipient"][-7:]))
                    path = f"/gateways/phone/outbox/{message['id']}/ack"
                    await client.post(path, json={"status": "done"}, headers=headers)
            await asyncio.sleep(0.05)
