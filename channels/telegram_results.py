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

from channels.results import Blocked, NeedsPerson, RetryAfter, SendResult, TooLong, Unknown

SOON: Final = timedelta(seconds=3)
LATER: Final = timedelta(seconds=60)
# Nothing was sent when these happened: the request never reached the server.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNREACHABLE: Final = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was blocked")


def result_of(error: TelegramError) -> SendResult:
    """Give what an error of the library means for a message.

    BadRequest and TimedOut are kinds of NetworkError there, so the order of the cases matters.
    """
    said = error.message.lower()
    match error:
        case FloodError():
            # In a private chat the server names the wait of that chat; other chats go on.
            delay = error.retry_after
            seconds = delay if isinstance(delay, timedelta) else timedelta(seconds=delay)
            return RetryAfter(seconds, "chat", "too many requests")
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


def _network_result(error: TelegramError) -> SendResult:
    if isinstance(error.__cause__, _NEVER_SENT):
        return RetryAfter(SOON, "account", "no connection")
    if isinstance(error, TimedOut) and "pool timeout" in error.message.lower():
        return RetryAfter(SOON, "message", "all connections in use")
    return Unknown(error.message or type(error).__name__)
