"""What Schemathesis has to be told beside a description: runs where it is installed, and needs nothing of ours.

`PEERS_SECRET`, where it is set, signs each request as the text of the bridge's description says.
"""

import hashlib
import hmac
import os
import time
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase

SECRET = os.environ.get("PEERS_SECRET", "").encode()
LONGEST_WAIT = 25
NAMES = {"X-Sportello-Time", "X-Sportello-Signature"}


class Signed(AuthBase):
    """Signs the very bytes that are sent."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set both headers."""
        now = f"{time.time():.6f}"
        address = urlsplit(request.url or "")
        target = address.path + (f"?{address.query}" if address.query else "")
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        text = f"{now}\n{request.method} {target}\n".encode() + content
        signature = hmac.new(SECRET, text, hashlib.sha256).hexdigest()
        request.headers["X-Sportello-Time"] = now
        request.headers["X-Sportello-Signature"] = f"sha256={signature}"
        return request


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Wait for nothing, where a wait would be long and is allowed; sign, where there is something to sign with."""
    if case.path.endswith("/outbox") and case.method.upper() == "GET":
        query = dict(case.query or {})
        try:
            waits = 0 <= float(query.get("wait", LONGEST_WAIT)) <= LONGEST_WAIT
        except (TypeError, ValueError):
            waits = False
        if waits:
            case.query = query | {"wait": 0}
    # A request without the headers is to be refused for that.
    if SECRET and set(case.headers or {}) >= NAMES:
        kwargs["auth"] = Signed()
