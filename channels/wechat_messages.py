"""WeChat's messages and events in our own terms. Pure.

Fields: developers.weixin.qq.com/doc/service/en/guide/product/message, "Receiving standard messages" and "Receiving
event pushes".
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from channels.adapter import BadPayloadError, Inbound, InboundKind, MediaRef
from channels.payloads import digest

CHANNEL: Final = "wechat"
# WeChat tells nothing of a resident's language. Nearly everybody in Prato who writes there reads Chinese; the first
# text in another language changes it.
LANGUAGE_HINT: Final = "zh"
SCENE_MAX: Final = 64
LATITUDE_MAX: Final = 90.0
LONGITUDE_MAX: Final = 180.0
_QR_SCENE: Final = "qrscene_"
_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Ids have 64 bits, times 10 digits in seconds: more than these is neither.
_ID: Final = re.compile(r"[0-9]{1,20}")
_TIME: Final = re.compile(r"[0-9]{1,11}")
_MEDIA: Final = {"image": "photo", "voice": "voice", "video": "video", "shortvideo": "video", "file": "document"}
# What WeChat puts in place of stickers and files that it does not pass on. From general knowledge, and in no
# documentation that we could read; where it is otherwise, the text is taken like any other.
_UNSUPPORTED: Final = "【收到不支持的消息类型，暂无法显示】"


def fields_of(payload: Any) -> dict[str, str]:
    """Give the fields of a payload that are texts. Raises BadPayloadError where it has none."""
    if not isinstance(payload, Mapping):
        raise BadPayloadError("no message: not made of fields")
    fields = {name: value for name, value in payload.items() if isinstance(value, str)}
    if not fields:
        raise BadPayloadError("no message: no fields")
    return fields


def key_of(fields: Mapping[str, str]) -> str | None:
    """Give the dedupe key: the message's id, and what tells an event from any other; None where there is neither.

    Events have no id. The platform's advice is user and time; two events can share a second, so it is also told which
    event it was.
    """
    message_id = fields.get("MsgId", "")
    if _ID.fullmatch(message_id):
        return message_id
    if fields.get("MsgType") == "event":
        return digest([fields.get(name, "") for name in ("FromUserName", "CreateTime", "Event", "EventKey")])
    return None


def inbound_of(account: str, fields: Mapping[str, str]) -> Inbound | None:
    """Give what a message or event holds for us, or None. Raises BadPayloadError."""
    openid = fields.get("FromUserName", "")
    if not _OPENID.fullmatch(openid):
        raise BadPayloadError("no message: FromUserName is missing or no openid")
    if not fields.get("MsgType"):
        raise BadPayloadError("no message: MsgType is missing")
    content = _event(fields) if fields["MsgType"] == "event" else _message(fields)
    if content is None:
        return None
    key = key_of(fields)
    if key is None:
        raise BadPayloadError("malformed message: MsgId is missing or no number")
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=key,
        thread=openid,
        user_ref=openid,
        message_id=fields.get("MsgId"),
        language_hint=LANGUAGE_HINT,
        sent_at=_moment(fields.get("CreateTime", "")),
        **content,
    )


def _message(fields: Mapping[str, str]) -> dict[str, Any] | None:
    kind = fields["MsgType"]
    match kind:
        case "text":
            return _text(fields)
        case "location":
            return _location(fields)
        case "link":
            lines = [fields.get(name, "").strip() for name in ("Title", "Description", "Url")]
            return {"kind": InboundKind.TEXT, "text": "\n".join(line for line in lines if line)}
        case _ if kind in _MEDIA:
            media_id = fields.get("MediaId", "")
            if not media_id:
                raise BadPayloadError("malformed message: MediaId is missing")
            return {"kind": InboundKind.MEDIA, "media": MediaRef(_MEDIA[kind], media_id)}
    return None


def _text(fields: Mapping[str, str]) -> dict[str, Any]:
    text = fields.get("Content")
    if text is None:
        raise BadPayloadError("malformed message: Content is missing")
    if text == _UNSUPPORTED:
        return {"kind": InboundKind.MEDIA, "media": MediaRef("other", fields.get("MsgId", ""))}
    if tapped := fields.get("bizmsgmenuid"):
        # An item of a menu message: a tap, which opens the short window only.
        return {"kind": InboundKind.CHOICE, "choice_id": tapped, "text": text}
    return {"kind": InboundKind.TEXT, "text": text}


def _location(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        latitude, longitude = float(fields.get("Location_X", "")), float(fields.get("Location_Y", ""))
    except ValueError as error:
        raise BadPayloadError("malformed message: the location is no pair of numbers") from error
    if not (abs(latitude) <= LATITUDE_MAX and abs(longitude) <= LONGITUDE_MAX):
        raise BadPayloadError("malformed message: the location is nowhere on Earth")
    media = MediaRef("location", f"{latitude:.5f},{longitude:.5f}")
    return {"kind": InboundKind.MEDIA, "media": media, "text": fields.get("Label") or None}


def _event(fields: Mapping[str, str]) -> dict[str, Any] | None:
    """Read the events that concern a conversation; VIEW, LOCATION, TEMPLATESENDJOBFINISH and the like are left out."""
    key = fields.get("EventKey", "")
    match fields.get("Event", "").lower():
        case "subscribe":
            return {"kind": InboundKind.START, "payload": key.removeprefix(_QR_SCENE)[:SCENE_MAX]}
        case "scan":
            return {"kind": InboundKind.START, "payload": key[:SCENE_MAX]}
        case "unsubscribe":
            return {"kind": InboundKind.LEFT}
        case "click":
            return {"kind": InboundKind.PICK, "text": key}
    return None


def _moment(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if _TIME.fullmatch(seconds) else None
