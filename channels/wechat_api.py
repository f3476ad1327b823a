"""WeChat's interface for what we send and fetch (api.weixin.qq.com), with httpx.

The library's own client is not used: it repeats a refused token for ever, sends empty files at the second try, and
waits without end (docs/decisions/0032-own-wechat-client.md). Here: one refresh and one repetition, never more.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
import structlog

from channels.access import Fetched, NoTokenError, fetched
from channels.adapter import Medium, MediumGoneError, PlatformRefusedError
from channels.authorities import authorities
from channels.receiving import storable
from channels.results import NeedsPerson, RetryAfter, SendResult, Sent, Unknown
from channels.wechat_codes import ALARMS, BUSY, LATER, MEDIUM_GONE, RESULTS, SOON, TOKEN_REFUSED, alarm
from store.database import TROUBLES
from web.outgoing import WATCHED

log = structlog.get_logger(__name__)

TOKEN_PATH: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
SEND_PATH: Final = "/cgi-bin/message/custom/send"
TYPING_PATH: Final = "/cgi-bin/message/custom/typing"
MENU_PATH: Final = "/cgi-bin/menu/create"
MEDIA_PATH: Final = "/cgi-bin/media/get"
CONNECT_SECONDS: Final = 5.0
# With a token to fetch twice, a call and its repetition, this stays below the lease of a delivery (90 seconds).
READ_SECONDS: Final = 8.0
# In bytes. A resident's video has 10 MB at most (general knowledge), so this is never too little.
MEDIUM_MAX: Final = 20 * 1024 * 1024
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout)
# Videos are not given as bytes but as an address, which is to be one of Tencent's.
_VIDEO_HOST: Final = ".qq.com"


class Tokens(Protocol):
    """Where the token is kept: `channels.access.AccessToken`."""

    async def get(self) -> str:
        """Give a token that is good now. Raises NoTokenError."""

    async def replace(self, refused: str) -> str:
        """Give another token than one that was refused. Raises NoTokenError."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What the platform said: its code, 0 where all is well, and the fields or bytes that came with it."""

    code: int
    fields: Mapping[str, Any]
    medium: Medium | None = None


