"""A bridge's side of the contract: signed JSON. It fetches by itself what is for its residents."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from channels.adapter import Call, CalledSource
from channels.bridge import Bridge
from tests.channels.fetching_peer import FetchingPeer
from tests.conftest import START

SECRET: Final = "a secret of thirty-two letters, at least"


def signed(
    body: Any,
    *,
    at: datetime = START,
    secret: str = SECRET,
    method: str = "POST",
    target: str = "/bridge/messages",
) -> Call:
    """Make a signed request; bytes go as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = str(at.timestamp())
    text = f"{told}\n{method} {target}\n".encode() + content
    signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return Call({"x-sportello-time": told, "x-sportello-signature": f"sha256={signature}"}, {}, content)


async def post(web: httpx.AsyncClient, body: Any, **how: Any) -> httpx.Response:
    """Post a signed message."""
    call = signed(body, **how)
    return await web.post("/bridge/messages", content=call.body, headers=dict(call.headers))


def message(text: str, *, event: int = 1, thread: str = "77", **fields: Any) -> dict[str, Any]:
    """Make the body of a message."""
    return {"id": str(event), "thread": thread, "sender": "Ali", "text": text} | fields


class BridgePeer(FetchingPeer):
    """One bridge."""

    name = "bridge"
    chat = "77"
    outbox = "/bridge/outbox"

    def __init__(self) -> None:
        super().__init__()
        self._asked_before = 0

    def text(self, text: str, *, event: int, thread: str) -> Call:
        return signed(message(text, event=event, thread=thread))

    def forged(self) -> Sequence[Call]:
        good = signed(message("ciao"))
        other_body = Call(good.headers, {}, good.body.replace(b"ciao", b"miao"))
        later = dict(good.headers) | {"x-sportello-time": str(START.timestamp() + 1)}
        bare = dict(good.headers) | {"x-sportello-signature": good.headers["x-sportello-signature"][7:]}
        return [
            Call({}, {}, good.body),
            other_body,
            Call(later, {}, good.body),
            Call(bare, {}, good.body),
            signed(message("ciao"), secret=SECRET.upper()),
            signed(message("ciao"), method="GET"),
            signed(message("ciao"), target="/bridge/outbox"),
            Call(dict(good.headers) | {"x-sportello-time": "tomorrow"}, {}, good.body),
            Call(dict(good.headers) | {"x-sportello-signature": "é"}, {}, good.body),
        ]

    def replayed(self) -> Call | None:
        return signed(message("ciao"), at=START - timedelta(minutes=5, seconds=1))

    def malformed(self) -> Sequence[Call]:
        return [
            signed(b"no json at all \xff"),
            signed(b""),
            signed(b"[" * 20_000),
            signed(["list"]),
            signed(None),
            signed({"id": "2", "thread": "77"}),
            signed(message("ciao", event=3, kind="of a later version")),
            signed(message("a\x00b\ud800", event=4, thread="")),
        ]

    def unknown(self) -> Call | None:
        return None

    def carrying(self, payload: Any) -> Call:
        return signed(payload)

    def asking(self, method: str, target: str, body: bytes) -> Call:
        # No two requests are the same: the clock of the suite stands still.
        self._asked_before += 1
        at = self.clock() + timedelta(microseconds=self._asked_before)
        return signed(body, at=at, method=method, target=target)

    def source(self) -> CalledSource:
        return Bridge("bridge", SECRET)
