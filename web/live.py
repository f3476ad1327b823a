"""Live updates: wake-ups fanned out within a process, and streams of server-sent events."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi.sse import format_sse_event
from starlette.requests import Request
from starlette.responses import StreamingResponse

from store.notify import Topic

KEEP_ALIVE_SECONDS: Final = 15.0
RETRY_MILLISECONDS: Final = 2000


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One server-sent event: `data` is a fragment of HTML, `id` the place from which a reader goes on."""

    name: str
    data: str
    id: str | None = None


class _Passing(asyncio.Event):
    """An event that sets another one too, so that a reader waits for one thing alone."""

    def __init__(self, wakes: asyncio.Event) -> None:
        super().__init__()
        self._wakes = wakes

    def set(self) -> None:
        super().set()
        self._wakes.set()


class Hub:
    """Passes wake-ups on to whoever waits in this process. It keeps no messages: readers read the database."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[tuple[Topic, str], set[asyncio.Event]] = defaultdict(set)
        self.closing = asyncio.Event()

    def heard(self, topic: Topic, payload: str = "") -> None:
        """Wake those who wait for a topic and key; an empty payload wakes all of the topic."""
        for (of_topic, key), waiters in self._waiting.items():
            if of_topic is topic and payload in {"", key}:
                for waiter in waiters:
                    waiter.set()

    @contextmanager
    def subscribe(self, topic: Topic, key: str = "", *, wakes: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Give an event that is set at every wake-up, and sets `wakes` too; whoever waits on it clears it."""
        woken = asyncio.Event() if wakes is None else _Passing(wakes)
        waiters = self._waiting[topic, key]
        waiters.add(woken)
        try:
            yield woken
        finally:
            waiters.discard(woken)
            if not waiters:
                self._waiting.pop((topic, key), None)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.closing.set()
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()


async def wait(woken: asyncio.Event, *, seconds: float) -> bool:
    """Wait until woken, and clear; False where the time is over first."""
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return False
    woken.clear()
    return True


def stream(
    request: Request,
    hub: Hub,
    topic: Topic,
    key: str,
    news: Callable[[], Awaitable[Sequence[LiveEvent]]],
    *,
    may_read: Callable[[], Awaitable[bool]] | None = None,
    passing: tuple[Topic, LiveEvent] | None = None,
) -> StreamingResponse:
    """Answer with a stream: what `news` gives now, and again at every wake-up, until the reader goes.

    `news` gives only what it has not given before. `may_read` is asked at the beginning and about every 15 seconds, and
    the stream ends where it says no: whoever may see something when a page is opened may not for as long as it stays
    open. Such a page is sent the event "here" each time. `passing` is a topic whose wake-up is all its news, with what
    to tell then.
    """

    async def events() -> AsyncIterator[bytes]:
        with ExitStack() as heard:
            woken = heard.enter_context(hub.subscribe(topic, key))
            passed = heard.enter_context(hub.subscribe(passing[0], key, wakes=woken)) if passing else asyncio.Event()
            yield format_sse_event(retry=RETRY_MILLISECONDS, comment="welcome")
            # By the clock and not by silence: a busy topic must not make its reader look absent.
            clock = asyncio.get_running_loop().time
            sign_due = clock()
            while not hub.closing.is_set():
                if clock() >= sign_due:
                    if await request.is_disconnected():
                        return
                    if may_read is not None and not await may_read():
                        return
                    if may_read is None:
                        yield format_sse_event(comment="still here")
                    else:
                        yield format_sse_event(data_str="", event="here")
                    sign_due = clock() + KEEP_ALIVE_SECONDS
                # Before the rows: what was written in the end is not being written any more.
                if passing is not None and passed.is_set():
                    passed.clear()
                    yield format_sse_event(data_str=passing[1].data, event=passing[1].name)
                for event in await news():
                    yield format_sse_event(data_str=event.data, event=event.name, id=event.id)
                await wait(woken, seconds=max(sign_due - clock(), 0.0))

    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    )
