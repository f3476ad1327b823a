"""WeChat, as an Official Account: https://developers.weixin.qq.com/doc/service/en/guide/."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import structlog

from channels.adapter import (
    Answer,
    BadPayloadError,
    Call,
    Capabilities,
    Inbound,
    Medium,
    RejectedError,
    Window,
    WireMessage,
)
from channels.payloads import digest
from channels.results import SendResult, Sent
from channels.wechat_api import Tokens, WeChatApi
from channels.wechat_envelope import (
    RANDOM_BYTES,
    XML_MAX,
    Envelope,
    EnvelopeError,
    WrongReceiverError,
    is_signed,
    read_xml,
    write_xml,
)
from channels.wechat_messages import CHANNEL, fields_of, inbound_of, key_of

log = structlog.get_logger(__name__)

# --- constants -------------------------------------------------------------------------------------

BODY_MAX: Final = XML_MAX
# In bytes of UTF-8, as the platform counts.
TEXT_MAX: Final = 2048
# The platform waits five seconds, and asks three times.
PASSIVE: Final = timedelta(seconds=4)
# Longer than all repetitions and than clocks differ; whatever is repeated within it meets its dedupe key.
REPLAY_WINDOW: Final = timedelta(minutes=5)
# Since 12 June 2023: 5 messages in 48 hours after a message, 3 in a minute after a tap, a scan or a follow.
AFTER_TEXT: Final = Window(timedelta(hours=48), 5)
AFTER_TAP: Final = Window(timedelta(minutes=1), 3)
FOR_MEDIATORS: Final = 2
CHAT_INTERVAL: Final = timedelta(milliseconds=200)
ACCOUNT_INTERVAL: Final = timedelta(milliseconds=20)
SUCCESS: Final = "success"
# The name under which a payload carries which key it was sealed with; no XML element can have it.
SEALED: Final = "#sealed"
_FORBIDDEN: Final = 403
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")


class Mode(StrEnum):
    """How the account is set at the platform; what comes otherwise is refused.

    `SAFE`: sealed only. `COMPAT`: sealed, with a readable copy beside it, which is never read. `PLAIN`: readable, under
    a signature that says nothing of the body.
    """

    SAFE = "safe"
    COMPAT = "compat"
    PLAIN = "plain"


WARNINGS: Final = {
    Mode.COMPAT: "messages come readable beside the sealed copy; set the safe mode at the platform and here",
    Mode.PLAIN: "the platform's signature does not cover the messages: whoever saw one address can forge any",
}


class WeChatAdapter:
    """One Official Account."""

    channel = CHANNEL
    body_max = BODY_MAX

    def __init__(
        self,
        *,
        app_id: str,
        api: WeChatApi,
        tokens: Tokens,
        token: str = "",
        aes_key: str = "",
        old_aes_key: str = "",
        mode: Mode = Mode.SAFE,
        patience: timedelta = PASSIVE,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`token` and the keys are those set at the platform; without a token nothing that comes in is believed.

        Nothing is asked of the network yet. Raises BadKeyError.
        """
        self.account = app_id
        self._api = api
        self._tokens = tokens
        self._token = token
        self._mode = mode
        self._random = random
        self._envelope: Envelope | None = None
        if aes_key or mode is not Mode.PLAIN:
            self._envelope = Envelope(token=token, aes_key=aes_key, old_aes_key=old_aes_key, receiver=app_id)
        if mode in WARNINGS:
            log.warning("wechat_mode", mode=mode.value, danger=WARNINGS[mode])
        self.capabilities = Capabilities(
            text_max=TEXT_MAX,
            unit="bytes",
            # A tap on a menu message opens the window of a minute only, so choices are answered by number.
            choices_max=0,
            chat_interval=CHAT_INTERVAL,
            account_interval=ACCOUNT_INTERVAL,
            after_text=AFTER_TEXT,
            after_tap=AFTER_TAP,
            reserved=FOR_MEDIATORS,
            merges=True,
            passive=patience,
        )

    # --- verify ------------------------------------------------------------------------------------

    def check(self, call: Call, *, now: datetime) -> Answer:
        """Give back what the platform sends to check the address, letter by letter."""
        self._authenticate(call, now)
        echo = call.query.get("echostr", "")
        if not echo:
            raise RejectedError(_FORBIDDEN)
        return Answer(echo)

    def verify(self, call: Call, *, now: datetime) -> Any:
        """Give the fields of a message, opened; with `SEALED`, the generation of the key that opened it.

        In the safe mode and the compat mode only what is sealed is read, and there has to be something sealed.
        """
        self._authenticate(call, now)
        if self._mode is not Mode.PLAIN or call.query.get("encrypt_type", "raw") != "raw":
            return self._opened(call)
        try:
            return read_xml(call.body)
        except EnvelopeError:
            return _as_it_came(call.body)

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:
        """Say "success", or give the first reply, sealed where the message was."""
        if reply is None or not isinstance(payload, dict):
            return Answer(SUCCESS)
        timestamp = int(now.timestamp())
        written = write_xml(
            {
                "ToUserName": payload.get("FromUserName", ""),
                "FromUserName": payload.get("ToUserName", ""),
                "CreateTime": timestamp,
                "MsgType": "text",
                "Content": reply.text,
            }
        )
        if self._envelope is not None and SEALED in payload:
            written = self._envelope.seal(
                written,
                timestamp=str(timestamp),
                nonce=str(int.from_bytes(self._random(4), "big")),
                random=self._random(RANDOM_BYTES),
                generation=int(payload[SEALED]),
            )
        return Answer(written, "text/xml")

    def _authenticate(self, call: Call, now: datetime) -> None:
        """Refuse what is not signed with our token, in constant time, or was signed too long ago."""
        timestamp, nonce = call.query.get("timestamp", ""), call.query.get("nonce", "")
        if not is_signed(call.query.get("signature", ""), self._token, timestamp, nonce):
            raise RejectedError(_FORBIDDEN)
        if not _TIMESTAMP.fullmatch(timestamp):
            raise RejectedError(_FORBIDDEN)
        if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > REPLAY_WINDOW:
            raise RejectedError(_FORBIDDEN)

    def _opened(self, call: Call) -> Any:
        try:
            outer = read_xml(call.body)
        except EnvelopeError as error:
            # Nothing in it is signed, so it is nobody's.
            raise RejectedError(_FORBIDDEN) from error
        encrypted = outer.get("Encrypt", "")
        if self._envelope is None or not encrypted or (self._mode is Mode.SAFE and "MsgType" in outer):
            raise RejectedError(_FORBIDDEN)
        if not self._envelope.is_signed(
            call.query.get("msg_signature", ""),
            timestamp=call.query.get("timestamp", ""),
            nonce=call.query.get("nonce", ""),
            encrypted=encrypted,
        ):
            raise RejectedError(_FORBIDDEN)
        try:
            opened = self._envelope.open(encrypted)
            return read_xml(opened.text) | {SEALED: str(opened.generation)}
        except WrongReceiverError as error:
            raise RejectedError(_FORBIDDEN) from error
        except EnvelopeError:
            # The platform's, and yet not to be read: kept for an administrator.
            return _as_it_came(call.body)

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give the message's id, or what tells an event from others; a hash where there is neither."""
        try:
            key = key_of(fields_of(payload))
        except BadPayloadError:
            key = None
        return key or digest(payload)

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a message or event into what came in; kinds we have no use for give nothing."""
        found = inbound_of(self.account, fields_of(payload))
        return [] if found is None else [found]

    # --- send --------------------------------------------------------------------------------------

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send a text as a message of customer service."""
        # The platform names no id, so the part's own key stands for it.
        result = await self._api.send_text(self._tokens, thread, message.text)
        return Sent(message.key) if isinstance(result, Sent) else result

    async def acknowledge(self, reference: str) -> SendResult:  # noqa: ARG002 - the contract's
        """Do nothing: a tap on WeChat wants no answer of its own."""
        return Sent("")

    async def show_typing(self, thread: str) -> None:
        """Show that an answer is being written, if the platform lets us. Never raises as `send`."""
        await self._api.show_typing(self._tokens, thread)

    async def set_menu(self, menu: Mapping[str, Any]) -> None:
        """Set the account's menu (`channels.wechat_menu`). Raises PlatformRefusedError."""
        await self._api.set_menu(self._tokens, menu)

    async def fetch(self, ref: str) -> Medium:
        """Fetch a medium. Raises MediumGoneError, or PlatformRefusedError for a passing trouble."""
        return await self._api.medium(self._tokens, ref)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def _as_it_came(body: bytes) -> str:
    return body.decode("utf-8", "replace")
