"""WhatsApp, through Meta's Cloud API (https://developers.facebook.com/documentation/business-messaging/whatsapp)."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

import httpx

from channels.adapter import (
    Answer,
    Call,
    Capabilities,
    Inbound,
    Medium,
    MediumGoneError,
    OutboundChoice,
    PlatformRefusedError,
    RejectedError,
    Window,
    WireMessage,
)
from channels.authorities import authorities
from channels.payloads import digest, json_or_text
from channels.rendering import measure, shortened_to
from channels.results import NeedsPerson, RetryAfter, SendResult, Sent, TooLong, Unknown
from channels.whatsapp_errors import SOON, result_of
from channels.whatsapp_messages import CHANNEL, inbound_of
from web.outgoing import WATCHED

# --- constants -------------------------------------------------------------------------------------

SIGNATURE_HEADER: Final = "x-hub-signature-256"
BODY_MAX: Final = 3 * 1024 * 1024  # "Payloads can be up to 3MB" (Cloud API, webhooks)
TEXT_MAX: Final = 4096
# Text above buttons or a list: 1,024 above buttons; above a list sources differ between 1,024 and 4,096.
CHOICES_TEXT_MAX: Final = 1024
BUTTONS_MAX: Final = 3
BUTTON_MAX: Final = 20
ROWS_MAX: Final = 10
ROW_MAX: Final = 24
ROW_MORE_MAX: Final = 72
MEDIUM_MAX: Final = 20 * 1024 * 1024
WINDOW: Final = Window(timedelta(hours=24))
CHAT_INTERVAL: Final = timedelta(seconds=1)
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
PORT_MAX: Final = 65535
_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_MEDIUM_GONE: Final = frozenset({400, 404, 410})


@dataclass(frozen=True, slots=True)
class Template:
    """A message that Meta approved, by name, with the languages in which it is approved; the first is the default."""

    name: str
    languages: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read "name:it,en,ur"; None where the text is empty. Raises ValueError."""
        if not text.strip():
            return None
        name, _, listed = text.partition(":")
        languages = tuple(tag.strip() for tag in listed.split(",") if tag.strip())
        if not name.strip() or not languages:
            raise ValueError("a template is given as name:language,language, such as answer_ready:it,en,ur")
        return cls(name.strip(), languages)

    def closest(self, language: str) -> str:
        """Give the tag in which the template goes to a reader of a language."""
        of_language = (tag for tag in self.languages if tag.replace("-", "_").partition("_")[0] == language)
        return next(of_language, self.languages[0])


@dataclass(frozen=True, slots=True)
class Access:
    """What Meta gave: the number's id, the token to call with, the app's secret, and the word for the address."""

    phone_id: str
    token: str
    secret: str
    verify_token: str


