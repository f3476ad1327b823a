"""What the peers have in common whose fake platform is a server on loopback."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from channels.adapter import Call, CalledAdapter
from tests.channels.peer import Trouble
from tests.fakes.servers import LoopbackServer


class ServedPeer(ABC):
    """Connects an adapter to a fake server, and makes its next message end as it is told."""

    # The chat to which messages go.
    chat: str
    # How long the adapter waits for an answer.
    read_seconds = 1.0
    echo = "5837397576500011341"
    _server: LoopbackServer | None = None

    @abstractmethod
    def app(self) -> ASGIApp:
        """Give the fake's application."""

    @abstractmethod
    def adapter_at(self, url: str) -> CalledAdapter:
        """Make the adapter for the fake at an address, with `read_seconds` as its time-out."""

    @abstractmethod
    def troubles(self) -> Mapping[Trouble, Callable[[], object] | None]:
        """Give what brings each trouble about; None where the platform has no such trouble."""

    def fetched(self) -> Sequence[Any]:
        return ()

    def carrying(self, payload: Any) -> Call | None:  # noqa: ARG002 - stored as everything is
        return None

    def check(self) -> Call | None:
        return None

    def connect(self) -> AbstractAsyncContextManager[CalledAdapter]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledAdapter]:
        with LoopbackServer(self.app()) as server:
            adapter = self.adapter_at(server.url)
            self._server = server
            try:
                yield adapter
            finally:
                await adapter.close()

    def told_later(self) -> Call | None:
        return None

    def thread_for(self, trouble: Trouble) -> str | None:
        if trouble is Trouble.NO_CONNECTION:
            assert self._server is not None
            self._server.__exit__()
        elif trouble is not Trouble.NONE:
            bring_about = self.troubles()[trouble]
            if bring_about is None:
                return None
            bring_about()
        return self.chat
