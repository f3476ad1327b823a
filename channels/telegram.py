"""Telegram, through the Bot API 10.0 (https://core.telegram.org/bots/api), with `Bot` and `Update` of its library."""

import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Update,
)
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
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    PlatformRefusedError,
    RejectedError,
    WireMessage,
)
from channels.payloads import digest, json_or_text
from channels.rendering import shortened
from channels.results import Blocked, NeedsPerson, RetryAfter, SendResult, Sent, TooLong, Unknown
from channels.telegram_updates import CHANNEL, inbound_of

# The library's switch for what it will do by itself one day: give waits as timedelta, without a warning each time.
os.environ.setdefault("PTB_TIMEDELTA", "true")

# --- constants -------------------------------------------------------------------------------------

SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
BODY_MAX: Final = 256 * 1024
TEXT_MAX: Final = 4096
LABEL_MAX: Final = 60
CHOICES_MAX: Final = 100
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
CHAT_INTERVAL: Final = timedelta(seconds=1)
SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
# Nothing was sent when these happened: the request never reached the server.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNREACHABLE: Final = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was blocked")


class TelegramAdapter:
    """One bot."""

    channel = CHANNEL
    body_max = BODY_MAX

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
        # The library wants a second one for getUpdates, which goes another way here.
        self._unused = HTTPXRequest(connection_pool_size=1)
        self._polling = httpx.AsyncClient()
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request,
            get_updates_request=self._unused,
        )
        self.capabilities = Capabilities(
            text_max=TEXT_MAX,
            # Counted in UTF-16 units: never fewer than the server counts, whatever it counts in.
            unit="utf-16",
            choices_max=CHOICES_MAX,
            chat_interval=CHAT_INTERVAL,
            account_interval=timedelta(seconds=1 / rate),
        )

    # --- verify ------------------------------------------------------------------------------------

    def check(self, call: Call, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Refuse: Telegram checks no address."""
        raise RejectedError(404)

    def verify(self, call: Call, *, now: datetime) -> Any:  # noqa: ARG002 - the contract's; updates carry no time
        """Compare the secret that was given with setWebhook, in constant time."""
        given = call.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not self._secret or not hmac.compare_digest(given, self._secret):
            raise RejectedError(401)
        return json_or_text(call.body)

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Say nothing but 200, which is what Telegram waits for."""
        return Answer()

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give the update's id, which is unique for a bot; a hash where there is none."""
        if isinstance(payload, dict):
            update_id = payload.get("update_id")
            if isinstance(update_id, int) and not isinstance(update_id, bool):
                return str(update_id)
        return digest(payload)

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn an update into what came in; kinds we have no use for give nothing."""
        if not isinstance(payload, dict) or type(payload.get("update_id")) is not int:
            raise BadPayloadError("no update: update_id is missing or no number")
        try:
            update = Update.de_json(payload, self._bot)
            found = inbound_of(self.account, update)
        except Exception as error:
            # The library raises whatever comes to it on malformed updates (KeyError, TypeError, ValueError ...).
            raise BadPayloadError(f"malformed update: {type(error).__name__}") from error
        return [] if found is None else [found]

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
        await self._unused.shutdown()
        await self._polling.aclose()

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
        """Wait for updates up to a time, and give them as they came, malformed ones too.

        Raises PlatformRefusedError, or NetworkError where there was no answer.
        """
        arguments = {"timeout": seconds, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            arguments["offset"] = offset
        # Not through the library, which parses: an update that it cannot read must be set aside, not lost.
        try:
            answer = await self._polling.post(
                f"{self._bot.base_url}/getUpdates", json=arguments, timeout=seconds + READ_SECONDS
            )
            body = answer.json()
            if not body["ok"]:
                raise PlatformRefusedError(str(body["description"]))
            found = body["result"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NetworkError(type(error).__name__) from error
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