class WhatsAppAdapter:
    """One number."""

    channel = CHANNEL
    body_max = BODY_MAX

    def __init__(
        self,
        access: Access,
        api_base: str,
        *,
        template: Template | None,
        list_label: Callable[[str], str],
        rate: float = 80.0,
    ) -> None:
        """`rate` is in messages a second over all chats; `list_label` names the button that opens a list.

        Nothing is asked of the network yet.
        """
        self.account = access.phone_id
        self._secret = access.secret.encode()
        self._verify_token = access.verify_token.encode()
        self._base = api_base.rstrip("/")
        self._template = template
        self._list_label = list_label
        self._client = httpx.AsyncClient(
            verify=authorities(),
            event_hooks=WATCHED,
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=32),
        )
        self.capabilities = Capabilities(
            text_max=TEXT_MAX,
            # Meta says characters and not which: counted in UTF-16 units there are never fewer.
            unit="utf-16",
            choices_max=ROWS_MAX,
            chat_interval=CHAT_INTERVAL,
            account_interval=timedelta(seconds=1 / rate),
            after_text=WINDOW,
            after_tap=WINDOW,
            choices_text_max=CHOICES_TEXT_MAX,
            knocks=template is not None,
        )

    # --- verify ------------------------------------------------------------------------------------

    def check(self, call: Call, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's; the check carries no time
        """Give the challenge back as it came, where the word is ours."""
        given = call.query.get("hub.verify_token", "").encode(errors="replace")
        if call.query.get("hub.mode") != "subscribe" or not self._verify_token:
            raise RejectedError(403)
        if not hmac.compare_digest(given, self._verify_token):
            raise RejectedError(403)
        return Answer(call.query.get("hub.challenge", ""))

    def verify(self, call: Call, *, now: datetime) -> Any:  # noqa: ARG002 - the contract's; WhatsApp signs no time
        """Compare the signature of the body as it came, in constant time."""
        expected = "sha256=" + hmac.new(self._secret, call.body, hashlib.sha256).hexdigest()
        given = call.headers.get(SIGNATURE_HEADER, "").encode(errors="replace")
        if not self._secret or not hmac.compare_digest(given, expected.encode()):
            raise RejectedError(401)
        return json_or_text(call.body)

    def answer(self, payload: Any, reply: WireMessage | None, *, now: datetime) -> Answer:  # noqa: ARG002 - the contract's
        """Say nothing but 200, which is what Meta waits for."""
        return Answer()

    # --- parse -------------------------------------------------------------------------------------

    def event_key(self, payload: Any) -> str:
        """Give a hash: a call holds several things, each with an id of its own."""
        return digest(payload)

    def parse(self, payload: Any) -> Sequence[Inbound]:
        """Turn a call into what came in for this number."""
        return inbound_of(self.account, payload)

    # --- send --------------------------------------------------------------------------------------

    async def send(self, thread: str, message: WireMessage) -> SendResult:
        """Send a text, with buttons or a list under it where there are choices."""
        if measure(message.text, "utf-16") > (CHOICES_TEXT_MAX if message.choices else TEXT_MAX):
            return TooLong()
        return await self._post(thread, self._content(message))

    async def acknowledge(self, reference: str) -> SendResult:  # noqa: ARG002 - the contract's
        """Do nothing: a tap wants no answer here."""
        return Sent("")

    async def show_typing_under(self, message_id: str) -> None:
        """Mark what the resident wrote as read, and show for 25 seconds, or until a message, that somebody is writing.

        Raises PlatformRefusedError, or what httpx raises.
        """
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        indicated = body | {"typing_indicator": {"type": "text"}}
        answer = await self._client.post(f"{self._base}/{self.account}/messages", json=indicated)
        if answer.status_code != httpx.codes.OK:
            raise PlatformRefusedError(f"WhatsApp did not show that somebody writes: HTTP {answer.status_code}")

    async def knock(self, thread: str, language: str) -> SendResult:
        """Send the approved template: the only thing that goes after the window."""
        if self._template is None:
            return NeedsPerson("no template is set")
        tag = self._template.closest(language)
        return await self._post(
            thread, {"type": "template", "template": {"name": self._template.name, "language": {"code": tag}}}
        )

    async def fetch(self, ref: str) -> Medium:
        """Fetch a medium in the two steps of the API: its address, which lasts five minutes, and its bytes."""
        try:
            told = await self._client.get(f"{self._base}/{ref}", params={"phone_number_id": self.account})
            where = self._address(told)
            async with self._client.stream("GET", where) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _no_medium(answer.status_code)
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MEDIUM_MAX:
                        raise MediumGoneError("larger than 20 MB")
                media_type = answer.headers.get("content-type", "application/octet-stream")
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise PlatformRefusedError(f"WhatsApp gave no medium: {type(error).__name__}") from error
        return Medium(media_type.partition(";")[0].strip(), bytes(content))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _content(self, message: WireMessage) -> Mapping[str, Any]:
        choices = message.choices
        if not choices:
            return {"type": "text", "text": {"preview_url": False, "body": message.text}}
        titles = {choice.label for choice in choices if measure(choice.label, "utf-16") <= BUTTON_MAX}
        # Buttons must differ, and a label that does not fit on one says more in a list.
        if len(choices) <= BUTTONS_MAX and len(titles) == len(choices):
            buttons = [{"type": "reply", "reply": {"id": choice.id, "title": choice.label}} for choice in choices]
            return _interactive("button", message.text, {"buttons": buttons})
        label = shortened_to(self._list_label(message.language), BUTTON_MAX, "utf-16")
        rows = [_row(choice) for choice in choices]
        return _interactive("list", message.text, {"button": label, "sections": [{"rows": rows}]})

    async def _post(self, thread: str, content: Mapping[str, Any]) -> SendResult:
        # Where the number is hidden, the resident is named by the id that WhatsApp made for us ("IT.1234").
        named = {"to": thread} if thread.isascii() and thread.isdecimal() else {"recipient": thread}
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **named,
            # Comes back with what becomes of the message, whatever WhatsApp calls the resident by then.
            "biz_opaque_callback_data": thread,
            **content,
        }
        try:
            answer = await self._client.post(f"{self._base}/{self.account}/messages", json=body)
        except httpx.PoolTimeout:
            return RetryAfter(SOON, "message", "all connections in use")
        except (httpx.ConnectError, httpx.ConnectTimeout):
            # Nothing was sent: the request never reached the server.
            return RetryAfter(SOON, "account", "no connection")
        except httpx.HTTPError as error:
            return Unknown(type(error).__name__)
        said = json_or_text(answer.content)
        if answer.status_code != httpx.codes.OK:
            return result_of(answer.status_code, said)
        try:
            given = str(said["messages"][0]["id"])
        except (KeyError, IndexError, TypeError):
            return Unknown("answer not understood")
        # It is kept as a key, by which a status finds the message.
        return Sent(given) if _ID.fullmatch(given) else Unknown("answer not understood: no id")

    def _address(self, told: httpx.Response) -> httpx.URL:
        """Give where the bytes of a medium are; only a server as trusted as the API gets the token."""
        if told.status_code != httpx.codes.OK:
            raise _no_medium(told.status_code)
        said = json_or_text(told.content)
        url = said.get("url") if isinstance(said, dict) else None
        size = said.get("file_size") if isinstance(said, dict) else None
        if isinstance(size, int) and size > MEDIUM_MAX:
            raise MediumGoneError("larger than 20 MB")
        try:
            address = httpx.URL(url if isinstance(url, str) else "")
        except (httpx.InvalidURL, UnicodeError):
            address = httpx.URL("")
        if address.scheme != httpx.URL(self._base).scheme or (address.port or 0) > PORT_MAX:
            raise PlatformRefusedError("WhatsApp named no address for the medium")
        return address


def _interactive(kind: str, text: str, action: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def _row(choice: OutboundChoice) -> Mapping[str, Any]:
    row = {"id": choice.id, "title": shortened_to(choice.label, ROW_MAX, "utf-16")}
    if row["title"] != choice.label:
        row["description"] = shortened_to(choice.label, ROW_MORE_MAX, "utf-16")
    return row


def _no_medium(status: int) -> Exception:
    # WhatsApp keeps what residents send for seven days.
    return (
        MediumGoneError("WhatsApp has it no longer")
        if status in _MEDIUM_GONE
        else PlatformRefusedError(f"WhatsApp gave no medium: HTTP {status}")
    )
