"""What kf/sync_msg gives, in our own terms (https://developer.work.weixin.qq.com/document/path/94670). Pure.

Messages carry the account and the customer beside their content; events carry both within `event`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeGuard
from urllib.parse import unquote

from channels.adapter import BadPayloadError, Inbound, InboundKind, MediaRef
from channels.payloads import digest
from store.outbox import OutboxStatus

CHANNEL: Final = "wecom"
# Whoever writes here uses WeChat in China's own edition or its language; a hint only, weaker than any text.
LANGUAGE_HINT: Final = "zh"
SCENE_MAX: Final = 128

# `origin` (the same page): 4 are events; 5 is staff in WeCom's own app, which is not the resident.
_FROM_CUSTOMER: Final = 3
_FROM_SYSTEM: Final = 4
# Ids are short and of plain characters; anything else could not be kept as a key.
_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
# A choice of ours (`channels.adapter.OutboundChoice`); menus that an administrator made in WeCom have other ids.
_CHOICE: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,4}")
_WITH_MEDIA_ID: Final = {"image": "photo", "voice": "voice", "video": "video", "file": "document"}

# Why a message of ours did not arrive (`fail_type` of msg_send_fail, the same page), and what becomes of it. It is
# known not to have arrived, so sending it again doubles nothing: by itself where the reason may pass or be mended, when
# the resident writes where only that helps, and not at all where it would fail again.
_AGAIN: Final = OutboxStatus.QUEUED
FAILURES: Final[Mapping[int, tuple[OutboxStatus, str]]] = {
    0: (_AGAIN, "WeCom does not say why"),
    1: (_AGAIN, "the customer service account was deleted"),
    2: (_AGAIN, "the application is closed"),
    4: (OutboxStatus.WINDOW_CLOSED, "more than 48 hours after the last message"),
    5: (OutboxStatus.WINDOW_CLOSED, "the session was ended"),
    6: (OutboxStatus.QUOTA_EXHAUSTED, "more than five messages"),
    7: (_AGAIN, "no video account is bound"),
    8: (_AGAIN, "the organisation is not verified"),
    9: (_AGAIN, "no video account is bound, and the organisation is not verified"),
    10: (OutboxStatus.BLOCKED, "the resident refuses messages"),
    11: (_AGAIN, "no member of the organisation has signed in to WeCom's app"),
    12: (OutboxStatus.NEEDS_PERSON, "messages of this kind are not allowed"),
    13: (OutboxStatus.NEEDS_PERSON, "held back for safety"),
}


def failure(fail_type: Any) -> tuple[OutboxStatus, str]:
    """Give what becomes of a message that failed, and why; a reason that nobody knows is for a person."""
    known = FAILURES.get(fail_type) if type(fail_type) is int else None
    return known or (OutboxStatus.NEEDS_PERSON, "WeCom gives a reason that is not known")


@dataclass(frozen=True, slots=True)
class _Content:
    """What a message says, whoever sent it."""

    kind: InboundKind
    text: str | None = None
    choice_id: str | None = None
    media: MediaRef | None = None


def key_of(payload: Any) -> str:
    """Give the message's id, which is unique for an account; a digest where there is none to be kept. Never raises."""
    given = payload.get("msgid") if isinstance(payload, dict) else None
    return given if is_id(given) else digest(payload)


