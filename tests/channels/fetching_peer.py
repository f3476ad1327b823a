"""What the peers have in common who fetch by themselves: nothing is sent to them, they take it and say how it ended."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Final

import httpx

from channels.adapter import Call, CalledSource
from tests.channels.peer import Trouble
from tests.conftest import START

# What is said of a message that was taken. Who hears nothing within the lease, or nothing readable, cannot know.
WORDS: Final[dict[Trouble, bytes | None]] = {
    Trouble.NONE: b'{"status": "done"}',
    Trouble.REFUSED: b'{"status": "failed"}',
    Trouble.GARBAGE: b"<html>welcome</html>",
    Trouble.TIME_OUT: None,
    # Nobody comes for it.
    Trouble.NO_CONNECTION: None,
}


class FetchingPeer(ABC):
    """Posts what comes in to routes of its own, and takes there what goes out."""

    echo = ""
    # The chat for which messages are, and where they are fetched.
    chat: str
    outbox: str

    def __init__(self) -> None:
        # The suite puts its own here.
        self.clock: Callable[[], datetime] = lambda: START
        self._shown: list[str] = []
        self._trouble = Trouble.NONE

    @abstractmethod
    def source(self) -> CalledSource:
        """Make what its requests are read with."""

    @abstractmethod
    def asking(self, method: str, target: str, body: bytes) -> Call:
        """Make an authentic request."""

    def fetched(self) -> Sequence[Any]:
        return ()

    def check(self) -> Call | None:
        return None

    def connect(self) -> AbstractAsyncContextManager[CalledSource]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CalledSource]:
        yield self.source()

    def thread_for(self, trouble: Trouble) -> str | None:
        """Throttling, windows, quotas and lengths are the platforms': these have none."""
        self._trouble = trouble
        return self.chat if trouble in WORDS else None

    def told_later(self) -> Call | None:
        return None

    async def takes(self, web: httpx.AsyncClient) -> int:
        taken = 0
        if self._trouble is Trouble.NO_CONNECTION:
            return taken
        while messages := (await self._asked(web, "GET", f"{self.outbox}?wait=0", b"")).json()["messages"]:
            for message in messages:
                taken += 1
                if self._trouble is not Trouble.REFUSED:
                    self._shown += message["texts"]
                await self._say(web, message["id"])
        return taken

    async def _say(self, web: httpx.AsyncClient, message: int) -> None:
        word = WORDS[self._trouble]
        if word is None:
            return
        answer = await self._asked(web, "POST", f"{self.outbox}/{message}/ack", word)
        if self._trouble is Trouble.GARBAGE:
            assert 400 <= answer.status_code < 500, "whoever says nothing that can be read is told so"
        else:
            assert answer.status_code == 200
            assert json.loads(answer.content)["status"] in {"sent", "needs-person"}

    async def _asked(self, web: httpx.AsyncClient, method: str, target: str, body: bytes) -> httpx.Response:
        call = self.asking(method, target, body)
        return await web.request(method, target, headers=dict(call.headers), content=call.body)

    def sent(self) -> Sequence[str]:
        return self._shown
