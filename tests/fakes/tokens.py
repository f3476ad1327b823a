"""A token kept in memory, for tests of what uses one without a database."""

from collections.abc import Awaitable, Callable

from channels.access import Fetched, NoTokenError
from channels.results import SendResult


class MemoryTokens:
    """Fetches a token when there is none, and again when one is refused."""

    def __init__(self, fetch: Callable[[], Awaitable[Fetched | SendResult]]) -> None:
        self._fetch = fetch
        self.token = ""

    async def get(self) -> str:
        if not self.token:
            fetched = await self._fetch()
            if not isinstance(fetched, Fetched):
                raise NoTokenError(fetched)
            self.token = fetched.token
        return self.token

    async def replace(self, refused: str) -> str:
        if self.token == refused:
            self.token = ""
        return await self.get()
