"""The codes of WeChat's interface, and what each means for a message.

https://developers.weixin.qq.com/doc/service/en/api/customer/message/api_sendcustommessage.html
"""

from datetime import timedelta
from typing import Final

from channels.results import (
    Blocked,
    NeedsPerson,
    QuotaExhausted,
    RetryAfter,
    SendResult,
    Sent,
    TooLong,
    WindowClosed,
)

SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
MUCH_LATER: Final = timedelta(minutes=10)
BUSY: Final = -1
# Refused tokens: wrong, invalid, expired.
TOKEN_REFUSED: Final = frozenset({40001, 40014, 42001})
MEDIUM_GONE: Final = frozenset({40007, 40004})


def alarm(code: int, meaning: str, delay: timedelta = LATER) -> RetryAfter:
    """Let everything wait until an administrator has mended it."""
    return RetryAfter(delay, "account", f"{code}: {meaning}")


# What only an administrator can mend: messages wait, since it may be mended within the window.
ALARMS: Final[dict[int, RetryAfter]] = {
    code: alarm(code, meaning, delay)
    for code, meaning, delay in (
        (40013, "the app id is wrong", LATER),
        (40125, "the secret is wrong", LATER),
        (40164, "the address of this server is not in the account's list", LATER),
        (45009, "the account's calls of the day are used up", MUCH_LATER),
        (45011, "too many calls a minute", LATER),
        (48001, "the account may not send messages of customer service", LATER),
        (48004, "the interface is blocked for this account", MUCH_LATER),
    )
}
RESULTS: Final[dict[int, SendResult]] = {
    **ALARMS,
    BUSY: RetryAfter(SOON, "message", f"{BUSY}: the platform is busy"),
    40001: alarm(40001, "a new token is refused too"),
    40014: alarm(40014, "a new token is refused too"),
    42001: alarm(42001, "a new token is refused too"),
    40003: Blocked("40003: nobody has this openid"),
    43004: Blocked("43004: does not follow the account"),
    50005: Blocked("50005: does not follow the account"),
    48002: Blocked("48002: takes no messages"),
    45002: TooLong(),
    45015: WindowClosed(),
    45047: QuotaExhausted(),
    # It was sent already.
    45065: Sent(""),
    41001: NeedsPerson("41001: no token was given"),
}
