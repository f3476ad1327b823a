"""Telegram updates in our own terms (https://core.telegram.org/bots/api#update). Pure."""

import re
from datetime import datetime
from typing import Final

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatType

from channels.adapter import Inbound, InboundKind, MediaRef

CHANNEL: Final = "telegram"
# A scene of ours stands in a link as what Telegram allows there (https://core.telegram.org/bots/features#deep-linking).
_SCENE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WITH_ID: Final = frozenset({InboundKind.TEXT, InboundKind.EDITED, InboundKind.MEDIA})
_COMMAND: Final = re.compile(r"(/[a-z0-9_]{1,32})@[A-Za-z0-9_]+")
_GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL})


def inbound_of(account: str, update: Update) -> Inbound | None:
    """Give what an update holds for us, or None. Raises whatever a malformed update makes it raise."""
    key = str(update.update_id)
    if update.callback_query is not None:
        return _tap(account, key, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(account, key, update.my_chat_member)
    message, edited = (update.edited_message, True) if update.message is None else (update.message, False)
    return None if message is None else _message(account, key, message, edited=edited)


def _tap(account: str, key: str, query: CallbackQuery) -> Inbound | None:
    # The message of an old button can be gone; the chat with a person has the person's own id.
    chat_id = query.message.chat.id if query.message is not None else query.from_user.id
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=key,
        thread=str(chat_id),
        user_ref=str(query.from_user.id),
        kind=InboundKind.CHOICE,
        choice_id=_text(query.data) or "",
        acknowledge=_text(query.id),
        language_hint=_text(query.from_user.language_code),
    )


def _membership(account: str, key: str, change: ChatMemberUpdated) -> Inbound | None:
    if change.chat.type in _GROUPS:
        return None
    gone = change.new_chat_member.status in {"kicked", "left"}
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=key,
        thread=str(change.chat.id),
        user_ref=str(change.from_user.id),
        kind=InboundKind.LEFT if gone else InboundKind.RETURNED,
        language_hint=_text(change.from_user.language_code),
        sent_at=_moment(change.date),
    )


def _message(account: str, key: str, message: Message, *, edited: bool) -> Inbound | None:
    sender = message.from_user
    kind, text, payload, media = _edited(message) if edited else _content(message)
    if message.chat.type in _GROUPS:
        if kind is None or not _is_addressed(account, message):
            return None
        kind, text, payload, media = InboundKind.GROUP, None, None, None
    if kind is None:
        return None
    return Inbound(
        channel=CHANNEL,
        account=account,
        event_key=key,
        thread=str(message.chat.id),
        user_ref=str(sender.id if sender is not None else message.chat.id),
        kind=kind,
        text=text,
        payload=payload,
        media=media,
        album=_text(message.media_group_id) if kind is InboundKind.MEDIA else None,
        message_id=str(message.message_id) if kind in _WITH_ID else None,
        language_hint=_text(sender.language_code) if sender is not None else None,
        sent_at=_moment(message.date),
    )


def _is_addressed(account: str, message: Message) -> bool:
    """Tell whether a message in a group is meant for the bot: a command, or a reply to it."""
    replied = message.reply_to_message
    to_us = replied is not None and replied.from_user is not None and str(replied.from_user.id) == account
    return to_us or (_text(message.text) or "").startswith("/")


_Content = tuple[InboundKind | None, str | None, str | None, MediaRef | None]


def _content(message: Message) -> _Content:
    text = _text(message.text)
    if text is not None:
        command, _, argument = text.partition(" ")
        if command.partition("@")[0] == "/start":
            scene = _SCENE.fullmatch(argument.strip())
            return InboundKind.START, None, scene.group() if scene else "", None
        # A command may carry the name of the bot that it is for: what it asks is the same.
        return InboundKind.TEXT, _COMMAND.sub(r"\1", text) if _COMMAND.fullmatch(text) else text, None, None
    media = _media(message)
    return (None, None, None, None) if media is None else (InboundKind.MEDIA, _text(message.caption), None, media)


def _edited(message: Message) -> _Content:
    """Give what an edit says. A live location is edited every few seconds: only where it began is kept."""
    text = _text(message.text)
    if text is not None:
        return InboundKind.EDITED, text, None, None
    media = _media(message)
    if media is None or message.location is not None:
        return None, None, None, None
    return InboundKind.EDITED, _text(message.caption), None, media


def _media(message: Message) -> MediaRef | None:
    if message.photo:
        largest = message.photo[-1]
        return MediaRef("photo", largest.file_id, size=largest.file_size)
    for kind, medium in (
        ("voice", message.voice),
        ("voice", message.audio),
        ("video", message.video),
        ("video", message.video_note),
        # Before documents: an animation is one of these too.
        ("video", message.animation),
        ("document", message.document),
        ("other", message.sticker),
    ):
        if medium is not None:
            return MediaRef(kind, medium.file_id, name=getattr(medium, "file_name", None), size=medium.file_size)
    if message.location is not None:
        return MediaRef("location", f"{message.location.latitude:.5f},{message.location.longitude:.5f}")
    if message.contact is not None:
        # Somebody else's number: kept with Telegram, not here.
        return MediaRef("contact", str(message.message_id))
    return None


def _text(value: object) -> str | None:
    """Give a text, or None; raises TypeError for anything else, which the library lets through."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(type(value).__name__)


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
