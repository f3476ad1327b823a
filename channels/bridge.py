"""A bridge: a program of somebody else's between another app and Sportello, in plain signed JSON."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.events import MediaKind
from channels.adapter import (
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    InboundKind,
    MediaRef,
    RejectedError,
    WireMessage,
)
from channels.payloads import digest, json_or_text
from channels.receiving import storable

# --- constants -------------------------------------------------------------------------------------

CHANNEL: Final = "bridge"
TIME_HEADER: Final = "x-sportello-time"
SIGNATURE_HEADER: Final = "x-sportello-signature"
BODY_MAX: Final = 64 * 1024
WINDOW: Final = timedelta(minutes=5)
TEXT_MAX: Final = 4000
# Seconds since 1970, with up to six decimals, so that two requests of a second have two signatures.
_TIME: Final = regex.compile(r"[0-9]{9,11}(\.[0-9]{1,6})?")


def _needs(kinds: list[str], name: str, **what: Any) -> dict[str, Any]:
    """Describe for programs what `Message` checks: the field that a message of certain kinds needs."""
    of_kind: dict[str, Any] = {"properties": {"kind": {"enum": kinds}}}
    if "text" not in kinds:
        # Where no kind is given, it is text.
        of_kind["required"] = ["kind"]
    return {"if": of_kind, "then": {"required": [name], "properties": {name: what}}}


_NEEDED: Final[dict[str, Any]] = {
    "allOf": [
        _needs(["text", "edited"], "text", type="string", pattern=r"\S"),
        _needs(["choice"], "choice", type="string", minLength=1),
        _needs(["media"], "media_kind", type="string"),
    ]
}


class Message(BaseModel):
    """What a resident did on the other app."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_NEEDED)

    id: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Unique for this bridge. The same id again is the same message: it is stored once."
    )
    thread: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="The chat. Answers name it; use an id that stays, not a name."
    )
    sender: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Who writes, as the other app shows it; for the staff only."
    )
    kind: Literal["text", "edited", "start", "choice", "media", "group", "left", "returned"] = Field(
        default="text",
        description="text, edited: `text` is needed. choice: `choice` is needed. media: `media_kind` is needed. "
        "start: the chat was opened. group: something was said in a group, do not send its text. "
        "left, returned: the resident blocked the account, or let it in again.",
    )
    text: Annotated[str, Field(max_length=8000)] | None = None
    choice: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="The id of a choice that was given with an answer."
    )
    scene: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="With start: the word that a link or a poster carried."
    )
    language: Annotated[str, Field(max_length=35)] | None = Field(
        default=None, description="Language of the resident's app as a BCP 47 tag: a hint until they write."
    )
    media_kind: MediaKind | None = Field(default=None, description="What was sent; the thing itself stays with you.")
    media_name: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        said = (self.text or "").strip()
        if self.kind in {"text", "edited"} and not said:
            raise ValueError("text is empty")
        if self.kind == "choice" and not self.choice:
            raise ValueError("choice is empty")
        if self.kind == "media" and self.media_kind is None:
            raise ValueError("media_kind is missing")
        return self


class Stored(BaseModel):
    """A message is stored."""

    id: str
    stored: bool = Field(description="False where the id had come before: nothing was done again.")


class Choice(BaseModel):
    """A choice under an answer: send its id back, or its number in the list as a text."""

    id: str
    label: str


class Answered(BaseModel):
    """A message for a resident, handed over to you: say within two minutes how it ended."""

    id: int
    thread: str
    recipient: str
    language: str = Field(description="Language of what the service says; a mediator may write in another.")
    texts: list[str] = Field(description="Parts to send one after the other, each at most 4000 UTF-16 units.")
    choices: list[Choice] = Field(description="Buttons under the last part; without buttons, a list with numbers.")
    by_person: bool
    created_at: datetime


class Outbox(BaseModel):
    """What is handed over, at most one message for each chat."""

    messages: list[Answered]


class Acknowledgement(BaseModel):
    """How a message ended."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["done", "failed"]


class Acknowledged(BaseModel):
    """How a message stands: sent, needs-person, unknown ... The first word on it counts."""

    status: str


class Bridge:
    """One bridge. Its messages are handed over: see `channels.handing_over`."""

    channel = CHANNEL
    body_max = BODY_MAX
    capabilities = Capabilities(
        text_max=TEXT_MAX, unit="utf-16", choices_max=100, chat_interval=timedelta(), account_interval=timedelta()
    )

    def __init__(self, name: str, secret: str) -> None:
        """`name` is the account."""
        self.account = name
        self._secret = secret.encode()

    # --- verify ------------------------------------------------------------------------------------

    def verify_request(self, call: Call, *, method: str, target: str, now: datetime) -> None:
        """Check time and signature. Raises RejectedError with 401, or 413 for a body that is too large."""
        if len(call.body) > BODY_MAX:
            raise RejectedError(413)
        given = call.headers.get(SIGNATURE_HEADER, "")
        told = call.headers.get(TIME_HEADER, "")
        expected = signature(self._secret, told, method, target, call.body)
        genuine = hmac.compare_digest(given.encode(errors="replace"), expected.encode())
        if not genuine or _TIME.fullmatch(told) is None:
            raise RejectedError(401)
        if abs(now - datetime.fromtimestamp(float(told), UTC)) > WINDOW:
            raise RejectedError(401)

    def check(self, call: Call, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Refuse: a bridge checks no address."""
        raise RejectedError(404)

    def verify(self, call: Call, *, now: datetime) -> Any:
        """Give the payload of a message that comes from the bridge."""
        self.verify_request(call, method="POST", target="/bridge/messages", now=now)
        return json_or_text(call.body)

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Say that a message is stored, which had not come before. Replies are fetched."""
        return stored(self.event_key(payload), is_new=True)

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give the bridge's own id, else a hash."""
        given = payload.get("id") if isinstance(payload, dict) else None
        return storable(given) if isinstance(given, str) and 0 < len(given) <= 200 else digest(payload)  # noqa: PLR2004 - as the model says

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a message into what came in."""
        message = read(payload)
        kind = InboundKind(message.kind)
        media = None
        if kind is InboundKind.MEDIA and message.media_kind is not None:
            media = MediaRef(message.media_kind.value, "", message.media_name)
        return [
            Inbound(
                channel=CHANNEL,
                account=self.account,
                event_key=message.id,
                thread=message.thread,
                user_ref=message.sender or message.thread,
                kind=kind,
                text=None if kind is InboundKind.GROUP else message.text,
                choice_id=message.choice if kind is InboundKind.CHOICE else None,
                payload=message.scene if kind is InboundKind.START else None,
                media=media,
                language_hint=message.language,
            )
        ]


def stored(event_key: str, *, is_new: bool) -> Answer:
    """Give the answer to a message."""
    return Answer(Stored(id=event_key, stored=is_new).model_dump_json(), "application/json")


def signature(secret: bytes, told: str, method: str, target: str, body: bytes) -> str:
    """Give the signature of a request: HMAC-SHA256 over the time, the request line and the body, in hexadecimal.

    `target` is the path with its query, as it is sent.
    """
    signed = f"{told}\n{method} {target}\n".encode(errors="replace") + body
    return "sha256=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def read(payload: Any) -> Message:
    """Read a payload. Raises BadPayloadError; its message names the field, and quotes nothing."""
    try:
        return Message.model_validate(storable(payload))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise BadPayloadError(f"no message: {where}: {first['msg']}") from None
    except RecursionError:
        raise BadPayloadError("no message: nested too deep") from None
