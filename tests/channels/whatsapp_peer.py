"""WhatsApp's side of the contract: its signed calls, and its fake Cloud API."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from unittest import mock

from channels.adapter import Call, CalledAdapter
from channels.whatsapp import Access, Template, WhatsAppAdapter
from tests.channels.peer import Trouble
from tests.conftest import START
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import (
    PHONE_ID,
    SECRET,
    TOKEN,
    VERIFY_TOKEN,
    FakeCloudApi,
    SentMessage,
    signed,
    text_value,
    with_metadata,
)

CHAT: Final = "77"
ACCESS: Final = Access(PHONE_ID, TOKEN, SECRET, VERIFY_TOKEN)


def adapter_for(url: str, template: str = "") -> WhatsAppAdapter:
    """Make an adapter of the fake's number."""
    return WhatsAppAdapter(
        ACCESS,
        f"{url}/v24.0",
        template=Template.parse(template),
        list_label=lambda language: {"it": "Scegli", "ur": "منتخب کریں"}.get(language, "Choose"),
    )


def call_with(body: bytes, headers: dict[str, str] | None = None) -> Call:
    """Make a call with a body, signed unless headers are given."""
    return Call(signed(body) if headers is None else headers, {}, body)


def call_of(*values: dict[str, Any], field: str = "messages") -> Call:
    """Make the authentic call that brings values of changes, each in an entry of its own."""
    entries = [{"id": "1", "changes": [{"field": field, "value": with_metadata(value)}]} for value in values]
    return call_with(json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode())


class WhatsAppPeer:
    """A number and its server."""

    name = "whatsapp"

    def __init__(self) -> None:
        self.api = FakeCloudApi()
        self._server: LoopbackServer | None = None
        self.read_seconds = 1.0

    def text(self, text: str, *, event: int, thread: str) -> Call:
        self.api.heard(thread)
        return call_of(text_value(text, key=f"wamid.in{event}", sender=thread, at=START.timestamp()))

    def forged(self) -> Sequence[Call]:
        good = call_of(text_value("ciao", key="wamid.1", sender=CHAT))
        right = good.headers["x-hub-signature-256"]
        wrong = ["", "sha256=", right.removeprefix("sha256="), right[:-1], right.upper(), "sha1=" + "0" * 40, "é"]
        others = signed(good.body, "another-secret")["x-hub-signature-256"]
        changed = Call(good.headers, {}, good.body.replace(b"ciao", b"CIAO"))
        return [
            Call({}, {}, good.body),
            changed,
            *(Call({"x-hub-signature-256": value}, {}, good.body) for value in [*wrong, others]),
        ]

    def replayed(self) -> Call | None:
        return None

    def malformed(self) -> Sequence[Call]:
        nameless = {"messages": [{"id": "wamid.3", "type": "text", "text": {"body": "from nobody"}}]}
        return [
            call_with(b"no json at all \xff"),
            call_with(b"[" * 20_000),
            call_with(b'["list"]'),
            call_with(b"null"),
            call_with(b'{"object": "page", "entry": []}'),
            call_of(nameless),
            call_of({"messages": {"no": "list"}}),
            call_of({"statuses": [{"status": "failed", "errors": "a\x00b"}]}),
        ]

    def unknown(self) -> Call:
        return call_of({"of_a_later_version": {"text": "ciao"}}, field="of_a_later_version")

    def connect(self) -> AbstractAsyncContextManager[CalledAdapter]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledAdapter]:
        with LoopbackServer(self.api.app()) as server:
            # Patched so that a time-out takes a fraction of a second and not fifteen.
            with mock.patch("channels.whatsapp.READ_SECONDS", self.read_seconds):
                adapter = adapter_for(server.url)
            self._server = server
            try:
                yield adapter
            finally:
                await adapter.close()

    def thread_for(self, trouble: Trouble) -> str | None:
        self.api.heard(CHAT)
        match trouble:
            case Trouble.NONE:
                pass
            case Trouble.THROTTLED:
                self.api.fail_next(130429, "Cloud API message throughput has been reached.", status=429)
            case Trouble.BLOCKED:
                self.api.fail_next(131026, "Message undeliverable")
            case Trouble.WINDOW_CLOSED:
                self.api.last_heard.clear()
            case Trouble.QUOTA_EXHAUSTED:
                return None
            case Trouble.TOO_LONG:
                self.api.fail_next(100, "Param text['body'] must be at most 4096 characters long.")
            case Trouble.TIME_OUT:
                self.api.stall_next(1.5 * self.read_seconds)
            case Trouble.SERVER_ERROR:
                self.api.fail_next(131000, "Something went wrong", status=500)
            case Trouble.GARBAGE:
                self.api.garbage_next()
            case Trouble.NO_CONNECTION:
                assert self._server is not None
                self._server.__exit__()
        return CHAT

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent
