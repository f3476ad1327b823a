"""The contract that every platform meets: what comes in, what goes out, and how sending can end."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol, Self


class InboundKind(StrEnum):
    """What a platform can tell us."""

    START = "start"
    TEXT = "text"
    EDITED = "edited"
    CHOICE = "choice"
    # A control of our own page, such as a topic or the language: `text` is "verb" or "verb:argument" of `bot.picks`.
    PICK = "pick"
    MEDIA = "media"
    GROUP = "group"
    LEFT = "left"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Where a medium can be fetched later; never the bytes. `kind` is a value of `bot.events.MediaKind`."""

    kind: str
    ref: str
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing that came in, in our own terms.

    `event_key` is unique within channel and account. `thread` is the chat, `user_ref` the person in
    it. `acknowledge` is the platform's id of a tap that wants a quick answer. `sent_at` is the
    platform's time, for staff only: order comes from the inbox.
    """

    channel: str
    account: str
    event_key: str
    thread: str
    user_ref: str
    kind: InboundKind
    text: str | None = None
    choice_id: str | None = None
    payload: str | None = None
    media: MediaRef | None = None
    language_hint: str | None = None
    acknowledge: str | None = None
    sent_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Write what a turn needs as JSON values."""
        data: dict[str, Any] = {"kind": self.kind.value}
        for name in ("text", "choice_id", "payload", "language_hint"):
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.media is not None:
            data["media"] = {key: value for key, value in asdict(self.media).items() if value is not None}
        return data


@dataclass(frozen=True, slots=True)
class OutboundChoice:
    """A thing to tap or to answer by number; `id` is opaque, at most 20 bytes of ASCII."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message of ours, in plain text: `paragraphs` are blocks set apart by an empty line."""

    language: str
    paragraphs: tuple[str, ...]
    choices: tuple[OutboundChoice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the message as JSON values, for the outbox."""
        return {
            "language": self.language,
            "paragraphs": list(self.paragraphs),
            "choices": [{"id": choice.id, "label": choice.label} for choice in self.choices],
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            language=data["language"],
            paragraphs=tuple(data["paragraphs"]),
            choices=tuple(OutboundChoice(choice["id"], choice["label"]) for choice in data["choices"]),
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can carry. `unit` says in what `text_max` is counted."""

    text_max: int
    unit: Literal["utf-16", "bytes"]
    buttons: bool
    chat_interval: timedelta
    account_interval: timedelta


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message as the platform gets it: a text within its length, buttons on the last part only."""

    text: str
    choices: tuple[OutboundChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it; `id` is the platform's own."""

    id: str


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not sent, and known not to be: try again after `delay`; `scope` is what has to wait meanwhile."""

    delay: timedelta
    scope: Literal["message", "chat", "account"]
    reason: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The resident cannot be reached any more: blocked, deactivated, chat gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The platform lets us write only for a while after the resident did, and that is over."""


@dataclass(frozen=True, slots=True)
class QuotaExhausted:
    """The platform lets us write only so many messages, and they are used up."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """The platform found the text too long, whatever we counted."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it arrived. Never repeated by itself; staff see it."""

    reason: str


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """The platform refuses it for good, for a reason in the message or in our set-up; staff see it."""

    reason: str


SendResult = Sent | RetryAfter | Blocked | WindowClosed | QuotaExhausted | TooLong | Unknown | NeedsPerson


class RejectedError(Exception):
    """A request that does not come from the platform, or is too large; `status` is the HTTP answer."""

    def __init__(self, status: int) -> None:
        """Answer with `status` and no body."""
        super().__init__(status)
        self.status = status


class PlatformRefusedError(Exception):
    """The platform refuses what the administrator has to mend; the message is its own, fit to show."""


class BadPayloadError(Exception):
    """A payload that the adapter cannot read; it is set aside. The message never holds what was sent."""


class Adapter(Protocol):
    """One platform. Construct it with what it needs; it reads no environment and keeps no conversation."""

    channel: str
    account: str
    capabilities: Capabilities

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise RejectedError unless the request comes from the platform. Constant time."""

    def event_key(self, payload: Any) -> str:
        """Give a dedupe key for any payload whatsoever, even one that cannot be parsed. Never raises."""

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a payload into what came in; empty where it holds nothing for us. Raises BadPayloadError only."""

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send one message. Never raises for what a platform can do."""

    async def acknowledge(self, reference: str) -> SendResult:
        """Answer a tap. Too late counts as sent: the resident sees no difference."""

    async def close(self) -> None:
        """Let go of connections."""
