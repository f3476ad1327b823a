"""WhatsApp's side of the contract: its signed calls, and its fake Cloud API."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from unittest import mock

from starlette.types import ASGIApp

from channels.adapter import Call
from channels.whatsapp import Access, Template, WhatsAppAdapter
from tests.channels.peer import Trouble
from tests.channels.served_peer import ServedPeer
from tests.conftest import START
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


class WhatsAppPeer(ServedPeer):
    """A number and its server."""

    name = "whatsapp"
    chat = CHAT

    def __init__(self) -> None:
        self.api = FakeCloudApi()

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

    def check(self) -> Call:
        query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": self.echo}
        return Call({}, query, b"")

    def app(self) -> ASGIApp:
        return self.api.app()

    def adapter_at(self, url: str) -> WhatsAppAdapter:
        # Patched so that a time-out takes a fraction of a second and not fifteen.
        with mock.patch("channels.whatsapp.READ_SECONDS", self.read_seconds):
            return adapter_for(url)

    def thread_for(self, trouble: Trouble) -> str | None:
        self.api.heard(CHAT)
        return super().thread_for(trouble)

    def troubles(self) -> Mapping[Trouble, Callable[[], object] | None]:
        return {
            Trouble.THROTTLED: lambda: self.api.fail_next(
                130429, "Cloud API message throughput has been reached.", status=429
            ),
            # Of no code of theirs can it be told at once: see `TOLD_LATER`.
            Trouble.BLOCKED: None,
            Trouble.WINDOW_CLOSED: self.api.last_heard.clear,
            Trouble.QUOTA_EXHAUSTED: None,
            Trouble.TOO_LONG: lambda: self.api.fail_next(
                100, "Param text['body'] must be at most 4096 characters long."
            ),
            Trouble.TIME_OUT: lambda: self.api.stall_next(1.5 * self.read_seconds),
            Trouble.SERVER_ERROR: lambda: self.api.fail_next(131000, "Something went wrong", status=500),
            Trouble.GARBAGE: self.api.garbage_next,
            Trouble.REFUSED: lambda: self.api.fail_next(131049, "held back to keep the ecosystem healthy"),
            Trouble.TOLD_LATER: lambda: self.api.blocked.add(CHAT),
        }

    def told_later(self) -> Call:
        ((message, code),) = self.api.undelivered
        return call_of(self.api.failed_status(message, code))

    def sent(self) -> Sequence[SentMessage]:
        return self.api.sent
