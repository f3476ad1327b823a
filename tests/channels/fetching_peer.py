"""What the peers have in common who fetch by themselves: nothing is sent to them, and nothing of theirs is fetched."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from channels.adapter import Call, CalledSource
from tests.channels.peer import Trouble


class FetchingPeer(ABC):
    """Posts what comes in to routes of its own."""

    echo = ""

    @abstractmethod
    def source(self) -> CalledSource:
        """Make what its requests are read with."""

    def fetched(self) -> Sequence[Any]:
        return ()

    def check(self) -> Call | None:
        return None

    def connect(self) -> AbstractAsyncContextManager[CalledSource]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledSource]:
        yield self.source()

    def thread_for(self, trouble: Trouble) -> str | None:  # noqa: ARG002 - nothing is sent
        return None

    def sent(self) -> Sequence[Any]:
        return ()
