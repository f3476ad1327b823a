"""What a process does with its tasks."""

import asyncio

import pytest

from sportello.serving import first_of


async def test_what_is_left_is_dropped_when_the_first_ends() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("dropped")
            raise

    await first_of(long(), asyncio.sleep(0))
    assert ended == ["dropped"]


async def test_a_failure_of_the_first_is_told() -> None:
    async def failing() -> None:
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        await first_of(failing(), asyncio.Event().wait())
