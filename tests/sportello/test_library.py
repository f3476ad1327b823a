"""The entries of the moment: read again where reading failed, and by one task at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy.engine import URL

from bot.wording import Catalogue
from knowledge import exchange
from knowledge.embedding import Embedder, NoEmbedder, Vectors
from knowledge.understanding import Understander
from sportello.library import Library
from store.database import Database, Read
from tests.conftest import START
from tests.sportello.desk import vocabularies
from tests.starter import starter


class Flickering(Database):
    """A database that is away for as long as it is told to, from the second look on: the first reads the entries."""

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.away = False
        self.looks = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Read]:
        self.looks += 1
        if self.away and self.looks > 1:
            raise ConnectionRefusedError
        async with super().read() as connection:
            yield connection


@pytest.fixture
async def database(database_url: URL) -> AsyncIterator[Flickering]:
    async with Flickering(database_url) as database:
        async with database.begin() as connection:
            await exchange.import_entries(connection, starter()[:1], overwrite=False, now=START)
        yield database


class Model(NoEmbedder):
    """A model for which all texts are alike."""

    has_model = True

    def __init__(self) -> None:
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        return np.ones((len(texts), 2), dtype=np.float32)


def library_of(database: Database, model: Embedder) -> Library:
    catalogue = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "", "service": ""})
    return Library(database, catalogue, Understander(model), START.date, vocabularies())


async def test_entries_whose_reading_failed_half_way_are_read_at_the_next_call(database: Flickering) -> None:
    library = library_of(database, NoEmbedder())
    database.away = True
    with pytest.raises(ConnectionRefusedError):
        await library.refresh()
    assert library.ready, "the pages can be shown"
    assert not library.understood.is_set()
    database.away = False
    assert await library.refresh()
    assert library.understood.is_set()
    assert not await library.refresh()


async def test_nothing_reads_them_a_second_time_while_they_are_read(database: Flickering) -> None:
    """Two readers at once took twice the memory of one, at every start."""
    model = Model()
    library = library_of(database, model)

    async def beside() -> bool:
        await library.known.wait()
        return await library.complete()

    read, read_beside = await asyncio.gather(library.refresh(), beside())
    assert (read, read_beside) == (True, False)
    assert model.asked == 0, "a first start leaves the texts to be embedded afterwards"
    await library.warm()
    assert model.asked == 1
    assert await library.complete()
    assert model.asked > 1
