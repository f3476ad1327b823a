"""The index of a start is made once, however many tasks look after it."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from knowledge import loading
from knowledge.deciding import Thresholds
from knowledge.embedding import Vectors
from knowledge.understanding import Understander
from sportello.library import Library
from store.database import Database
from tests.conftest import START
from tests.counted import counted
from tests.sportello.desk import Desk


class Letters:
    """A model that counts letters: good for nothing but being there."""

    model = "letters"
    has_model = True

    async def embed(self, texts: Sequence[str]) -> Vectors:
        rows: Vectors = np.array([[1.0, *(text.count(letter) for letter in "aeiour")] for text in texts], np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows

    async def close(self) -> None:
        pass


async def test_what_completes_an_index_leaves_the_first_one_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    program = desk.program
    made: list[int | None] = []
    begun, go_on, build = asyncio.Event(), asyncio.Event(), loading.build

    async def held_up(*args: object, at_most: int | None) -> object:
        made.append(at_most)
        begun.set()
        await go_on.wait()
        return await build(*args, at_most=at_most)  # type: ignore[arg-type]  # what it was called with

    monkeypatch.setattr(loading, "build", held_up)
    understander = Understander(Letters(), Thresholds())
    async with Database(program.database.url) as database:
        library = Library(database, program.catalogue, understander, START.date, counted())
        refreshing = asyncio.create_task(library.refresh())
        async with asyncio.timeout(20):
            await begun.wait()
            assert not await library.complete()
            assert len(made) == 1
            go_on.set()
            assert await refreshing
            # There were more texts to embed than a start waits for, and now it is its turn.
            assert not understander.reader.by_meaning
            assert await library.complete()
    assert len(made) == 2
    assert understander.reader.by_meaning
