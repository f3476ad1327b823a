"""WhatsApp's error codes, and what each means for a message. Pure.

Codes and names are Meta's (https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes);
what to do about each is ours. Errors come back with the request or later, in a status "failed"; some come both ways.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from channels.results import (
    NeedsPerson,
    RetryAfter,
    SendResult,
    TooLong,
    Unknown,
    WindowClosed,
)
from store.outbox import OutboxStatus

# A pair of numbers may go on after about six seconds, says the message of 131056.
PAIR: Final = timedelta(seconds=6)
SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
# What only Meta or an administrator ends.
LONG: Final = timedelta(minutes=5)

UNDELIVERABLE: Final = 131026
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER: Final = 500
_REFUSED: Final = frozenset({401, 403})
# Permissions of the app and the token: 200 to 299 (Graph API, "API Permission").
_PERMISSIONS: Final = range(200, 300)
_TEMPLATES: Final = range(132_000, 133_000)
_REGISTRATION: Final = range(133_000, 134_000)

_ENDINGS: Final[Mapping[int, SendResult]] = {
    # The window, or the resident's app: "not a WhatsApp phone number", terms of service not accepted, a version that is
    # too old. Whoever wrote to us has WhatsApp, and the rest is over when they write again: nobody has left.
    131047: WindowClosed(),
    470: WindowClosed(),
    UNDELIVERABLE: WindowClosed(),
    131021: NeedsPerson("131021 recipient is the sender"),
    131030: NeedsPerson("131030 recipient not in the test list"),
    130497: NeedsPerson("130497 country not allowed"),
    130472: NeedsPerson("130472 held back by an experiment"),
    131049: NeedsPerson("131049 held back by WhatsApp"),
    131050: NeedsPerson("131050 resident wants no marketing"),
    # The pace.
    131056: RetryAfter(PAIR, "chat", "131056 too many to one person"),
    130429: RetryAfter(SOON, "account", "130429 too many in all"),
    80007: RetryAfter(LATER, "account", "80007 too many for the account"),
    4: RetryAfter(LATER, "account", "4 too many calls of the app"),
    131048: RetryAfter(LONG, "account", "131048 held back as spam"),
    131064: RetryAfter(LONG, "account", "131064 limit of the number reached"),
    # The server, which says that it did not take the message.
    2: RetryAfter(SOON, "account", "2 service not available"),
    131016: RetryAfter(SOON, "account", "131016 service not available"),
    131057: RetryAfter(LATER, "account", "131057 account in maintenance"),
    133004: RetryAfter(SOON, "account", "133004 server not available"),
    # The set-up: nothing goes until an administrator or Meta mends it, and then everything does.
    190: RetryAfter(LATER, "account", "190 token refused"),
    0: RetryAfter(LATER, "account", "0 token refused"),
    3: RetryAfter(LATER, "account", "3 permission missing"),
    10: RetryAfter(LATER, "account", "10 permission missing"),
    131005: RetryAfter(LATER, "account", "131005 permission missing"),
    131031: RetryAfter(LONG, "account", "131031 account locked"),
    368: RetryAfter(LONG, "account", "368 account blocked for its policy"),
    131045: RetryAfter(LONG, "account", "131045 number not registered"),
    131037: RetryAfter(LONG, "account", "131037 name of the number not approved"),
    131042: NeedsPerson("131042 payment"),
    # The message: our fault, or a rule that changed.
    33: NeedsPerson("33 number unknown"),
    100: NeedsPerson("100 parameter"),
    131008: NeedsPerson("131008 parameter missing"),
    131009: NeedsPerson("131009 parameter"),
    131051: NeedsPerson("131051 kind not supported"),
    135000: NeedsPerson("135000 parameter"),
    # Nobody knows.
    1: Unknown("1 unknown error"),
    131000: Unknown("131000 unknown error"),
}


def result_of(status: int, body: Any) -> SendResult:
    """Give what an answer with an error means. Reasons name the code and quote nothing."""
    found = body.get("error") if isinstance(body, dict) else None
    error: dict[str, Any] = found if isinstance(found, dict) else {}
    code = error.get("code")
    if type(code) is int:
        return result_of_code(code, status=status, said=_said(error))
    if status == _TOO_MANY:
        return RetryAfter(LATER, "account", f"HTTP {status}")
    if status in _REFUSED or status == _NOT_FOUND:
        return RetryAfter(LATER, "account", f"HTTP {status}")
    return Unknown(f"HTTP {status} without an error code")


def result_of_code(code: int, *, status: int = 400, said: str = "") -> SendResult:
    """Give what a code means; `said` is the platform's text, looked at only for a length."""
    if code in _ENDINGS:
        # The length is told as a wrong parameter ("Param text['body'] must be at most 4096 characters long.").
        return TooLong() if code in {100, 131009} and "must be at most" in said else _ENDINGS[code]
    if code in _TEMPLATES:
        return NeedsPerson(f"{code} template")
    if code in _REGISTRATION:
        return RetryAfter(LONG, "account", f"{code} registration of the number")
    if code in _PERMISSIONS or status in _REFUSED:
        return RetryAfter(LATER, "account", f"{code} permission missing")
    if status == _TOO_MANY:
        return RetryAfter(LATER, "account", f"{code} too many")
    return Unknown(f"{code} unknown") if status >= _SERVER else NeedsPerson(f"{code} unknown")


def failed(errors: Any) -> tuple[OutboxStatus, str]:
    """Give how a message is to stand that was taken and failed later, and the reason for staff.

    Here the platform is sure that it did not arrive, so what may pass is tried again.
    """
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    if type(code) is not int:
        return OutboxStatus.NEEDS_PERSON, "failed without a code"
    match result_of_code(code):
        case WindowClosed():
            return OutboxStatus.WINDOW_CLOSED, f"{code} {'undeliverable' if code == UNDELIVERABLE else 'window over'}"
        case RetryAfter(_, _, reason) | Unknown(reason):
            return OutboxStatus.QUEUED, reason
        case NeedsPerson(reason):
            return OutboxStatus.NEEDS_PERSON, reason
        case _:
            return OutboxStatus.NEEDS_PERSON, str(code)


def _said(error: Mapping[str, Any]) -> str:
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else ""
    return f"{error.get('message')} {details}"
