"""The contract that every platform meets: what comes in, what goes out, and what a platform can carry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol, Self, runtime_checkable

from channels.results import SendResult


class InboundKind(StrEnum):
    """What a platform can tell us."""

    START = "start"
    # The chat was opened by a link, and nothing may be said to it: only the scene is kept.
    OPENED = "opened"
    TEXT = "text"
    EDITED = "edited"
    CHOICE = "choice"
    # A control of our own page, such as a topic or the language: `text` is "verb" or "verb:argument" of `bot.picks`.
    PICK = "pick"
    MEDIA = "media"
    GROUP = "group"
    LEFT = "left"
    RETURNED = "returned"
    # A message of ours that the platform took and could not deliver: `message_id` is the platform's id of it, and
    # `payload` the value of `store.outbox.OutboxStatus` that it gets: `queued` where it is worth another try.
    UNDELIVERED = "undelivered"


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
    it. `acknowledge` is the platform's id of a tap that wants a quick answer. `payload` is the scene with
    `START` and `OPENED`: the word that a link or a poster carried. `album` is the same for media sent together.
    `message_id` is the platform's id of the message, the same when it comes again as `EDITED`.
    `reply_code` lets one message be sent for a moment. `sent_at` is the platform's time, for staff only:
    order comes from the inbox.
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
    album: str | None = None
    message_id: str | None = None
    language_hint: str | None = None
    acknowledge: str | None = None
    reply_code: str | None = None
    sent_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Write what a turn needs as JSON values."""
        data: dict[str, Any] = {"kind": self.kind.value}
        for name in ("text", "choice_id", "payload", "album", "message_id", "language_hint"):
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
    """One message of ours, in plain text: `paragraphs` are blocks set apart by an empty line.

    `halved_from`: from this part on to be cut into parts of half the length, as the platform found that one too long.
    """

    language: str
    paragraphs: tuple[str, ...]
    choices: tuple[OutboundChoice, ...] = ()
    halved_from: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Write the message as JSON values, for the outbox."""
        return {
            "language": self.language,
            "paragraphs": list(self.paragraphs),
            "choices": [{"id": choice.id, "label": choice.label} for choice in self.choices],
        } | ({} if self.halved_from is None else {"halved_from": self.halved_from})

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` wrote."""
        choices = tuple(OutboundChoice(choice["id"], choice["label"]) for choice in data["choices"])
        return cls(data["language"], tuple(data["paragraphs"]), choices, data.get("halved_from"))


@dataclass(frozen=True, slots=True)
class Window:
    """How long a platform lets us write after a resident did something, and how many messages; None: any number."""

    lasts: timedelta
    messages: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can carry. `unit` says in what `text_max` is counted.

    `choices_max`: so many choices can be tapped under a message; more than that become a numbered list.
    `choices_text_max`: and only under a text of at most so much, counted as `text_max` is; None where any text may
    have choices.
    `after_text` and `after_tap`: the windows that a message, and a tap or a scan, open; None where there is no
    window. `reserved`: so many messages of a window are kept for mediators. `merges`: what waits for one chat goes
    as one message. `passive`: so long the platform holds its request open for a first reply. `knocks`:
    where the window is over, one message of fixed wording may ask the resident to write again.
    """

    text_max: int
    unit: Literal["utf-16", "bytes"]
    choices_max: int
    chat_interval: timedelta
    account_interval: timedelta
    after_text: Window | None = None
    after_tap: Window | None = None
    reserved: int = 0
    merges: bool = False
    passive: timedelta | None = None
    choices_text_max: int | None = None
    knocks: bool = False


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message as the platform gets it: a text within its length, choices on the last part only.

    `key` is the same whenever the same part is tried again. `reply_code` is what `Inbound.reply_code` gave,
    with the one message that may use it. `language` is the resident's, for words of the platform's own controls.
    """

    text: str
    choices: tuple[OutboundChoice, ...] = ()
    key: str = ""
    reply_code: str | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a platform: headers in small letters, the query, and the body as it came."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform gets back for its request, in its own words."""

    body: str = ""
    media_type: str = "text/plain"


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


class Source(Protocol):
    """Where messages come from, and what can be carried back; how they get back is not said here."""

    channel: str
    account: str
    capabilities: Capabilities

    def event_key(self, payload: Any) -> str:
        """Give a dedupe key for any payload whatsoever, even one that cannot be parsed. Never raises."""

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a payload into what came in; empty where it holds nothing for us. Raises BadPayloadError only."""


class Adapter(Source, Protocol):
    """One platform. Construct it with what it needs; it reads no environment and keeps no conversation."""

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send one message. Never raises for what a platform can do."""

    async def acknowledge(self, reference: str) -> SendResult:
        """Answer a tap. Too late counts as sent: the resident sees no difference."""

    async def close(self) -> None:
        """Let go of connections."""


class CalledSource(Source, Protocol):
    """Somebody who calls us, and is known by what they sign or send. `body_max` is in bytes."""

    body_max: int

    def check(self, call: Call, *, now: datetime) -> Answer:
        """Answer the GET request with which a platform checks an address. Raises RejectedError."""

    def verify(self, call: Call, *, now: datetime) -> Any:
        """Give the payload of a request that comes from the platform, decrypted; raise RejectedError for any other.

        Secrets and signatures are compared in constant time. A body that is no payload at all is given as it
        came, for `parse` to refuse: it is set aside, and not sent again and again.
        """

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:
        """Say in the platform's words that the payload is stored, with the first reply where there is one."""


class CalledAdapter(CalledSource, Adapter, Protocol):
    """A platform that calls us at `/webhooks/CHANNEL`."""


class KnockingAdapter(Adapter, Protocol):
    """A platform that lets one message of fixed wording through after the window is over (`Capabilities.knocks`)."""

    async def knock(self, thread: str, language: str) -> SendResult:
        """Ask the resident, in a language where there is one for it, to write again. Never raises as `send`."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a platform gave for a cursor: payloads to parse, the next cursor, and whether there is more now."""

    payloads: tuple[Any, ...]
    cursor: str
    more: bool


class PulledAdapter(CalledAdapter, Protocol):
    """A platform whose call only says that there is something to fetch."""

    def doorbell(self, payload: Any) -> str | None:
        """Give the token with which to fetch what a call announces; None where it announces nothing."""

    async def pull(self, cursor: str, token: str) -> Pulled | SendResult:
        """Fetch what came after a cursor; a result that is no `Pulled` says why there is nothing."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium as it was fetched: its type as the platform says, and its bytes."""

    media_type: str
    content: bytes


class MediumGoneError(Exception):
    """The platform has the medium no longer, or it is larger than can be fetched; the message says which."""

    def __init__(self, message: str, *, too_large: bool = False) -> None:
        """Say what became of it."""
        super().__init__(message)
        self.too_large = too_large


@runtime_checkable
class MediaSource(Protocol):
    """A platform from which media can be fetched when somebody wants to see them."""

    async def fetch(self, ref: str) -> Medium:
        """Fetch a medium by `MediaRef.ref`. Raises MediumGoneError, or PlatformRefusedError for a passing trouble."""
