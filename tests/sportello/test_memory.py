"""What reading the entries took goes back, by the tasks of a process and not by who reads: it looks at all there is."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import cast

import pytest

from sportello import workers
from sportello.library import Library
from sportello.memory import give_back
from sportello.waking import Bell
from tests.conftest import START


class Ring:
    """Something that holds itself, so that counting who holds it never ends it."""

    def __init__(self) -> None:
        self.itself = self


class Reading:
    """A library that leaves rubbish behind, and whose process is stopped after the first time."""

    def __init__(self, stop: workers.Stop, bell: Bell, *, changed: bool) -> None:
        self._stop, self._bell, self._changed = stop, bell, changed
        self.understood = asyncio.Event()
        self.dropped: list[weakref.ref[Ring]] = []

    async def refresh(self) -> bool:
        self.dropped.append(weakref.ref(Ring()))
        self._stop.ask()
        self._bell.ring()
        return self._changed

    async def calibrate(self, _now: object) -> bool:
        return await self.refresh()

    async def warm(self) -> None:
        pass

    async def complete(self) -> bool:
        return False


@pytest.fixture(autouse=True)
def nothing_by_chance() -> Iterator[None]:
    """Let Python look for rubbish only when asked to."""
    gc.disable()
    yield
    gc.enable()


def test_what_only_holds_itself_is_gone_afterwards() -> None:
    ring = weakref.ref(Ring())
    assert ring() is not None
    give_back()
    assert ring() is None


@pytest.mark.parametrize("changed", [True, False])
async def test_memory_is_given_back_where_something_was_read_anew_and_only_there(*, changed: bool) -> None:
    stop, bell = workers.Stop(), Bell(1)
    reading = Reading(stop, bell, changed=changed)
    await workers.refresh(cast("Library", reading), bell, stop)
    assert [ring() is None for ring in reading.dropped] == [changed]
    stop = workers.Stop()
    ripening = Reading(stop, bell, changed=changed)
    await workers.ripen(cast("Library", ripening), lambda: START, stop)
    assert [ring() is None for ring in ripening.dropped] == [changed]
