"""Telegram, through the Bot API 10.0 (https://core.telegram.org/bots/api), with `Bot` and `Update` of its library."""

import hmac
import mimetypes
import os
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import httpx
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from channels.adapter import (
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    Medium,
    MediumGoneError,
    PlatformRefusedError,
    RejectedError,
    WireMessage,
)
from channels.authorities import authorities
from channels.payloads import digest, json_or_text
from channels.receiving import storable
from channels.rendering import shortened
from channels.results import RetryAfter, SendResult, Sent, Unknown
from channels.telegram_results import result_of
from channels.telegram_updates import CHANNEL, inbound_of
from web.outgoing import WATCHED

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
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")
_VOICE: Final = "audio/ogg"
# The Bot API gives no larger file (https://core.telegram.org/bots/api#getfile).
FILE_MAX: Final = 20 * 1024 * 1024

Understood = TypeVar("Understood")


class TelegramAdapter:
    """One bot."""

    channel = CHANNEL
    body_max = BODY_MAX

    def __init__(self, token: str, secret: str, api_base: str, *, rate: float = 30.0) -> None:
        """`rate` is in messages a second over all chats. Nothing is asked of the network yet."""
        self.account = token.partition(":")[0]
        self._secret = secret.encode()
        base = api_base.rstrip("/")
        known: dict[str, Any] = {"verify": authorities(), "event_hooks": WATCHED}
        request = HTTPXRequest(
            connection_pool_size=32,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
            httpx_kwargs=known,
        )
        # The library wants a second one for getUpdates, which goes another way here.
        self._unused = HTTPXRequest(connection_pool_size=1, httpx_kwargs=known)
        self._plain = httpx.AsyncClient(**known)
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
            sent = await _understood(
                self._bot.send_message(
                    chat_id=int(thread),
                    text=message.text,
                    reply_markup=keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            )
        except TelegramError as error:
            return result_of(error)
        given = getattr(sent, "message_id", None)
        return Sent(str(given)) if type(given) is int else Unknown("answer not understood: no id")

    async def acknowledge(self, reference: str) -> SendResult:
        """Answer a tap, so that the button stops turning. Too late is as good as done."""
        try:
            await _understood(self._bot.answer_callback_query(reference))
        except TelegramError as error:
            result = result_of(error)
            return result if isinstance(result, RetryAfter) else Sent("")
        return Sent("")

    async def show_typing(self, thread: str) -> None:
        """Show for five seconds that somebody is writing. Raises TelegramError."""
        await _understood(self._bot.send_chat_action(int(thread), ChatAction.TYPING))

    # --- media -------------------------------------------------------------------------------------

    async def fetch(self, ref: str) -> Medium:
        """Fetch a file of at most 20 MB. Raises MediumGoneError, or PlatformRefusedError for a passing trouble."""
        try:
            found = await _understood(self._bot.get_file(ref))
        except BadRequest as error:
            said = error.message.lower()
            raise MediumGoneError(said, too_large="too big" in said) from error
        except TelegramError as error:
            raise PlatformRefusedError(type(error).__name__) from error
        path = found.file_path or ""
        if type(found.file_size) is int and found.file_size > FILE_MAX:
            raise MediumGoneError("larger than the Bot API gives", too_large=True)
        # The type follows from the name that the server chose: it sends every file as a stream of bytes.
        media_type = _VOICE if path.endswith(".oga") else mimetypes.guess_type(path)[0]
        return Medium(media_type or "application/octet-stream", await self._download(path))

    async def _download(self, address: str) -> bytes:
        """Read a file up to the bound, whatever was said of its size."""
        content = bytearray()
        try:
            # The library makes a whole address of the path; it holds the token, so no error may quote it.
            async with self._plain.stream("GET", address, timeout=READ_SECONDS) as answer:
                if answer.status_code == 404:  # noqa: PLR2004 - the status
                    raise MediumGoneError("the server has the file no longer")
                if answer.is_error:
                    raise PlatformRefusedError(f"status {answer.status_code}")
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > FILE_MAX:
                        raise MediumGoneError("larger than was said", too_large=True)
        except httpx.HTTPError as error:
            raise PlatformRefusedError(type(error).__name__) from None
        except (httpx.InvalidURL, UnicodeError):
            raise PlatformRefusedError("the server named no path") from None
        return bytes(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._bot.request.shutdown()
        await self._unused.shutdown()
        await self._plain.aclose()

    # --- set-up and polling ------------------------------------------------------------------------

    async def set_webhook(self, url: str) -> None:
        """Tell Telegram where to send updates, and with which secret. Raises TelegramError."""
        await _understood(
            self._bot.set_webhook(
                url, secret_token=self._secret.decode() or None, allowed_updates=list(ALLOWED_UPDATES)
            )
        )

    async def delete_webhook(self) -> None:
        """Go back to polling. Raises TelegramError."""
        await _understood(self._bot.delete_webhook())

    async def username(self) -> str:
        """Give the name under which the bot is found. Raises TelegramError."""
        return (await _understood(self._bot.get_me())).username or ""

    async def describe(
        self, commands: Sequence[tuple[str, str]], description: str, short: str, *, language: str | None
    ) -> None:
        """Set commands and descriptions for readers of a language (ISO 639-1), or for all others.

        Raises TelegramError.
        """
        listed = [BotCommand(name, text) for name, text in commands]
        await _understood(self._bot.set_my_commands(listed, language_code=language))
        await _understood(self._bot.set_my_description(description, language_code=language))
        await _understood(self._bot.set_my_short_description(short, language_code=language))

    async def updates(self, offset: int | None, *, seconds: int) -> list[Any]:
        """Wait for updates up to a time, and give them as they came, malformed ones too.

        Raises PlatformRefusedError, or NetworkError where there was no answer.
        """
        arguments = {"timeout": seconds, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            arguments["offset"] = offset
        # Not through the library, which parses: an update that it cannot read must be set aside, not lost.
        try:
            answer = await self._plain.post(
                f"{self._bot.base_url}/getUpdates", json=arguments, timeout=seconds + READ_SECONDS
            )
            body = answer.json()
            if not body["ok"]:
                raise PlatformRefusedError(storable(str(body["description"])))
            found = body["result"]
        except (httpx.HTTPError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise NetworkError(type(error).__name__) from error
        return found if isinstance(found, list) else []


async def _understood(asked: Awaitable[Understood]) -> Understood:
    """Wait for the library. Raises TelegramError, also for an answer that it cannot read, with status 200 or another.

    The library raises whatever comes to it there (AttributeError, OverflowError, RecursionError ...).
    """
    try:
        return await asked
    except TelegramError:
        raise
    except Exception as error:
        raise TelegramError(f"answer not understood: {type(error).__name__}") from error
