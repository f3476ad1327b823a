"""Telegram's side of the contract: its updates, and its fake Bot API."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from unittest import mock

from channels.adapter import Call, CalledAdapter
from channels.telegram import SECRET_HEADER, TelegramAdapter
from tests.channels.peer import Trouble
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi, SentMessage

SECRET: Final = "s3cret"
CHAT: Final = "77"


def request(update: Any, *, secret: str | None = SECRET) -> Call:
    """Make the request that brings an update; bytes go as they are."""
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    return Call({} if secret is None else {SECRET_HEADER: secret}, {}, body)


def text_update(text: str, *, event: int, thread: str) -> dict[str, Any]:
    """Make the update of a text in a private chat."""
    person = {"id": int(thread), "is_bot": False, "first_name": "R", "language_code": "it"}
    chat = {"id": int(thread), "type": "private", "first_name": "R"}
    message = {"message_id": event, "from": person, "chat": chat, "date": 1_700_000_000, "text": text}
    return {"update_id": event, "message": message}


class TelegramPeer:
    """A bot and its server."""

    name = "telegram"

    def __init__(self) -> None:
        self.api = FakeBotApi()
        self._server: LoopbackServer | None = None
        self.read_seconds = 1.0

    def text(self, text: str, *, event: int, thread: str) -> Call:
        return request(text_update(text, event=event, thread=thread))

    def forged(self) -> Sequence[Call]:
        update = text_update("ciao", event=1, thread=CHAT)
        return [request(update, secret=secret) for secret in (None, "", "s3cre", "s3crets", "S3CRET", "é")]

    def replayed(self) -> Call | None:
        return None

    def malformed(self) -> Sequence[Call]:
        return [
            request(b"no json at all \xff"),
            request(b"[" * 20_000),
            request(["list"]),
            request(None),
            request({"update_id": 3, "message": {"text": "neither date nor chat"}}),
            request({"update_id": 4, "message": {"text": "a\x00b\ud800", "date": []}}),
        ]

    def unknown(self) -> Call:
        return request({"update_id": 5, "of_a_later_version": {"text": "ciao"}})

    def connect(self) -> AbstractAsyncContextManager[CalledAdapter]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledAdapter]:
        with LoopbackServer(self.api.app()) as server:
            # Patched so that a time-out takes a fraction of a second and not fifteen.
            with mock.patch("channels.telegram.READ_SECONDS", self.read_seconds):
                adapter = TelegramAdapter(TOKEN, SECRET, server.url)
            self._server = server
            try:
                yield adapter
            finally:
                await adapter.close()

    def thread_for(self, trouble: Trouble) -> str | None:
        match trouble:
            case Trouble.NONE:
                pass
            case Trouble.THROTTLED:
                self.api.fail_next(429, "Too Many Requests: retry after 7", retry_after=7)
            case Trouble.BLOCKED:
                self.api.blocked.add(int(CHAT))
            case Trouble.WINDOW_CLOSED | Trouble.QUOTA_EXHAUSTED:
                return None
            case Trouble.TOO_LONG:
                self.api.fail_next(400, "Bad Request: message is too long")
            case Trouble.TIME_OUT:
                self.api.stall_next(1.5 * self.read_seconds)
            case Trouble.SERVER_ERROR:
                self.api.fail_next(502, "Bad Gateway")
            case Trouble.GARBAGE:
                self.api.garbage_next()
            case Trouble.NO_CONNECTION:
                assert self._server is not None
                self._server.__exit__()
        return CHAT

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent
