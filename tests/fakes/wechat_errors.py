"""How the fake of WeChat's interface says no."""

import json

from starlette.responses import Response

ERRORS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40125: "invalid appsecret",
    40164: "invalid ip 192.0.2.1, not in whitelist",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit mustslower retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "no message in the last 30 seconds",
    45081: "typing is shown already",
}


class Refusal(Response):
    """An error as the platform gives it: with status 200."""

    def __init__(self, code: int) -> None:
        self.code = code
        content = json.dumps({"errcode": code, "errmsg": ERRORS.get(code, "error")})
        # Not always called JSON: some of the platform's errors are text by their header.
        super().__init__(content, media_type="application/json" if code % 2 else "text/plain")


def error(code: int) -> Response:
    """Give an error."""
    return Refusal(code)
