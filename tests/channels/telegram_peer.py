"""Telegram's side of the contract: its updates, and its fake Bot API."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from unittest import mock

from starlette.types import ASGIApp

from channels.adapter import Call
from channels.telegram import SECRET_HEADER, TelegramAdapter
from tests.channels.peer import Trouble
from tests.channels.served_peer import ServedPeer
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


class TelegramPeer(ServedPeer):
    """A bot and its server."""

    name = "telegram"
    chat = CHAT

    def __init__(self) -> None:
        self.api = FakeBotApi()

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

    def app(self) -> ASGIApp:
        return self.api.app()

    def adapter_at(self, url: str) -> TelegramAdapter:
        # Patched so that a time-out takes a fraction of a second and not fifteen.
        with mock.patch("channels.telegram.READ_SECONDS", self.read_seconds):
            return TelegramAdapter(TOKEN, SECRET, url)

    def troubles(self) -> Mapping[Trouble, Callable[[], object] | None]:
        return {
            Trouble.THROTTLED: lambda: self.api.fail_next(429, "Too Many Requests: retry after 7", retry_after=7),
            Trouble.BLOCKED: lambda: self.api.blocked.add(int(CHAT)),
            Trouble.WINDOW_CLOSED: None,
            Trouble.QUOTA_EXHAUSTED: None,
            Trouble.TOO_LONG: lambda: self.api.fail_next(400, "Bad Request: message is too long"),
            Trouble.TIME_OUT: lambda: self.api.stall_next(1.5 * self.read_seconds),
            Trouble.SERVER_ERROR: lambda: self.api.fail_next(502, "Bad Gateway"),
            Trouble.GARBAGE: self.api.garbage_next,
            Trouble.REFUSED: lambda: self.api.fail_next(400, "Bad Request: can't parse entities"),
            Trouble.TOLD_LATER: None,
        }

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent
