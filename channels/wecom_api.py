"""The interface of WeCom's servers (https://developer.work.weixin.qq.com/document/path/90664): calls with a token."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import httpx

from channels.access import Fetched, NoTokenError, fetched
from channels.adapter import Medium, MediumGoneError, PlatformRefusedError
from channels.authorities import authorities
from channels.payloads import json_or_text
from channels.results import (
    Blocked,
    NeedsPerson,
    QuotaExhausted,
    RetryAfter,
    SendResult,
    TooLong,
    Unknown,
    WindowClosed,
)
from web.outgoing import WATCHED

CONNECT_SECONDS: Final = 5.0
# With a token to fetch twice, and a session to ask for and take, this stays below the lease of a delivery (90 seconds).
READ_SECONDS: Final = 8.0
# Files of a customer have at most 20 MB (document/path/94670).
MEDIUM_MAX: Final = 20 * 1024 * 1024
SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)

# Codes of `errcode` (document/path/90313).
BUSY: Final = -1
BAD_PARAMETER: Final = 40058
BAD_MEDIA: Final = 40007
STATE_FORBIDS: Final = 95018
BAD_DOORBELL: Final = 95007
_TOKEN_REFUSED: Final = frozenset({40014, 41001, 42001})
_TOO_OFTEN: Final = frozenset({45009, 45011, 45033})
_NO_SUCH_RESIDENT: Final = frozenset({40003, 40096, 84061})
# What an administrator has to mend; until then everything waits, and nothing is lost.
_SET_UP: Final = {
    40001: "the secret is wrong",
    40013: "the corp id is wrong",
    48002: "the application may not use this interface",
    60020: "the address of this server is not in the list of trusted addresses",
    95000: "the customer service account is wrong",
    95004: "the customer service account does not exist",
    95011: "customer service is run in WeCom itself",
    95012: "customer service is not switched on in WeCom",
    95017: "the interface of customer service is switched off",
}
_ENDINGS: Final[Mapping[int, SendResult]] = {
    BUSY: RetryAfter(SOON, "account", "WeCom is busy"),
    45002: TooLong(),
    95001: QuotaExhausted(),
    95002: WindowClosed(),
    95013: WindowClosed(),
}
# Nothing was sent when these happened: the request never reached the server.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in WeCom's own form; `code` 0 says that it was done."""

    code: int
    said: str
    body: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Tell whether what was asked for was done."""
        return self.code == 0


def result_of(reply: Reply) -> SendResult:
    """Give what a refusal means for a message."""
    if reply.code in _TOO_OFTEN:
        return RetryAfter(LATER, "account", f"too many requests ({reply.code})")
    if reply.code in _SET_UP:
        return RetryAfter(LATER, "account", f"{_SET_UP[reply.code]} ({reply.code})")
    if reply.code in _TOKEN_REFUSED:
        return RetryAfter(LATER, "account", f"the token is refused ({reply.code})")
    if reply.code in _NO_SUCH_RESIDENT:
        return Blocked(f"no such resident ({reply.code})")
    return _ENDINGS.get(reply.code, NeedsPerson(f"refused ({reply.code})"))


class Tokens(Protocol):
    """Where the token is kept: `channels.access.AccessToken`."""

    async def get(self) -> str:
        """Give a token that is good now. Raises NoTokenError."""

    async def replace(self, refused: str) -> str:
        """Give another token than one that was refused. Raises NoTokenError."""


Fetch = Callable[[], Awaitable[Fetched | SendResult]]


class WecomApi:
    """Calls for one corporation. Any number may be made at once; all use one token."""

    def __init__(
        self,
        corp_id: str,
        secret: str,
        base: str,
        kept: Callable[[Fetch], Tokens],
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Prepare for the servers at the address `base`; nothing is asked of the network yet.

        `kept` makes the place where the token is kept, from how to fetch one.
        """
        self._corp_id = corp_id
        self._secret = secret
        self._base = base.rstrip("/") + "/cgi-bin"
        self._client = httpx.AsyncClient(
            verify=authorities(),
            event_hooks=WATCHED,
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
            limits=httpx.Limits(max_connections=32),
        )
        self._token = kept(self._fetch)

    async def call(self, path: str, arguments: Mapping[str, Any]) -> Reply | SendResult:
        """Call an interface; where there was no answer, the result says what that means for a message.

        A refused token is replaced once. Never raises for what a platform can do.
        """

        async def once(token: str) -> httpx.Response:
            return await self._client.post(f"{self._base}/{path}", params={"access_token": token}, json=arguments)

        try:
            answer = await self._with_token(once)
        except NoTokenError as error:
            return error.result
        except httpx.HTTPError as error:
            return _silence(error)
        reply = _reply(answer)
        return Unknown(f"answer not understood (HTTP {answer.status_code})") if reply is None else reply

    async def medium(self, media_id: str) -> Medium:
        """Fetch a temporary medium, kept for three days. Raises MediumGoneError and PlatformRefusedError."""

        async def once(token: str) -> httpx.Response:
            parameters = {"access_token": token, "media_id": media_id}
            async with self._client.stream("GET", f"{self._base}/media/get", params=parameters) as answer:
                return await _bounded(answer)

        try:
            answer = await self._with_token(once)
        except NoTokenError as error:
            raise PlatformRefusedError(getattr(error.result, "reason", "no token")) from error
        except httpx.HTTPError as error:
            raise PlatformRefusedError(f"no answer: {type(error).__name__}") from error
        reply = _reply(answer) if _is_text(answer) else None
        if reply is not None and reply.code == BAD_MEDIA:
            raise MediumGoneError("WeCom keeps media for three days")
        if reply is not None or not answer.is_success:
            raise PlatformRefusedError(f"refused ({reply.code if reply is not None else answer.status_code})")
        return Medium(answer.headers.get("content-type", "application/octet-stream"), answer.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _with_token(self, once: Callable[[str], Awaitable[httpx.Response]]) -> httpx.Response:
        """Ask with the token in force, and once more with another where it was refused."""
        token = await self._token.get()
        answer = await once(token)
        reply = _reply(answer) if _is_text(answer) else None
        if reply is None or reply.code not in _TOKEN_REFUSED:
            return answer
        return await once(await self._token.replace(token))

    async def _fetch(self) -> Fetched | SendResult:
        """Ask for a token (document/path/91039). What prevents it may pass or be mended: messages wait."""
        parameters = {"corpid": self._corp_id, "corpsecret": self._secret}
        try:
            answer = await self._client.get(f"{self._base}/gettoken", params=parameters)
        except httpx.HTTPError as error:
            return RetryAfter(SOON, "account", f"no token: {type(error).__name__}")
        reply = _reply(answer)
        if reply is None:
            return RetryAfter(SOON, "account", f"no token: HTTP {answer.status_code}")
        given = fetched(reply.body.get("access_token"), reply.body.get("expires_in")) if reply.done else None
        if given is None:
            result = result_of(reply)
            return result if isinstance(result, RetryAfter) else RetryAfter(LATER, "account", f"no token: {reply.code}")
        return given


def _reply(answer: httpx.Response) -> Reply | None:
    """Read an answer; None where it is none in WeCom's form. Without `errcode` all is well."""
    body = json_or_text(answer.content)
    if not isinstance(body, dict) or not answer.is_success:
        return None
    code = body.get("errcode", 0)
    return Reply(code, str(body.get("errmsg", "")), body) if type(code) is int else None


def _is_text(answer: httpx.Response) -> bool:
    """Tell an answer in words from a medium: that one comes as a file."""
    kind = answer.headers.get("content-type", "")
    return "content-disposition" not in answer.headers and ("json" in kind or kind.startswith("text/"))


async def _bounded(answer: httpx.Response) -> httpx.Response:
    """Read an answer up to the largest medium. Raises MediumGoneError."""
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MEDIUM_MAX:
            raise MediumGoneError("larger than 20 MB", too_large=True)
    # What was read is decompressed: only what says what it is goes along.
    kept = {name: answer.headers[name] for name in ("content-type", "content-disposition") if name in answer.headers}
    return httpx.Response(answer.status_code, headers=kept, content=bytes(content))


def _silence(error: httpx.HTTPError) -> SendResult:
    """Give what a call without an answer means: known not to be sent, or nobody knows."""
    if isinstance(error, _NEVER_SENT):
        return RetryAfter(SOON, "account", "no connection")
    return Unknown(f"no answer: {type(error).__name__}")
