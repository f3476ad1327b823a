"""How sending can end: a closed set, in which every platform's answers find their place."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it; `id` is the platform's own."""

    id: str


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not sent, and known not to be: try again after `delay`; `scope` is what has to wait meanwhile."""

    delay: timedelta
    scope: Literal["message", "chat", "account"]
    reason: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The resident cannot be reached any more: blocked, deactivated, chat gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The platform lets us write only for a while after the resident did, and that is over."""


@dataclass(frozen=True, slots=True)
class QuotaExhausted:
    """The platform lets us write only so many messages, and they are used up."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """The platform found the text too long, whatever we counted."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it arrived. Never repeated by itself; staff see it."""

    reason: str


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """The platform refuses it for good, for a reason in the message or in our set-up; staff see it."""

    reason: str


SendResult = Sent | RetryAfter | Blocked | WindowClosed | QuotaExhausted | TooLong | Unknown | NeedsPerson
