"""Protection of requests: security headers, refusal of cross-site posts, bounded bodies, signed values."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing from elsewhere, nothing inline (https://www.w3.org/TR/CSP3/).
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What monitors and link checkers ask with; FastAPI answers HEAD only where it is named.
LOOKED_AT: Final = ["GET", "HEAD"]
UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FORM_MAX_BYTES: Final = 256 * 1024


class Signer:
    """Signs what is given to browsers, and makes keys of what must not be stored as it is."""

    def __init__(self, secret: str) -> None:
        """Use the installation's secret."""
        self._secret = secret.encode()
        self._serializer = URLSafeSerializer(secret, salt="sportello.cookie")

    def sign(self, value: str) -> str:
        """Give a value with its signature, fit for a cookie."""
        return str(self._serializer.dumps(value))

    def read(self, signed: str | None) -> str | None:
        """Give the value of a signed text, or None where it was not signed by us."""
        if not signed:
            return None
        try:
            value: Any = self._serializer.loads(signed)
        except BadSignature:
            return None
        return value if isinstance(value, str) else None

    def keyed(self, purpose: str, value: str) -> str:
        """Give a hash of a value that nobody without the secret can make, different for every purpose."""
        message = f"{purpose}\0{value}".encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


class Protection:
    """ASGI middleware around the whole program. What other programs call is left to its own verification."""

    def __init__(
        self,
        app: ASGIApp,
        refusal: Callable[[Request, int], Awaitable[Response]],
        *,
        secure: bool,
        exempt: tuple[str, ...] = ("/webhooks/", "/gateways/", "/bridge/"),
    ) -> None:
        """Wrap `app`; `refusal` makes the answer of a status, and `secure` says that the public address is https."""
        self._app = app
        self._refusal = refusal
        self._secure = secure
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] in UNSAFE_METHODS and not scope["path"].startswith(self._exempt):
            headers = Headers(scope=scope)
            if _is_cross_site(headers):
                await self._refuse(403, scope, receive, send_with_headers)
                return
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > FORM_MAX_BYTES:
                await self._refuse(413, scope, receive, send_with_headers)
                return
        await self._app(scope, receive, send_with_headers)

    async def _refuse(self, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._refusal(Request(scope), status)
        await response(scope, receive, send)


def _is_cross_site(headers: Headers) -> bool:
    """Tell whether a browser says that a request was made by another site.

    Sec-Fetch-Site is sent by every current browser (Fetch Metadata, W3C); Origin by the older ones.
    A client that sends neither is no browser, and carries no cookie by accident.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
