"""Long reckoning beside the event loop, which nobody waits for when the process ends."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Do work in a thread of its own, and give its result.

    With `asyncio.to_thread` a stop would have to wait for it: neither the loop nor the interpreter ends before all
    threads of a pool. What is reckoned here is dropped instead, as it would be by a kill, and is begun again at the
    next start.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # a result of None is a T then

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, whatever it is
            failure = error
        # The loop may have ended meanwhile; then nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return await done
