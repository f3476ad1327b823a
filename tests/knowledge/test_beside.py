"""Long reckoning gives its result or its error, and holds up no stop."""

import asyncio
import threading

import pytest

from knowledge.beside import beside


async def test_what_was_reckoned_is_given_or_why_it_was_not() -> None:
    async def in_another_thread() -> bool:
        return await beside(threading.get_ident) != threading.get_ident()

    assert await in_another_thread()
    with pytest.raises(ZeroDivisionError):
        await beside(lambda: 1 // 0)


def test_a_loop_ends_while_something_is_still_reckoned() -> None:
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        let_go.wait(30)
        ended.set()

    async def stopped() -> None:
        reckoning = asyncio.create_task(beside(work))
        await asyncio.to_thread(begun.wait, 30)
        reckoning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reckoning

    asyncio.run(stopped())
    assert not ended.is_set()
    # And nobody minds that it finds no loop any more.
    let_go.set()
    assert ended.wait(30)
