"""The access token of an account: one for all processes, fetched by one of them, replaced once when it is refused."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from channels.results import RetryAfter, SendResult
from store import access_tokens
from store.access_tokens import StoredToken
from store.database import Database

# A token is replaced so long before it ends; for as long the platform takes the old one beside the new one.
EARLY: Final = timedelta(minutes=5)
# Longer than fetching may take: after it, whoever fetched is taken for dead.
LEASE: Final = timedelta(seconds=30)
SOON: Final = timedelta(seconds=1)
# Tokens of WeChat and WeCom last so long; what is said to last longer is asked for again then.
LONGEST: Final = timedelta(hours=2)
# It goes into addresses and into the database: plain characters, and more of them than any platform gives.
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,2048}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A token as a platform gave it."""

    token: str
    lasts: timedelta


def fetched(token: Any, seconds: Any) -> Fetched | None:
    """Give a token from what a platform said, its life bounded; None where that is no token."""
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None or type(seconds) is not int:
        return None
    return Fetched(token, timedelta(seconds=min(max(seconds, 0), int(LONGEST.total_seconds()))))


class NoTokenError(Exception):
    """There is no token now; `result` says how sending ends because of it."""

    def __init__(self, result: SendResult) -> None:
        """End sending with `result`."""
        super().__init__(result)
        self.result = result


class AccessToken:
    """The token of one account, kept in the database. `fetch` asks the platform for a new one."""

    def __init__(
        self,
        database: Database,
        *,
        channel: str,
        account: str,
        fetch: Callable[[], Awaitable[Fetched | SendResult]],
        clock: Callable[[], datetime],
    ) -> None:
        """Prepare; nothing is asked of the network or the database yet."""
        self._database = database
        self._channel = channel
        self._account = account
        self._fetch = fetch
        self._clock = clock
        # One task of this process fetches; the others find what it stored.
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Give a token that is good now, fetching one where there is none. Raises NoTokenError."""
        stored = await self._read()
        if stored is not None and stored.expires_at > self._clock() + EARLY:
            return stored.token
        async with self._lock:
            return await self._renewed()

    async def replace(self, refused: str) -> str:
        """Give another token than one that the platform refused. Raises NoTokenError.

        Where many calls are refused at once, the first fetches and all others get what it fetched.
        """
        async with self._database.begin() as connection:
            await access_tokens.refuse(
                connection, channel=self._channel, account=self._account, token=refused, now=self._clock()
            )
        return await self.get()

    async def _renewed(self) -> str:
        stored = await self._read()
        now = self._clock()
        if stored is not None and stored.expires_at > now + EARLY:
            return stored.token
        async with self._database.begin() as connection:
            ours = await access_tokens.claim(
                connection, channel=self._channel, account=self._account, lease_for=LEASE, now=now
            )
            if ours:
                # Read again now that nobody else fetches: another process may have done so a moment ago.
                stored = await access_tokens.read(connection, channel=self._channel, account=self._account)
                if stored is not None and stored.expires_at > now + EARLY:
                    await access_tokens.give_up(connection, channel=self._channel, account=self._account)
                    return stored.token
        if not ours:
            if stored is not None and stored.expires_at > now:
                return stored.token
            raise NoTokenError(RetryAfter(SOON, "account", "the token is being fetched"))
        given = await self._fetch()
        now = self._clock()
        async with self._database.begin() as connection:
            if isinstance(given, Fetched):
                await access_tokens.keep(
                    connection,
                    channel=self._channel,
                    account=self._account,
                    token=given.token,
                    expires_at=now + given.lasts,
                    now=now,
                )
                return given.token
            await access_tokens.give_up(connection, channel=self._channel, account=self._account)
        if stored is not None and stored.expires_at > now:
            # Asked for early, and not to be had: the old one is good for minutes more.
            return stored.token
        raise NoTokenError(given)

    async def _read(self) -> StoredToken | None:
        async with self._database.read() as connection:
            return await access_tokens.read(connection, channel=self._channel, account=self._account)
