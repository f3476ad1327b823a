"""Telegram, through the Bot API 10.0 (https://core.telegram.org/bots/api), with `Bot` and `Update` of its library."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from telegram import (
    Bot,
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.constants import ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)
from telegram.error import (
    RetryAfter as FloodError,
)
from telegram.request import HTTPXRequest

from channels.adapter import (
    BadPayloadError,
    Blocked,
    Capabilities,
    Inbound,
    InboundKind,
    MediaRef,
    NeedsPerson,
    RejectedError,
    RetryAfter,
    SendResult,
    Sent,
    TooLong,
    Unknown,
    WireMessage,
)
from channels.rendering import shortened

# --- constants -------------------------------------------------------------------------------------

CHANNEL: Final = "telegram"
SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
BODY_MAX: Final = 256 * 1024
TEXT_MAX: Final = 4096
LABEL_MAX: Final = 60
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
CHAT_INTERVAL: Final = timedelta(seconds=1)
SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
# Nothing was sent when these happened: the request never reached the server.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNREACHABLE: Final = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was blocked")
_GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL})


class TelegramAdapter:
    """One bot."""

    channel = CHANNEL

    def __init__(self, token: str, secret: str, api_base: str, *, rate: float = 30.0) -> None:
        """`rate` is in messages a second over all chats. Nothing is asked of the network yet."""
        self.account = token.partition(":")[0]
        self._secret = secret.encode()
        base = api_base.rstrip("/")
        request = HTTPXRequest(
            connection_pool_size=32,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
        )
        polling = HTTPXRequest(connection_pool_size=1, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request,
            get_updates_request=polling,
        )
        self._polling = polling
        self.capabilities = Capabilities(
            text_max=TEXT_MAX,
            # Counted in UTF-16 units: never fewer than the server counts, whatever it counts in.
            unit="utf-16",
            buttons=True,
            chat_interval=CHAT_INTERVAL,
            account_interval=timedelta(seconds=1 / rate),
        )

    # --- verify ------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Compare the secret that was given with setWebhook, in constant time."""
        given = headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not self._secret or not hmac.compare_digest(given, self._secret):
            raise RejectedError(401)
        if len(body) > BODY_MAX:
            raise RejectedError(413)

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give the update's id, which is unique for a bot; a hash where there is none."""
        if isinstance(payload, dict):
            update_id = payload.get("update_id")
            if isinstance(update_id, int) and not isinstance(update_id, bool):
                return str(update_id)
        try:
            canonical = json.dumps(payload, sort_keys=True, default=repr)
        except (TypeError, ValueError):
            canonical = repr(payload)
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn an update into what came in; kinds we have no use for give nothing."""
        if not isinstance(payload, dict) or type(payload.get("update_id")) is not int:
            raise BadPayloadError("no update: update_id is missing or no number")
        try:
            update = Update.de_json(payload, self._bot)
            found = self._inbound(update)
        except Exception as error:
            # The library raises whatever comes to it on malformed updates (KeyError, TypeError, ValueError ...).
            raise BadPayloadError(f"malformed update: {type(error).__name__}") from error
        return [] if found is None else [found]

    def _inbound(self, update: Update) -> Inbound | None:
        key = self.event_key({"update_id": update.update_id})
        if update.callback_query is not None:
            return self._tap(key, update.callback_query)
        if update.my_chat_member is not None:
            return self._membership(key, update.my_chat_member)
        message, edited = (update.edited_message, True) if update.message is None else (update.message, False)
        return None if message is None else self._message(key, message, edited=edited)

    def _tap(self, key: str, query: CallbackQuery) -> Inbound | None:
        # The message of an old button can be gone; the chat with a person has the person's own id.
        chat_id = query.message.chat.id if query.message is not None else query.from_user.id
        return Inbound(
            channel=CHANNEL,
            account=self.account,
            event_key=key,
            thread=str(chat_id),
            user_ref=str(query.from_user.id),
            kind=InboundKind.CHOICE,
            choice_id=_text(query.data) or "",
            acknowledge=_text(query.id),
            language_hint=_text(query.from_user.language_code),
        )

    def _membership(self, key: str, change: ChatMemberUpdated) -> Inbound | None:
        if change.chat.type in _GROUPS:
            return None
        gone = change.new_chat_member.status in {"kicked", "left"}
        return Inbound(
            channel=CHANNEL,
            account=self.account,
            event_key=key,
            thread=str(change.chat.id),
            user_ref=str(change.from_user.id),
            kind=InboundKind.LEFT if gone else InboundKind.RETURNED,
            language_hint=_text(change.from_user.language_code),
            sent_at=_moment(change.date),
        )

    def _message(self, key: str, message: Message, *, edited: bool) -> Inbound | None:
        sender = message.from_user
        kind, text, payload, media = _content(message, edited=edited)
        if message.chat.type in _GROUPS:
            if kind is None or not self._is_addressed(message):
                return None
            kind, text, payload, media = InboundKind.GROUP, None, None, None
        if kind is None:
            return None
        return Inbound(
            channel=CHANNEL,
            account=self.account,
            event_key=key,
            thread=str(message.chat.id),
            user_ref=str(sender.id if sender is not None else message.chat.id),
            kind=kind,
            text=text,
            payload=payload,
            media=media,
            language_hint=_text(sender.language_code) if sender is not None else None,
            sent_at=_moment(message.date),
        )

    def _is_addressed(self, message: Message) -> bool:
        """Tell whether a message in a group is meant for the bot: a command, or a reply to it."""
        replied = message.reply_to_message
        to_us = replied is not None and replied.from_user is not None and str(replied.from_user.id) == self.account
        return to_us or (_text(message.text) or "").startswith("/")

    # --- send --------------------------------------------------------------------------------------

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send plain text, with one button a row."""
        keyboard = None
        if message.choices:
            keyboard = InlineKeyboardMarkup(
                [
                    [InlineKeyboardButton(shortened(choice.label, LABEL_MAX), callback_data=choice.id)]
                    for choice in message.choices
                ]
            )
        try:
            sent = await self._bot.send_message(
                chat_id=int(thread),
                text=message.text,
                reply_markup=keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            return result_of(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Status 200 with something else than a message in it.
            return Unknown(f"answer not understood: {type(error).__name__}")
        return Sent(str(sent.message_id))

    async def acknowledge(self, reference: str) -> SendResult:
        """Answer a tap, so that the button stops turning. Too late is as good as done."""
        try:
            await self._bot.answer_callback_query(reference)
        except TelegramError as error:
            result = result_of(error)
            return result if isinstance(result, RetryAfter) else Sent("")
        return Sent("")

    async def close(self) -> None:
        """Close the connections."""
        await self._bot.request.shutdown()
        await self._polling.shutdown()

    # --- set-up and polling ------------------------------------------------------------------------

    async def set_webhook(self, url: str) -> None:
        """Tell Telegram where to send updates, and with which secret. Raises TelegramError."""
        await self._bot.set_webhook(
            url, secret_token=self._secret.decode() or None, allowed_updates=list(ALLOWED_UPDATES)
        )

    async def delete_webhook(self) -> None:
        """Go back to polling. Raises TelegramError."""
        await self._bot.delete_webhook()

    async def updates(self, offset: int | None, *, seconds: int) -> list[Any]:
        """Wait for updates up to a time, and give them as they came, malformed ones too. Raises TelegramError."""
        found = await self._bot.do_api_request(
            "getUpdates",
            api_kwargs={"timeout": seconds, "allowed_updates": list(ALLOWED_UPDATES)}
            | ({} if offset is None else {"offset": offset}),
            read_timeout=seconds + READ_SECONDS,
        )
        return found if isinstance(found, list) else []


ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")


def result_of(error: TelegramError) -> SendResult:
    """Give what an error of the library means for a message.

    BadRequest and TimedOut are kinds of NetworkError there, so the order of the cases matters.
    """
    said = error.message.lower()
    match error:
        case FloodError():
            # In a private chat the server names the wait of that chat; other chats go on.
            delay = error.retry_after
            seconds = delay if isinstance(delay, timedelta) else timedelta(seconds=delay)
            return RetryAfter(seconds, "chat", "too many requests")
        case Forbidden():
            return Blocked(said)
        case ChatMigrated():
            return Blocked("the chat has moved")
        case BadRequest():
            if any(sign in said for sign in _UNREACHABLE):
                return Blocked(said)
            return TooLong() if "too long" in said else NeedsPerson(said)
        case InvalidToken() | Conflict():
            return RetryAfter(LATER, "account", said)
        case TimedOut() | NetworkError():
            return _network_result(error)
        case _:
            return Unknown(said)


def _network_result(error: TelegramError) -> SendResult:
    if isinstance(error.__cause__, _NEVER_SENT):
        return RetryAfter(SOON, "account", "no connection")
    if isinstance(error, TimedOut) and "pool timeout" in error.message.lower():
        return RetryAfter(SOON, "message", "all connections in use")
    return Unknown(error.message or type(error).__name__)


def _content(message: Message, *, edited: bool) -> tuple[InboundKind | None, str | None, str | None, MediaRef | None]:
    text = _text(message.text)
    if text is not None:
        command, _, argument = text.partition(" ")
        if command.partition("@")[0] == "/start" and not edited:
            return InboundKind.START, None, argument.strip()[:64], None
        return (InboundKind.EDITED if edited else InboundKind.TEXT), text, None, None
    media = _media(message)
    return (None, None, None, None) if media is None else (InboundKind.MEDIA, _text(message.caption), None, media)


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
