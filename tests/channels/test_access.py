"""The access token of an account: one for all processes, fetched by one, replaced once, on a real database."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from sqlalchemy import text

from channels.access import EARLY, LEASE, LONGEST, SOON, AccessToken, Fetched, NoTokenError, fetched
from channels.results import RetryAfter, SendResult
from store import access_tokens
from store.database import Database
from tests.channels.test_answers import JSON_VALUES
from tests.conftest import FakeClock

LIFE = timedelta(hours=2)
AWAY = RetryAfter(timedelta(seconds=3), "account", "no connection")


class Platform:
    """Gives tokens, one after the other; while it is not `open`, whoever asks waits."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.fails: SendResult | None = None
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self) -> Fetched | SendResult:
        self.asked.set()
        await self.open.wait()
        if self.fails is not None:
            return self.fails
        self.given.append(f"token-{len(self.given) + 1}")
        return Fetched(self.given[-1], LIFE)


@pytest.fixture
def platform() -> Platform:
    return Platform()


def process(database: Database, platform: Platform, clock: FakeClock) -> AccessToken:
    """Give what one process has: nothing of it is shared but the database."""
    return AccessToken(database, channel="wechat", account="wx1", fetch=platform.fetch, clock=clock)


async def test_all_processes_use_one_token(database: Database, platform: Platform, clock: FakeClock) -> None:
    first, second = process(database, platform, clock), process(database, platform, clock)
    assert await first.get() == await second.get() == await first.get() == "token-1"
    other = AccessToken(database, channel="wechat", account="wx2", fetch=platform.fetch, clock=clock)
    assert await other.get() == "token-2"


async def test_many_who_need_one_at_once_fetch_once(database: Database, platform: Platform, clock: FakeClock) -> None:
    tokens = process(database, platform, clock)
    assert await asyncio.gather(*(tokens.get() for _ in range(20))) == ["token-1"] * 20
    assert platform.given == ["token-1"]


async def test_processes_that_need_one_at_once_fetch_once(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    async with AsyncExitStack() as stack:
        # Each has connections of its own, as processes have.
        databases = [await stack.enter_async_context(Database(database.url)) for _ in range(5)]
        processes = [process(each, platform, clock) for each in databases]
        platform.open.clear()
        asking = [asyncio.create_task(each.get()) for each in processes for _ in range(3)]
        await platform.asked.wait()
        # One process fetches; the others are told to come again, at once.
        while sum(task.done() for task in asking) < 12:
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=0.1)
        platform.open.set()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert ended.count("token-1") == 3
        others = [error for error in ended if isinstance(error, NoTokenError)]
        assert {error.result for error in others} == {RetryAfter(SOON, "account", "the token is being fetched")}
        assert len(others) == 12
        assert await asyncio.gather(*(each.get() for each in processes)) == ["token-1"] * 5
        assert await asyncio.gather(*(each.replace("token-1") for each in processes[:1])) == ["token-2"]
        refused = await asyncio.gather(*(each.replace("token-1") for each in processes))
    assert refused == ["token-2"] * 5
    assert platform.given == ["token-1", "token-2"]


async def test_it_is_replaced_before_it_ends(database: Database, platform: Platform, clock: FakeClock) -> None:
    tokens = process(database, platform, clock)
    await tokens.get()
    clock.now += LIFE - EARLY - timedelta(seconds=1)
    assert await tokens.get() == "token-1"
    clock.advance(seconds=1)
    assert await tokens.get() == "token-2"


async def test_while_another_process_fetches_early_the_old_one_serves(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    first, second = process(database, platform, clock), process(database, platform, clock)
    await first.get()
    clock.now += LIFE - EARLY
    platform.asked.clear()
    platform.open.clear()
    fetching = asyncio.create_task(first.get())
    await platform.asked.wait()
    assert await second.get() == "token-1"
    platform.open.set()
    assert await fetching == "token-2"
    assert await second.get() == "token-2"


async def test_a_refused_one_is_replaced_by_whoever_comes_first_and_by_nobody_else(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    first, second = process(database, platform, clock), process(database, platform, clock)
    refused = await first.get()
    assert await asyncio.gather(*(first.replace(refused) for _ in range(10))) == ["token-2"] * 10
    assert await second.replace(refused) == "token-2", "the one that is in force now was never refused"
    assert platform.given == ["token-1", "token-2"]


async def test_while_another_process_replaces_a_refused_one_messages_wait(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    tokens = process(database, platform, clock)
    refused = await tokens.get()
    async with database.begin() as connection:
        assert await access_tokens.claim(connection, channel="wechat", account="wx1", lease_for=LEASE, now=clock())
    with pytest.raises(NoTokenError) as raised:
        await tokens.replace(refused)
    assert raised.value.result == RetryAfter(SOON, "account", "the token is being fetched")
    # Whoever was fetching died.
    clock.now += LEASE + timedelta(seconds=1)
    assert await tokens.get() == "token-2"


async def test_what_the_platform_says_instead_of_a_token_is_passed_on(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    tokens = process(database, platform, clock)
    platform.fails = AWAY
    for _ in range(2):
        with pytest.raises(NoTokenError) as raised:
            await tokens.get()
        assert raised.value.result == AWAY
    platform.fails = None
    assert await tokens.get() == "token-1"


async def test_a_failure_to_renew_early_takes_nothing_away(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    tokens = process(database, platform, clock)
    await tokens.get()
    clock.now += LIFE - EARLY
    platform.fails = AWAY
    assert await tokens.get() == "token-1"
    clock.now += EARLY
    with pytest.raises(NoTokenError):
        await tokens.get()


async def test_what_another_process_fetched_a_moment_ago_is_not_fetched_again(
    database: Database, platform: Platform, clock: FakeClock
) -> None:
    tokens = process(database, platform, clock)
    await tokens.get()
    clock.now += LIFE
    async with database.begin() as other:
        await access_tokens.keep(
            other, channel="wechat", account="wx1", token="of-another", expires_at=clock() + LIFE, now=clock()
        )
        # This one saw that there is no good token, and now waits to claim the right to fetch.
        looking = asyncio.create_task(tokens.get())
        while not await _somebody_waits(database):
            assert not looking.done()
    assert await looking == "of-another"
    assert platform.given == ["token-1"]
    assert await process(database, platform, clock).get() == "of-another"


async def _somebody_waits(database: Database) -> bool:
    async with database.read() as connection:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return (await connection.execute(text(waiting))).first() is not None


@given(token=JSON_VALUES, seconds=JSON_VALUES)
@example(token="token", seconds=10**20)
@example(token="token", seconds=-1)
@example(token="token", seconds=True)
@example(token="\ud800", seconds=7200)
@example(token="é", seconds=7200)
def test_a_token_is_plain_and_its_life_bounded(token: Any, seconds: Any) -> None:
    found = fetched(token, seconds)
    if found is not None:
        assert found.token.isascii()
        assert found.token.isprintable()
        assert timedelta() <= found.lasts <= LONGEST


def test_a_good_token_is_taken() -> None:
    assert fetched("t-_~", 7200) == Fetched("t-_~", timedelta(seconds=7200))
    assert fetched("token", "7200") is fetched("", 7200) is fetched("a b", 7200) is None
