"""What the one suite for all platforms needs to know of each: how it calls us, and how it can misbehave."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import httpx

from channels.adapter import Call, CalledAdapter, CalledSource


class Trouble(StrEnum):
    """What can happen to a message that we send."""

    NONE = "sent"
    THROTTLED = "throttled"
    BLOCKED = "blocked"
    WINDOW_CLOSED = "window closed"
    QUOTA_EXHAUSTED = "quota exhausted"
    TOO_LONG = "too long"
    TIME_OUT = "time-out"
    SERVER_ERROR = "5xx"
    GARBAGE = "garbage with status 200"
    NO_CONNECTION = "no connection"
    REFUSED = "refused for good"
    # Only told afterwards, by a call: the message was taken, and did not arrive.
    TOLD_LATER = "taken, and told to be undeliverable later"


class Peer(Protocol):
    """The other side of one adapter: a fake platform on loopback, and the requests that it makes."""

    name: str

    def text(self, text: str, *, event: int, thread: str) -> Call:
        """Make the authentic request with which a resident's text arrives."""

    def forged(self) -> Sequence[Call]:
        """Make requests that look right and are not the platform's: each must be rejected."""

    def replayed(self) -> Call | None:
        """Make an authentic request seen too long ago to be believed; None where the platform signs no time."""

    def malformed(self) -> Sequence[Call]:
        """Make authentic requests that nobody can read: each is set aside, and answered as stored.

        Who fetches by itself may be told with a status of 400 to 499 instead: see `tests.channels.handed_over`.
        """

    def unknown(self) -> Call | None:
        """Make an authentic request of a kind that nobody knows yet: stored as nothing, and answered.

        None where the format is ours, and every kind is known.
        """

    def fetched(self) -> Sequence[Any]:
        """Give readable payloads that are fetched and not posted; empty where everything is posted."""

    def carrying(self, payload: Any) -> Call | None:
        """Make the authentic request that brings any payload to routes which store by themselves.

        None where `channels.receiving` stores what comes.
        """

    @property
    def echo(self) -> str:
        """Give what the platform wants to read when it checks an address."""

    def check(self) -> Call | None:
        """Make the authentic request with which an address is checked; None where nobody checks one."""

    def connect(self) -> AbstractAsyncContextManager[CalledAdapter | CalledSource]:
        """Give the adapter, connected to a fresh fake platform, with time-outs of a fraction of a second.

        Where the platform waits for a first reply, `capabilities.passive` is as short: no turn is taken here.
        """

    def thread_for(self, trouble: Trouble) -> str | None:
        """Make the next message to the chat given end so; None where this platform has no such trouble."""

    def told_later(self) -> Call | None:
        """Make the call that tells what became of the message of `Trouble.TOLD_LATER`; None where none is made."""

    def sent(self) -> Sequence[Any]:
        """Give what the fake platform took."""


@runtime_checkable
class TakingPeer(Protocol):
    """The other side of who fetches by themselves: what is sent to others, they take."""

    async def takes(self, web: httpx.AsyncClient) -> int:
        """Fetch until nothing is left, and say how each ended, as the trouble has it; gives how many were taken."""
