"""A phone's side of the contract: its notifications. It fetches by itself what is for its residents."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from channels.adapter import Call, CalledSource
from channels.phone import TOKEN_HEADER, PhoneDevice
from tests.channels.fetching_peer import FetchingPeer
from tests.fakes.phone import IMO, notification

TOKEN: Final = "token-of-via-roma-1"


def request(body: Any, *, token: str | None = TOKEN) -> Call:
    """Make the request of a macro; bytes go as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call({} if token is None else {TOKEN_HEADER: token}, {}, content)


class PhonePeer(FetchingPeer):
    """One phone."""

    name = "phone"
    chat = f"{IMO}|77"
    outbox = "/gateways/phone/outbox"

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

    def carrying(self, payload: Any) -> Call:
        return request(payload)

    def asking(self, method: str, target: str, body: bytes) -> Call:  # noqa: ARG002 - the token alone tells who asks
        return request(body)

    def source(self) -> CalledSource:
        device = PhoneDevice("via-roma", TOKEN)
        device.capabilities = replace(device.capabilities, passive=timedelta(milliseconds=1))
        return device
