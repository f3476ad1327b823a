"""A phone that passes on its notifications, in the JSON that AutoResponder's "own web server" sends.

Field names and answers as independent servers for that app read and give them; no maker's document was found. The
same shape can be typed into a macro of MacroDroid: see docs/gateway.md.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

import regex
from pydantic import BaseModel, Field, ValidationError

from channels import phone_identity
from channels.adapter import (
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    InboundKind,
    RejectedError,
    WireMessage,
)
from channels.payloads import digest, json_or_text
from channels.receiving import storable

# --- constants -------------------------------------------------------------------------------------

CHANNEL: Final = "phone"
TOKEN_HEADER: Final = "x-device-token"  # noqa: S105 - the name of a header
BODY_MAX: Final = 64 * 1024
# Longer texts are cut short by notifications, and typed by a macro letter by letter.
TEXT_MAX: Final = 500
# A form of a macro has six fields.
FIELDS_MOST: Final = 20
# What stands there where a macro is tried without a notification.
_UNFILLED: Final = regex.compile(r"[\[{](?:not_[a-z_]+|notification)[\]}]")
# Not verified on any phone: a macro's HTTP request is said to end after 30 silent seconds.
PATIENCE: Final = timedelta(seconds=10)

NameField = Annotated[str, Field(min_length=1, max_length=200)]
MessageField = Annotated[str, Field(min_length=1, max_length=8000)]


class NotificationQuery(BaseModel):
    """What was said and by whom."""

    sender: NameField = Field(description="The title of the notification.")
    message: MessageField = Field(description="The words.")
    is_group: bool = Field(default=False, alias="isGroup", description="Said in a group: neither stored nor answered.")
    group_participant: str = Field(
        default="", alias="groupParticipant", max_length=200, description="Who spoke in a group; means a group, too."
    )
    is_test: bool = Field(default=False, alias="isTestMessage", description="The app's test button: nothing is stored.")
    # Whatever it is, it says nothing of who writes; it stands here so that the description is whole.
    rule: Any = Field(default=None, alias="ruleId", description="Which rule fired: not read.")


class Notification(BaseModel):
    """One notification."""

    program: Any = Field(
        default=None, alias="appPackageName", description="The program that passes it on, not the app: not read."
    )
    package: NameField = Field(
        alias="messengerPackageName", description="The app. With `sender` it is what names a chat."
    )
    query: NotificationQuery

    @property
    def sender(self) -> str:
        """Give the name as a person sees it."""
        return phone_identity.cleaned(self.query.sender)

    @property
    def in_group(self) -> bool:
        """Tell whether it was said in a group."""
        return self.query.is_group or bool(self.query.group_participant.strip())


class PhoneDevice:
    """One phone. Its messages are handed over: see `channels.handing_over`."""

    channel = CHANNEL
    body_max = BODY_MAX
    capabilities = Capabilities(
        text_max=TEXT_MAX,
        unit="utf-16",
        choices_max=0,
        chat_interval=timedelta(),
        account_interval=timedelta(),
        passive=PATIENCE,
    )

    def __init__(self, name: str, token: str) -> None:
        """`name` is the account; `token` is what the phone sends to be known by."""
        self.account = name
        self._token = token.encode()

    # --- verify ------------------------------------------------------------------------------------

    def check(self, call: Call, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Refuse: a phone checks no address."""
        raise RejectedError(404)

    def is_this(self, token: str) -> bool:
        """Compare a token in constant time."""
        return hmac.compare_digest(token.encode(errors="replace"), self._token)

    def verify(self, call: Call, *, now: datetime) -> Any:  # noqa: ARG002 - the contract's; a phone signs no time
        """Compare the token, and give the body's JSON, a form in the shape of one, or the text where it is neither."""
        if not self.is_this(call.headers.get(TOKEN_HEADER, "")):
            raise RejectedError(401)
        if len(call.body) > BODY_MAX:
            raise RejectedError(413)
        return _body(call)

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Say that a notification is stored, with the first reply where there is one."""
        return replies(() if reply is None else (reply,))

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give a hash: a notification has no id. `channels.repeats` makes it one of a moment."""
        return digest(payload)

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a notification into what came in; the app's test button says nothing."""
        notification = read(payload)
        if notification.query.is_test:
            return []
        sender = notification.sender
        who = f"group:{phone_identity.thread_of(sender)}" if notification.in_group else phone_identity.thread_of(sender)
        said = [notification.package, sender, notification.query.group_participant, notification.query.message]
        return [
            Inbound(
                channel=CHANNEL,
                account=self.account,
                event_key=digest(said),
                thread=f"{notification.package}|{who}",
                user_ref=sender,
                kind=InboundKind.GROUP if notification.in_group else InboundKind.TEXT,
                # What is said in a group is nobody's business here, and not stored.
                text=None if notification.in_group else notification.query.message,
            )
        ]


def _body(call: Call) -> Any:
    """Give what a phone sent, whichever way its macro can write it.

    A macro puts words into JSON as they are, so that a quotation mark in them breaks it; forms and queries are
    encoded. A query is read only where there is no body, and stands in the logs of proxies.
    """
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        fields = _fields(call.body.decode("utf-8", "replace"))
    elif not call.body and call.query:
        fields = dict(call.query)
    else:
        return json_or_text(call.body)
    return {"messengerPackageName": fields.pop("messengerPackageName", ""), "query": fields}


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MOST))
    except ValueError:
        return {}


def read(payload: Any) -> Notification:
    """Read a payload. Raises BadPayloadError where it is no notification, or one without sender or text."""
    try:
        notification = Notification.model_validate(storable(payload))
    except (ValidationError, RecursionError) as error:
        raise BadPayloadError(f"no notification: {_fault(error)}") from None
    if not notification.sender or not notification.query.message.strip():
        raise BadPayloadError("no notification: sender or message is empty")
    if _UNFILLED.fullmatch(notification.sender) or _UNFILLED.fullmatch(notification.query.message):
        raise BadPayloadError("no notification: the macro left a placeholder unfilled")
    return notification


def _fault(error: Exception) -> str:
    """Say what is wrong without what was sent."""
    if not isinstance(error, ValidationError):
        return "nested too deep"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(step) for step in first['loc']) or 'body'}: {first['type']}"


def replies(messages: Sequence[WireMessage]) -> Answer:
    """Give the answer to a notification, in the shape in which AutoResponder reads it."""
    said = [{"message": message.text} for message in messages]
    return Answer(json.dumps({"replies": said}, ensure_ascii=False), "application/json")
