"""What WhatsApp calls us with, in our own terms. Pure.

Shapes: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from channels.adapter import BadPayloadError, Inbound, InboundKind, MediaRef
from channels.payloads import PartlyReadError
from channels.whatsapp_errors import failed

CHANNEL: Final = "whatsapp"
OBJECT: Final = "whatsapp_business_account"
# Nothing that wants an answer: a smiley under a message, a resident's new number, a message taken back.
_IGNORED: Final = frozenset({"reaction", "system", "revoke"})
_MEDIA: Final = {
    "image": "photo",
    "video": "video",
    "document": "document",
    "audio": "voice",
    "sticker": "other",
}
_NAME_MAX: Final = 200
_ID_MAX: Final = 512
_HALF_TURN: Final = 180  # degrees; compared first, as no number too large for it can be written out


def inbound_of(account: str, payload: Any) -> list[Inbound]:
    """Give all that a call brought for a number: it may hold several entries, changes, messages and statuses.

    Other numbers of the same business, and fields that we do not use, give nothing. Raises BadPayloadError, or
    PartlyReadError where some of it can be read: it may be of other people.
    """
    found: list[Inbound] = []
    wrong: list[tuple[BadPayloadError, Any]] = []
    for value in _values(payload):
        if _dict(value.get("metadata")).get("phone_number_id") != account:
            continue
        contacts = _list(value, "contacts")
        sole = _dict(contacts[0]).get("user_id") if len(contacts) == 1 else None
        told = [(said, partial(_message, account, said, sole)) for said in _list(value, "messages")]
        told += [(status, partial(_status, account, status)) for status in _list(value, "statuses")]
        for part, read in told:
            try:
                found += [each for each in (read(),) if each is not None]
            except BadPayloadError as error:
                wrong.append((error, part))
    if wrong:
        raise PartlyReadError(str(wrong[0][0]), read=found, rest=[part for _, part in wrong])
    return found


def _values(payload: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(payload, dict) or payload.get("object") != OBJECT:
        raise BadPayloadError("no call of WhatsApp: object is missing or another")
    for entry in _list(payload, "entry"):
        for change in _list(_dict(entry), "changes"):
            if _dict(change).get("field") == "messages":
                value = change.get("value")
                if not isinstance(value, dict):
                    raise BadPayloadError("a change without a value")
                yield value


def _message(account: str, message: Any, sole: Any) -> Inbound | None:
    """Give what one message holds for us; `sole` is the id of the only contact, where there is one."""
    message = _dict(message)
    # Who hides the number behind a user name is known by an id that WhatsApp makes for this business alone.
    sender = message.get("from") or message.get("from_user_id") or sole
    key, kind = message.get("id"), message.get("type")
    if not (_is_name(sender) and _is_name(key) and isinstance(kind, str)):
        raise BadPayloadError("a message without sender, id or type")
    if kind in _IGNORED:
        return None
    if message.get("group_id"):
        return Inbound(CHANNEL, account, key, sender, sender, InboundKind.GROUP, sent_at=_moment(message))
    what, text, choice, media = _content(kind, message)
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=key,
        thread=sender,
        user_ref=sender,
        kind=what,
        text=text,
        choice_id=choice,
        media=media,
        message_id=_named(kind, key, message),
        sent_at=_moment(message),
    )


def _named(kind: str, key: str, message: dict[str, Any]) -> str:
    """Give the id of the message that was written, or written anew."""
    original = _dict(message.get("edit")).get("original_message_id")
    return str(original) if kind == "edit" and _is_name(original) else key


def _content(kind: str, message: dict[str, Any]) -> tuple[InboundKind, str | None, str | None, MediaRef | None]:
    """Give kind, text, choice and medium; whatever we cannot read is a medium that we cannot read."""
    of_kind = _dict(message.get(kind))
    if kind == "text" and isinstance(of_kind.get("body"), str):
        return InboundKind.TEXT, of_kind["body"], None, None
    if kind == "interactive":
        reply = _dict(of_kind.get("button_reply") or of_kind.get("list_reply"))
        if _is_name(reply.get("id")):
            return InboundKind.CHOICE, None, reply["id"], None
    if kind == "edit":
        edited = _dict(of_kind.get("message"))
        text = _dict(edited.get("text")).get("body")
        if isinstance(text, str):
            return InboundKind.EDITED, text, None, None
    if kind == "button":
        # The button of a template: there the resident has nothing to choose but to go on.
        return InboundKind.RETURNED, None, None, None
    if kind == "request_welcome":
        return InboundKind.START, None, None, None
    caption = of_kind.get("caption")
    return InboundKind.MEDIA, caption if isinstance(caption, str) else None, None, _media(kind, of_kind, message)


def _media(kind: str, of_kind: dict[str, Any], message: dict[str, Any]) -> MediaRef:
    if kind in _MEDIA and _is_name(of_kind.get("id")):
        name = of_kind.get("filename")
        return MediaRef(_MEDIA[kind], of_kind["id"], name=name[:_NAME_MAX] if isinstance(name, str) else None)
    if kind == "location":
        latitude, longitude = _degrees(of_kind.get("latitude")), _degrees(of_kind.get("longitude"))
        if latitude is not None and longitude is not None:
            return MediaRef("location", f"{latitude:.5f},{longitude:.5f}")
    # Somebody else's number, or a kind that has no interface: it stays with WhatsApp, and only its id is kept.
    return MediaRef("contact" if kind == "contacts" else "other", str(message["id"]))


def _status(account: str, status: Any) -> Inbound | None:
    """Give what became of a message of ours, where it did not arrive; that it did is no news."""
    status = _dict(status)
    if status.get("status") != "failed":
        return None
    # The chat as we named it when sending; the others are what WhatsApp calls the resident by now.
    thread = next(
        (
            name
            for field in ("biz_opaque_callback_data", "recipient_id", "recipient_user_id")
            if _is_name(name := status.get(field))
        ),
        None,
    )
    message_id = status.get("id")
    if thread is None or not _is_name(message_id):
        raise BadPayloadError("a status without recipient or id")
    ended, reason = failed(status.get("errors"))
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=f"{message_id}:failed",
        thread=thread,
        user_ref=thread,
        kind=InboundKind.UNDELIVERED,
        text=reason,
        payload=ended.value,
        message_id=message_id,
        sent_at=_moment(status),
    )


def _is_name(value: Any) -> bool:
    """Tell whether a value can be an id: it becomes a key, so nothing odd may be in it."""
    return isinstance(value, str) and 0 < len(value) <= _ID_MAX and value.isascii() and value.isprintable()


def _degrees(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) <= _HALF_TURN else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name, [])
    if not isinstance(value, list):
        raise BadPayloadError(f"{name} is no list")
    return value


def _moment(holder: dict[str, Any]) -> datetime | None:
    seconds = holder.get("timestamp")
    if not (isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):  # noqa: PLR2004 - within a date's range
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
