"""What the errors of Telegram's library mean for a message. Pure."""

from datetime import timedelta
from typing import Final

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)
from telegram.error import (
    RetryAfter as FloodError,
)

from channels.receiving import storable
from channels.results import Blocked, NeedsPerson, RetryAfter, SendResult, TooLong, Unknown

SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
# Longer than any wait that a server names; a longer one is asked again then.
LONGEST: Final = timedelta(days=1)
# Nothing was sent when these happened: the request never reached the server.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNREACHABLE: Final = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was blocked")


def result_of(error: TelegramError) -> SendResult:
    """Give what an error of the library means for a message.

    BadRequest and TimedOut are kinds of NetworkError there, so the order of the cases matters.
    """
    said = storable(error.message.lower())
    match error:
        case FloodError():
            # In a private chat the server names the wait of that chat; other chats go on.
            return RetryAfter(_wait(error.retry_after), "chat", "too many requests")
        case Forbidden():
            return Blocked(said)
        case ChatMigrated():
            return Blocked("the chat has moved")
        case BadRequest():
            if any(sign in said for sign in _UNREACHABLE):
                return Blocked(said)
            return TooLong() if "too long" in said else NeedsPerson(said)
        case InvalidToken() | Conflict():
            return RetryAfter(LATER, "account", said)
        case TimedOut() | NetworkError():
            return _network_result(error)
        case _:
            return Unknown(said)


def _wait(named: object) -> timedelta:
    """Give the wait that a server named, bounded: the library looks at nothing but whether there is one."""
    if not isinstance(named, timedelta):
        try:
            named = timedelta(seconds=named) if isinstance(named, int | float) else SOON
        except (OverflowError, ValueError):
            named = LONGEST
    return min(max(named, timedelta()), LONGEST)


def _network_result(error: TelegramError) -> SendResult:
    if isinstance(error.__cause__, _NEVER_SENT):
        return RetryAfter(SOON, "account", "no connection")
    if isinstance(error, TimedOut) and "pool timeout" in error.message.lower():
        return RetryAfter(SOON, "message", "all connections in use")
    return Unknown(storable(error.message) or type(error).__name__)
