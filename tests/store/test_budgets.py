"""Budgets: what a platform lets us write, what is kept for mediators, and codes that let one message through."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from store import budgets, conversations
from store.budgets import REPLY_CODE_LASTS, Allowance, Budget, Spent
from store.conversations import Address
from store.database import Database
from tests.conftest import FakeClock

HOURS_48 = timedelta(hours=48)
GIVEN, CLOSED, EXHAUSTED = (Spent(each) for each in (Allowance.GIVEN, Allowance.CLOSED, Allowance.EXHAUSTED))


class Chat:
    """The budget of one chat."""

    def __init__(self, database: Database, conversation: UUID, clock: FakeClock) -> None:
        self._database = database
        self._conversation = conversation
        self._clock = clock

    async def renew(self, messages: int | None = 5, lasts: timedelta = HOURS_48, **others: Any) -> None:
        values: dict[str, Any] = {"reply_code": None, "until": self._clock() + lasts, "now": self._clock()} | others
        async with self._database.begin() as connection:
            await budgets.renew(connection, self._conversation, messages=messages, **values)

    async def spend(self, reserved: int = 0) -> Spent:
        async with self._database.begin() as connection:
            return await budgets.spend(connection, self._conversation, reserved=reserved, now=self._clock())

    async def give_back(self, code: str | None = None) -> None:
        async with self._database.begin() as connection:
            await budgets.give_back(connection, self._conversation, reply_code=code)

    async def exhaust(self) -> None:
        async with self._database.begin() as connection:
            await budgets.exhaust(connection, self._conversation)

    async def close(self) -> None:
        async with self._database.begin() as connection:
            await budgets.close(connection, self._conversation, now=self._clock())

    async def left(self) -> Budget | None:
        async with self._database.read() as connection:
            return await budgets.of(connection, self._conversation)


@pytest.fixture
async def chat(database: Database, clock: FakeClock, new_id: Callable[[], UUID]) -> Chat:
    async with database.begin() as connection:
        found = await conversations.find_or_add(
            connection,
            new_id=new_id(),
            address=Address("wecom", "wk1", "wm1"),
            user_ref="wm1",
            language_hint=None,
            now=clock(),
        )
    return Chat(database, found, clock)


async def test_nothing_may_be_written_before_the_resident_did_something(chat: Chat) -> None:
    assert await chat.left() is None
    assert await chat.spend() == CLOSED


async def test_each_message_costs_one_and_some_are_kept_back(chat: Chat) -> None:
    await chat.renew()
    assert [await chat.spend(reserved=2) for _ in range(4)] == [GIVEN] * 3 + [EXHAUSTED]
    assert [await chat.spend() for _ in range(3)] == [GIVEN] * 2 + [EXHAUSTED]
    await chat.give_back()
    assert await chat.spend() == GIVEN


async def test_senders_at_once_never_take_more_than_there_is(chat: Chat) -> None:
    await chat.renew(5)
    taken = await asyncio.gather(*(chat.spend(reserved) for reserved in (2, 0) * 8))
    assert (taken.count(GIVEN), taken.count(EXHAUSTED)) == (5, 11)
    assert taken[::2].count(GIVEN) <= 3, "what is kept for mediators is taken by them alone"
    # A code is used once, however many reach for it.
    await chat.renew(0, reply_code="c1")
    again = await asyncio.gather(*(chat.spend() for _ in range(6)))
    assert again.count(Spent(Allowance.GIVEN, "c1")) == 1
    # What is given back while others take is neither lost nor doubled.
    await chat.renew(5)
    await asyncio.gather(*(chat.spend() for _ in range(3)), *(chat.give_back() for _ in range(2)))
    left = await chat.left()
    assert left is not None
    assert left.remaining == 4


async def test_a_window_ends_and_a_new_message_opens_it_anew(chat: Chat, clock: FakeClock) -> None:
    await chat.renew()
    await chat.spend()
    clock.now += HOURS_48
    assert await chat.spend() == CLOSED
    await chat.renew(3, timedelta(minutes=1))
    assert await chat.left() == Budget(clock() + timedelta(minutes=1), 3)


async def test_allowances_do_not_add_up_and_the_larger_one_holds(chat: Chat, clock: FakeClock) -> None:
    await chat.renew()
    until = clock() + HOURS_48
    await chat.spend()
    await chat.renew(3, timedelta(minutes=1))
    assert await chat.left() == Budget(until, 4)
    for _ in range(3):
        await chat.spend()
    await chat.renew(3, timedelta(minutes=1))
    assert await chat.left() == Budget(until, 3)


async def test_a_platform_that_counts_no_messages_has_a_window_alone(chat: Chat, clock: FakeClock) -> None:
    await chat.renew(None)
    assert {await chat.spend(reserved=2) for _ in range(9)} == {GIVEN}
    await chat.exhaust()
    await chat.give_back()
    assert await chat.spend() == GIVEN
    await chat.close()
    assert await chat.spend() == CLOSED
    assert await chat.left() == Budget(clock(), None)


async def test_the_platform_is_believed(chat: Chat) -> None:
    await chat.renew()
    await chat.exhaust()
    assert await chat.spend() == EXHAUSTED
    await chat.renew()
    await chat.close()
    assert await chat.spend() == CLOSED


async def test_a_code_lets_one_message_through_and_costs_nothing(chat: Chat, clock: FakeClock) -> None:
    await chat.renew(0, timedelta(seconds=20), reply_code="code")
    assert await chat.spend(reserved=2) == Spent(Allowance.GIVEN, "code")
    assert await chat.spend() == EXHAUSTED
    clock.advance(seconds=20)
    assert await chat.spend() == CLOSED


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=10)])
async def test_a_code_lives_from_when_it_was_given(chat: Chat, clock: FakeClock, late: timedelta) -> None:
    since: datetime = clock() - late
    await chat.renew(0, timedelta(seconds=20), reply_code="code", since=since)
    clock.now = since + REPLY_CODE_LASTS
    assert await chat.spend() == EXHAUSTED
    clock.now -= timedelta(seconds=1)
    assert await chat.spend() == Spent(Allowance.GIVEN, "code")


async def test_a_code_that_was_not_used_can_be_put_back_while_it_lives(chat: Chat, clock: FakeClock) -> None:
    await chat.renew(0, timedelta(seconds=20), reply_code="code")
    await chat.spend()
    await chat.give_back("code")
    assert await chat.left() == Budget(clock() + timedelta(seconds=20), 0), "it is no message of the window"
    assert await chat.spend() == Spent(Allowance.GIVEN, "code")
    await chat.give_back("code")
    clock.now += REPLY_CODE_LASTS
    assert await chat.spend() == EXHAUSTED


async def test_a_code_is_not_put_back_where_the_resident_did_something_since(chat: Chat) -> None:
    await chat.renew(0, timedelta(seconds=20), reply_code="first")
    await chat.spend()
    await chat.renew()
    await chat.give_back("first")
    assert await chat.spend() == GIVEN
    await chat.renew(0, timedelta(seconds=20), reply_code="second")
    await chat.give_back("first")
    assert await chat.spend() == Spent(Allowance.GIVEN, "second")
