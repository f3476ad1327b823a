"""Fetching from platforms that only ring, on a real database, from a platform that a test holds in its hand."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from channels.adapter import BadPayloadError, Capabilities, Inbound, InboundKind, Pulled
from channels.counting import InboxCounts
from channels.results import NeedsPerson, RetryAfter, SendResult, Unknown
from sportello.pulling import AFTER_NOTHING, AFTER_TROUBLE, EVERY, EVERY_WITHOUT_TOKEN, LEASE, TOKEN_LASTS, Pulls
from store import cursors, health, inbox
from store.database import Database
from store.inbox import InboxStatus
from tests.conftest import FakeClock


class Platform:
    """Gives its answers one after the other, and remembers what it was asked for. Payloads are texts."""

    channel = "wecom"
    account = "wk1"
    capabilities = Capabilities(100, "bytes", 0, timedelta(0), timedelta(0))

    def __init__(self) -> None:
        self.answers: list[Pulled | SendResult] = []
        self.asked: list[tuple[str, str]] = []
        self.dies_at = ""
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    def event_key(self, payload: Any) -> str:
        return str(payload)

    def parse(self, payload: Any) -> Sequence[Inbound]:
        if payload == self.dies_at:
            raise KeyboardInterrupt
        if not isinstance(payload, str):
            raise BadPayloadError("no text")
        return [Inbound(self.channel, self.account, payload, "wm1", "wm1", InboundKind.TEXT, text=payload)]

    async def pull(self, cursor: str, token: str) -> Pulled | SendResult:
        self.asked.append((cursor, token))
        self.reached.set()
        await self.open.wait()
        return self.answers.pop(0) if self.answers else Pulled((), cursor, more=False)


class Fetching:
    """One platform and the processes that fetch from it."""

    def __init__(self, database: Database, clock: FakeClock, new_id: Callable[[], UUID]) -> None:
        self.database = database
        self.clock = clock
        self._new_id = new_id
        self.platform = Platform()
        self.registry = CollectorRegistry()
        self._counts = InboxCounts.on(self.registry)
        self.pulls = self.process()

    def process(self) -> Pulls:
        adapter: Any = self.platform
        return Pulls(self.database, adapter, self.clock, self._new_id, self._counts)

    async def ring(self, token: str) -> None:
        async with self.database.begin() as connection:
            await cursors.ring(connection, channel="wecom", account="wk1", token=token, now=self.clock())

    async def counts(self) -> dict[InboxStatus, int]:
        async with self.database.read() as connection:
            found = await inbox.counts(connection)
        return {status: number for status, number in found.items() if number}

    async def error(self) -> str | None:
        async with self.database.read() as connection:
            (found,) = await health.everything(connection)
        return found.last_error

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"channel": "wecom", **labels})


@pytest.fixture
async def fetching(database: Database, clock: FakeClock, new_id: Callable[[], UUID]) -> Fetching:
    made = Fetching(database, clock, new_id)
    await made.pulls.open()
    return made


async def test_what_is_fetched_is_stored_with_where_to_go_on(fetching: Fetching) -> None:
    fetching.platform.answers = [Pulled(("a", "b"), "c2", more=False)]
    assert await fetching.pulls.pull()
    assert await fetching.counts() == {InboxStatus.WAITING: 2}
    assert not await fetching.pulls.pull()
    await fetching.ring("t1")
    assert await fetching.pulls.pull()
    assert fetching.platform.asked == [("", ""), ("c2", "t1")]


async def test_more_is_fetched_at_once_even_after_an_empty_answer(fetching: Fetching) -> None:
    fetching.platform.answers = [
        Pulled((), "c1", more=True),
        Pulled(("a",), "c2", more=True),
        Pulled(("b",), "c3", more=False),
    ]
    assert [await fetching.pulls.pull() for _ in range(4)] == [True, True, True, False]
    assert [cursor for cursor, _ in fetching.platform.asked] == ["", "c1", "c2"]
    assert await fetching.counts() == {InboxStatus.WAITING: 2}


async def test_a_platform_that_says_more_and_gives_nothing_is_not_asked_without_end(
    fetching: Fetching, clock: FakeClock
) -> None:
    fetching.platform.answers = [
        Pulled((), "c1", more=True),
        Pulled((), "c1", more=True),
        Pulled(("a",), "c2", more=True),
    ]
    assert [await fetching.pulls.pull() for _ in range(3)] == [True, True, False], "nothing came, nothing moved"
    clock.now += AFTER_NOTHING
    assert await fetching.pulls.pull()
    assert await fetching.counts() == {InboxStatus.WAITING: 1}


async def test_a_page_that_comes_again_is_stored_once_and_counted_as_repeated(fetching: Fetching) -> None:
    fetching.platform.answers = [Pulled(("a", "b", "a"), "c2", more=True), Pulled(("b", "c"), "c3", more=False)]
    await fetching.pulls.pull()
    await fetching.pulls.pull()
    assert await fetching.counts() == {InboxStatus.WAITING: 3}
    assert fetching.figure("sportello_inbox_received_total", kind="text") == 3
    assert fetching.figure("sportello_inbox_repeated_total") == 2


async def test_a_process_that_dies_while_storing_leaves_nothing_and_another_begins_the_page_anew(
    fetching: Fetching, clock: FakeClock
) -> None:
    page = Pulled(("a", "b", "c"), "c3", more=False)
    fetching.platform.answers = [page, page]
    fetching.platform.dies_at = "b"
    with pytest.raises(KeyboardInterrupt):
        await fetching.pulls.pull()
    fetching.platform.dies_at = ""
    assert await fetching.counts() == {}
    other = fetching.process()
    assert not await other.pull()
    clock.now += LEASE + timedelta(seconds=1)
    assert await other.pull()
    assert await fetching.counts() == {InboxStatus.WAITING: 3}
    assert [cursor for cursor, _ in fetching.platform.asked] == ["", ""]


async def test_what_cannot_be_read_is_set_aside_and_keeps_nothing_back(fetching: Fetching) -> None:
    fetching.platform.answers = [Pulled(("a", {"odd": "\0"}, "b"), "c3", more=False)]
    assert await fetching.pulls.pull()
    assert await fetching.counts() == {InboxStatus.WAITING: 2, InboxStatus.SET_ASIDE: 1}


async def test_one_process_fetches_at_a_time(fetching: Fetching) -> None:
    fetching.platform.open.clear()
    first = asyncio.create_task(fetching.pulls.pull())
    await fetching.platform.reached.wait()
    assert not await fetching.process().pull()
    fetching.platform.open.set()
    assert await first
    assert len(fetching.platform.asked) == 1


async def test_a_ring_while_fetching_is_looked_at_at_once(fetching: Fetching, clock: FakeClock) -> None:
    fetching.platform.open.clear()
    first = asyncio.create_task(fetching.pulls.pull())
    await fetching.platform.reached.wait()
    clock.advance(seconds=1)
    await fetching.ring("t2")
    fetching.platform.open.set()
    await first
    assert await fetching.pulls.next_due() == clock()
    assert await fetching.pulls.pull()
    assert fetching.platform.asked == [("", ""), ("", "t2")]


async def test_without_a_ring_it_looks_now_and_then_and_more_seldom_without_a_token(
    fetching: Fetching, clock: FakeClock
) -> None:
    await fetching.pulls.pull()
    assert await fetching.pulls.next_due() == clock() + EVERY_WITHOUT_TOKEN
    await fetching.ring("t1")
    await fetching.pulls.pull()
    assert await fetching.pulls.next_due() == clock() + EVERY
    clock.now += EVERY
    await fetching.pulls.pull()
    clock.now += TOKEN_LASTS - EVERY
    await fetching.pulls.pull()
    assert [token for _, token in fetching.platform.asked] == ["", "t1", "t1", ""]
    assert await fetching.pulls.next_due() == clock() + EVERY_WITHOUT_TOKEN


@pytest.mark.parametrize(
    ("result", "delay"),
    [
        (RetryAfter(timedelta(seconds=60), "account", "too many requests"), timedelta(seconds=60)),
        (Unknown("no answer"), AFTER_TROUBLE),
        (NeedsPerson("refused"), AFTER_TROUBLE),
    ],
)
async def test_a_refusal_is_told_and_tried_again_from_the_same_place(
    fetching: Fetching, clock: FakeClock, result: Any, delay: timedelta
) -> None:
    fetching.platform.answers = [Pulled(("a",), "c1", more=True), result, Pulled(("b",), "c2", more=False)]
    assert [await fetching.pulls.pull() for _ in range(3)] == [True, True, False]
    assert await fetching.pulls.next_due() == clock() + delay
    assert await fetching.error() == result.reason
    clock.now += delay
    assert await fetching.pulls.pull()
    assert [cursor for cursor, _ in fetching.platform.asked] == ["", "c1", "c1"]
    assert await fetching.counts() == {InboxStatus.WAITING: 2}
