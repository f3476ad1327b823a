"""Waking idle workers: one worker for each wake-up, and a slow poll beside it as safety net."""

import asyncio
from contextlib import suppress


class Bell:
    """Wakes one waiting worker a ring. Rings that find all workers busy are kept, up to `workers` of them."""

    def __init__(self, workers: int) -> None:
        """Begin silent."""
        self._rings: asyncio.Queue[None] = asyncio.Queue(maxsize=workers)

    def ring(self) -> None:
        """Wake one worker."""
        with suppress(asyncio.QueueFull):
            self._rings.put_nowait(None)

    def ring_all(self) -> None:
        """Wake every worker."""
        for _ in range(self._rings.maxsize):
            self.ring()

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, or until the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rings.get()