def is_id(value: Any) -> TypeGuard[str]:
    """Tell whether a value is an id that can be kept as a key."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def inbound_of(account: str, payload: Mapping[str, Any]) -> Inbound | None:
    """Give what an item of `msg_list` holds for us, or None. Raises BadPayloadError only."""
    if payload.get("msgtype") == "event":
        return _event(account, payload)
    if _id(payload, "open_kfid") != account or payload.get("origin") != _FROM_CUSTOMER:
        return None
    content = _content(payload)
    return _inbound(
        account,
        payload,
        customer=_id(payload, "external_userid"),
        kind=content.kind,
        text=content.text,
        choice_id=content.choice_id,
        media=content.media,
    )


def _event(account: str, payload: Mapping[str, Any]) -> Inbound | None:
    event = _part(payload, "event")
    if payload.get("origin", _FROM_SYSTEM) != _FROM_SYSTEM or event.get("open_kfid") != account:
        return None
    match event.get("event_type"):
        case "enter_session":
            return _entered(account, payload, event)
        case "msg_send_fail":
            status, reason = failure(event.get("fail_type"))
            return _inbound(
                account,
                payload,
                customer=_id(event, "external_userid"),
                kind=InboundKind.UNDELIVERED,
                message_id=_id(event, "fail_msgid"),
                payload=status.value,
                text=reason,
            )
        case _:
            # A message taken back, and what staff do in WeCom: nothing that the bot could answer.
            return None


def _entered(account: str, payload: Mapping[str, Any], event: Mapping[str, Any]) -> Inbound | None:
    """Give the start of a conversation: it comes every time that somebody opens the chat.

    Only with a code may something be said to it. Without one the resident was greeted within 48 hours, or by
    WeCom itself, and a greeting would cost one of the five messages: then the scene is kept, and nothing else.
    """
    code = _text(event, "welcome_code")
    scene = (unquote(_text(event, "scene_param")) or _text(event, "scene"))[:SCENE_MAX]
    if not (code or scene):
        return None
    return _inbound(
        account,
        payload,
        customer=_id(event, "external_userid"),
        kind=InboundKind.START if code else InboundKind.OPENED,
        payload=scene,
        reply_code=code or None,
    )


def _content(payload: Mapping[str, Any]) -> _Content:
    kind = _text(payload, "msgtype")
    if kind == "text":
        return _said(_part(payload, "text"))
    if kind in _WITH_MEDIA_ID:
        media = MediaRef(_WITH_MEDIA_ID[kind], _id(_part(payload, kind), "media_id"))
        return _Content(InboundKind.MEDIA, media=media)
    reference = _id(payload, "msgid")
    match kind:
        case "location":
            place = _part(payload, "location")
            position = f"{_degrees(place, 'latitude'):.5f},{_degrees(place, 'longitude'):.5f}"
            return _Content(InboundKind.MEDIA, _lines(place, "name", "address"), media=MediaRef("location", position))
        case "business_card":
            # Somebody else's account: kept with WeCom, not here.
            return _Content(InboundKind.MEDIA, media=MediaRef("contact", reference))
        case "link":
            return _Content(
                InboundKind.MEDIA, _lines(_part(payload, kind), "title", "url"), media=MediaRef("other", reference)
            )
        case "miniprogram":
            return _Content(
                InboundKind.MEDIA, _lines(_part(payload, kind), "title"), media=MediaRef("other", reference)
            )
        case _:
            # Whatever kinds there may be one day: the resident is told that a person can look at it.
            return _Content(InboundKind.MEDIA, media=MediaRef("other", reference))


def _said(text: Mapping[str, Any]) -> _Content:
    menu_id = _text(text, "menu_id")
    if _CHOICE.fullmatch(menu_id):
        return _Content(InboundKind.CHOICE, choice_id=menu_id)
    content = text.get("content")
    if not isinstance(content, str):
        raise BadPayloadError("a text without content")
    return _Content(InboundKind.TEXT, content)


def _inbound(account: str, item: Mapping[str, Any], *, customer: str, kind: InboundKind, **fields: Any) -> Inbound:
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=_id(item, "msgid"),
        thread=customer,
        user_ref=customer,
        kind=kind,
        language_hint=LANGUAGE_HINT,
        sent_at=_moment(item.get("send_time")),
        **fields,
    )


def _part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = payload.get(name)
    if not isinstance(part, dict):
        raise BadPayloadError(f"no {name}")
    return part


def _id(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    if not is_id(value):
        raise BadPayloadError(f"{name} is missing or no id")
    return value


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""


def _lines(of: Mapping[str, Any], *names: str) -> str | None:
    return "\n".join(filter(None, (_text(of, name) for name in names))) or None


def _degrees(of: Mapping[str, Any], name: str) -> float:
    value = of.get(name)
    # Written this way round, it also refuses what is no number at all (NaN).
    if isinstance(value, bool) or not isinstance(value, int | float) or not -180 <= value <= 180:  # noqa: PLR2004 - degrees
        raise BadPayloadError(f"{name} is no angle")
    return float(value)


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
