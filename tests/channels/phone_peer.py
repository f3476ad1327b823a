"""A phone's side of the contract: its notifications. It fetches by itself, so nothing is sent to it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from channels.adapter import Call, CalledSource
from channels.phone import TOKEN_HEADER, PhoneDevice
from tests.channels.peer import Trouble
from tests.fakes.phone import notification

TOKEN: Final = "token-of-via-roma-1"


def request(body: Any, *, token: str | None = TOKEN) -> Call:
    """Make the request of a macro; bytes go as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call({} if token is None else {TOKEN_HEADER: token}, {}, content)


class PhonePeer:
    """One phone."""

    name = "phone"

    def text(self, text: str, *, event: int, thread: str) -> Call:  # noqa: ARG002 - a notification has no id
        return request(notification(text, sender=f"Resident {thread}"))

    def forged(self) -> Sequence[Call]:
        tokens = (None, "", TOKEN[:-1], f"{TOKEN}1", TOKEN.upper(), "é")
        return [request(notification("ciao"), token=token) for token in tokens]

    def replayed(self) -> Call | None:
        return None

    def malformed(self) -> Sequence[Call]:
        return [
            request(b"no json at all \xff"),
            request(b""),
            request(b"[" * 20_000),
            request(["list"]),
            request(None),
            request({"query": {"sender": "Ali", "message": "of no app"}}),
            request(notification("", sender="a\x00b\ud800")),
        ]

    def unknown(self) -> Call | None:
        return request(notification("ciao", isTestMessage=True))

    def connect(self) -> AbstractAsyncContextManager[CalledSource]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledSource]:
        device = PhoneDevice("via-roma", TOKEN)
        device.capabilities = replace(device.capabilities, passive=timedelta(milliseconds=1))
        yield device

    def thread_for(self, trouble: Trouble) -> str | None:  # noqa: ARG002 - nothing is sent
        return None

    def sent(self) -> Sequence[Any]:
        return ()