class WeChatApi:
    """The interface for one account."""

    def __init__(self, app_id: str, secret: str, base: str, *, read_seconds: float = READ_SECONDS) -> None:
        """Prepare connections; nothing is asked of the network yet."""
        self._app_id = app_id
        self._secret = secret
        self._base = base.rstrip("/")
        self._refused = ""
        self._client = httpx.AsyncClient(
            verify=authorities(),
            event_hooks=WATCHED,
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # --- tokens ------------------------------------------------------------------------------------

    async def fetch_token(self) -> Fetched | SendResult:
        """Ask for the token in force; where that was refused before, for a new one.

        https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html: asking does not end other
        tokens; forcing is allowed 20 times a day, so it is done only where asking gives what was refused.
        """
        given = await self._token(force=False)
        if isinstance(given, Fetched) and given.token == self._refused:
            return await self._token(force=True)
        return given

    async def _token(self, *, force: bool) -> Fetched | SendResult:
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        answered = await self._post(TOKEN_PATH, {**asked, "force_refresh": force}, {})
        if not isinstance(answered, Answered):
            # Asking again does no harm, whatever became of the first time.
            return RetryAfter(SOON, "account", f"no token: {_reason(answered)}")
        if answered.code == BUSY:
            return RESULTS[BUSY]
        if answered.code:
            # Here 40001 says that the secret is wrong, and not a token.
            return _told(
                ALARMS.get(answered.code) or alarm(answered.code, "no token is given for this app id and secret")
            )
        given = fetched(answered.fields.get("access_token"), answered.fields.get("expires_in"))
        return RetryAfter(SOON, "account", "no token: answer not understood") if given is None else given

    async def _with_token(
        self, tokens: Tokens, ask: Callable[[str], Awaitable[Answered | SendResult]]
    ) -> Answered | SendResult:
        """Ask with a token; where it is refused, once more with a new one, and never a third time."""
        try:
            token = await tokens.get()
            answered = await ask(token)
            if isinstance(answered, Answered) and answered.code in TOKEN_REFUSED:
                self._refused = token
                answered = await ask(await tokens.replace(token))
        except NoTokenError as error:
            return error.result
        except TROUBLES as error:
            # Before anything was sent: the tokens are in the database.
            return RetryAfter(SOON, "message", f"no token: {type(error).__name__}")
        return answered

    # --- sending -----------------------------------------------------------------------------------

    async def send_text(self, tokens: Tokens, openid: str, text: str) -> SendResult:
        """Send a text as a message of customer service. Gives `Sent("")`: the platform names no id."""
        message = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        answered = await self._with_token(tokens, lambda token: self._post(SEND_PATH, message, {"access_token": token}))
        if not isinstance(answered, Answered):
            return answered
        if not answered.code:
            return Sent("")
        return _told(RESULTS.get(answered.code, NeedsPerson(f"the platform refuses it: {answered.code}")))

    async def show_typing(self, tokens: Tokens, openid: str) -> None:
        """Show for some seconds that an answer is being written; whatever the platform says to it is nobody's trouble.

        https://developers.weixin.qq.com/doc/service/en/api/customer/message/api_typing.html: only where something was
        written within 30 seconds (45080), not while it is shown already (45081). It is no message, and costs none.
        """
        asked = {"touser": openid, "command": "Typing"}
        answered = await self._with_token(tokens, lambda token: self._post(TYPING_PATH, asked, {"access_token": token}))
        if not (isinstance(answered, Answered) and answered.code == 0):
            log.info("wechat_typing_not_shown", reason=_reason(answered))

    async def set_menu(self, tokens: Tokens, menu: Mapping[str, Any]) -> None:
        """Set the account's menu, in place of whatever there was. Raises PlatformRefusedError.

        https://developers.weixin.qq.com/doc/service/en/api/custommenu/api_createcustommenu.html
        """
        answered = await self._with_token(tokens, lambda token: self._post(MENU_PATH, menu, {"access_token": token}))
        if not (isinstance(answered, Answered) and answered.code == 0):
            raise PlatformRefusedError(_reason(answered))

    async def _post(self, path: str, body: Mapping[str, Any], query: Mapping[str, str]) -> Answered | SendResult:
        # Letters as they are: written as \u escapes, the platform has shown them so.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            answer = await self._client.post(self._base + path, params=query, content=content, headers=headers)
        except httpx.HTTPError as error:
            return result_of(error)
        return _read(answer.status_code, answer.content)

    # --- media -------------------------------------------------------------------------------------

    async def medium(self, tokens: Tokens, media_id: str) -> Medium:
        """Fetch what a resident sent; the platform keeps it for three days.

        Raises MediumGoneError, or PlatformRefusedError for a passing trouble.
        """
        address = self._base + MEDIA_PATH
        answered = await self._with_token(
            tokens, lambda token: self._get(address, {"access_token": token, "media_id": media_id})
        )
        if isinstance(answered, Answered) and (video := answered.fields.get("video_url")):
            answered = await self._get(self._video_address(str(video)), {})
        if not isinstance(answered, Answered):
            raise PlatformRefusedError(_reason(answered))
        if answered.medium is not None:
            return answered.medium
        if answered.code in MEDIUM_GONE:
            raise MediumGoneError("the platform keeps media for three days")
        raise PlatformRefusedError(f"the platform does not give it: {answered.code}")

    def _video_address(self, address: str) -> str:
        """Give the address of a video, if it is one of the platform's own. Raises PlatformRefusedError."""
        ours = urlsplit(self._base)
        try:
            httpx.URL(address)
            parts = urlsplit(address)
        except (httpx.InvalidURL, ValueError) as error:
            raise PlatformRefusedError("the video is kept at an address that is none") from error
        known = (parts.hostname or "").endswith(_VIDEO_HOST) or parts.netloc == ours.netloc
        if parts.scheme not in {"http", "https"} or not known:
            raise PlatformRefusedError("the video is kept at an address that is not the platform's")
        return address

    async def _get(self, address: str, query: Mapping[str, str]) -> Answered | SendResult:
        """Get bytes up to a bound. Errors come with status 200 too, as text or JSON. Raises MediumGoneError."""
        content = bytearray()
        try:
            async with self._client.stream("GET", address, params=query or None) as answer:
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MEDIUM_MAX:
                        raise MediumGoneError("it is larger than can be fetched", too_large=True)
        except httpx.HTTPError as error:
            return result_of(error)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if (
            answer.status_code != httpx.codes.OK
            or media_type in {"", "application/json"}
            or media_type.startswith("text/")
        ):
            return _read(answer.status_code, bytes(content), codes_wanted=False)
        return Answered(0, {}, Medium(media_type, bytes(content)))


def _reason(answered: Answered | SendResult) -> str:
    """Say why something was not done."""
    if isinstance(answered, Answered):
        known = RESULTS.get(answered.code)
        return getattr(known, "reason", "") or storable(f"{answered.code}: {answered.fields.get('errmsg', '')}")
    return getattr(answered, "reason", type(answered).__name__)


def _told(result: SendResult) -> SendResult:
    """Give a result, and log it where an administrator has to do something."""
    if isinstance(result, RetryAfter) and result.scope == "account":
        log.error("wechat_refuses", reason=result.reason)
    return result


def _read(status: int, content: bytes, *, codes_wanted: bool = True) -> Answered | SendResult:
    """Read an answer: a JSON object, whose `errcode` counts and not the status, which is 200 for errors as well."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryAfter(LATER, "account", "HTTP 429")
    if httpx.codes.BAD_REQUEST <= status < httpx.codes.INTERNAL_SERVER_ERROR:
        # Another server than the platform's answers so: a wrong address in the settings, a proxy.
        return RetryAfter(LATER, "account", f"HTTP {status}")
    if status != httpx.codes.OK:
        return Unknown(f"HTTP {status}")
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return Unknown("answer not understood: no JSON")
    if not isinstance(fields, dict):
        return Unknown("answer not understood: no object")
    code = fields.get("errcode")
    if code is None and ("access_token" in fields or not codes_wanted):
        code = 0
    if type(code) is not int:
        return Unknown("answer not understood: no errcode")
    return Answered(code, fields)


def result_of(error: httpx.HTTPError) -> SendResult:
    """Give what an error of the network means for a message: sent, not sent, or nobody knows."""
    if isinstance(error, _NEVER_SENT):
        return RetryAfter(SOON, "account", "no connection")
    if isinstance(error, httpx.PoolTimeout):
        return RetryAfter(SOON, "message", "all connections in use")
    return Unknown(f"no answer: {type(error).__name__}")
