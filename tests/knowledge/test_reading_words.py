"""Vectors and words on their way from the model through the database to a reader, and to a message."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from knowledge import loading
from knowledge.directions import Directions, narrow, unit
from knowledge.embedding import DIMENSIONS, Embedded, Embedder, EmbedderUnavailableError, Vectors
from knowledge.entry import Entry
from knowledge.labels import all_phrases
from knowledge.reader import Reader
from knowledge.scoring import Column
from knowledge.understanding import Means, Understander
from store import entries as store
from store.database import Database
from tests.counted import counted, only_signals_in
from tests.starter import starter

ASKED = "una frase che nessuno ha scritto prima"


class Counting:
    """A model without a process, in whose vectors and words nothing but the text shows. Counts what it is asked."""

    model = "counting"
    has_model = True
    has_words = True
    dimensions: int | None = DIMENSIONS

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.told: list[str] = []
        self.left = 10_000

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self._take(texts)
        self.embedded += texts
        return np.concatenate([vector_of(text) for text in texts])

    async def embed_words(self, texts: Sequence[str]) -> Embedded:
        self._take(texts)
        self.told += texts
        return Embedded(np.concatenate([vector_of(text) for text in texts]), tuple(map(words_of, texts)))

    async def close(self) -> None:
        pass

    def _take(self, texts: Sequence[str]) -> None:
        if len(texts) > self.left:
            raise EmbedderUnavailableError("no more")
        self.left -= len(texts)


def vector_of(text: str) -> Vectors:
    return unit(np.random.default_rng(crc32(text.encode())).normal(size=(1, DIMENSIONS)).astype(np.float32))


def words_of(text: str) -> Directions:
    return narrow(np.concatenate([vector_of(word) for word in text.split()]))


@pytest.fixture(autouse=True)
def few_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    only_signals_in(monkeypatch, "it")


@pytest.fixture
def model() -> Counting:
    return Counting()


def entries_in(*codes: str) -> list[Entry]:
    """Give some entries in some languages: in four they have many phrases."""
    return [replace(one, translations={code: one.translations[code] for code in codes}) for one in starter()[:3]]


FEW, MANY = entries_in("it", "en"), entries_in("it", "en", "es", "ro")


def texts_of(entries: Sequence[Entry]) -> set[str]:
    return {phrase.text for phrase in all_phrases(entries) if phrase.embedded}


async def build(database: Database, model: Embedder, entries: Sequence[Entry], at_most: int | None = None) -> Reader:
    return await loading.build(database, model, entries, counted(), at_most=at_most)


def told_by(reader: Reader) -> tuple[bytes, list[bytes]]:
    assert reader.vectors is not None and reader.words is not None  # noqa: PT018
    return reader.vectors.tobytes(), [rows.tobytes() for rows in reader.words]


async def test_a_first_build_stores_vectors_and_words_and_a_second_asks_for_nothing(
    database: Database, model: Counting
) -> None:
    first = await build(database, model, FEW)
    assert (first.by_meaning, first.by_words) == (True, True)
    assert sorted(model.told) == sorted(texts_of(FEW))
    assert model.embedded == []
    async with database.read() as connection:
        for name in ("counting", "counting/words"):
            assert len(await store.stored_vectors(connection, name)) == len(texts_of(FEW))
    second = await build(database, model, FEW)
    assert len(model.told) == len(texts_of(FEW))
    assert told_by(second) == told_by(first)
    for phrase, rows in zip(first.phrases, first.words or [], strict=True):
        assert rows.tobytes() == (words_of(phrase.text).tobytes() if phrase.embedded else b"")


async def test_entries_with_many_phrases_are_read_without_words(database: Database, model: Counting) -> None:
    reader = await build(database, model, MANY)
    assert (reader.by_meaning, reader.by_words) == (True, False)
    assert model.told == []
    assert sorted(model.embedded) == sorted(texts_of(MANY))


async def test_entries_that_come_to_have_few_phrases_are_read_again_and_spelling_answers_meanwhile(
    database: Database, model: Counting
) -> None:
    await build(database, model, MANY)
    meanwhile = await build(database, model, FEW, at_most=5)
    assert (meanwhile.by_meaning, meanwhile.by_words) == (False, False)
    assert model.told == []
    assert (await build(database, model, FEW)).by_words
    # What had its vector only is told again; what was in the other languages is not.
    assert sorted(model.told) == sorted(texts_of(FEW))
    # And back: nothing is missing, nor is it again with few.
    asked = len(model.embedded), len(model.told)
    assert not (await build(database, model, MANY, at_most=0)).by_words
    assert (await build(database, model, FEW, at_most=0)).by_words
    assert (len(model.embedded), len(model.told)) == asked
    # One entry more brings its own texts alone.
    more = [*FEW, replace(starter()[3], translations={"it": starter()[3].translations["it"]})]
    assert (await build(database, model, more)).by_words
    assert sorted(model.told[asked[1] :]) == sorted(texts_of(more) - texts_of(FEW))


async def test_what_was_read_before_the_model_went_away_is_not_read_again(database: Database, model: Counting) -> None:
    model.left = 2 * loading.STORED_AT_ONCE + 3
    assert not (await build(database, model, FEW)).by_meaning
    assert len(model.told) == 2 * loading.STORED_AT_ONCE
    model.left = 10_000
    assert (await build(database, model, FEW)).by_words
    assert sorted(model.told) == sorted(texts_of(FEW))


@pytest.mark.parametrize("name", ["counting", "counting/words"])
@pytest.mark.parametrize("damaged", [b"", b"a", bytes(4), bytes(DIMENSIONS - 1), bytes(4 * DIMENSIONS + 2)])
async def test_stored_rows_of_another_length_are_made_anew(
    database: Database, model: Counting, name: str, damaged: bytes
) -> None:
    whole = await build(database, model, FEW)
    text = next(phrase.text for phrase in whole.phrases if phrase.embedded)
    digest = hashlib.sha256(text.encode()).digest()
    async with database.begin() as connection:
        await store.store_vectors(connection, name, [(digest, damaged)])
    asked = len(model.told)
    mended = await build(database, model, FEW)
    assert told_by(mended) == told_by(whole)
    assert model.told[asked:] == [text]
    assert told_by(await build(database, model, FEW)) == told_by(whole)
    assert len(model.told) == asked + 1


async def test_a_message_is_asked_for_words_where_its_reader_has_them(database: Database, model: Counting) -> None:
    understander = Understander(model)
    for entries in (FEW, MANY, FEW):
        understander.adopt((await build(database, model, entries)).in_use())
        model.embedded, model.told = [], []
        explained = await understander.explain(ASKED, language="it")
        assert explained.means is Means.MEANING
        assert (ASKED in model.told, ASKED in model.embedded) == (entries is FEW, entries is MANY)
        assert explained.evidence is not None
        assert explained.evidence.table[:, Column.WORDS].any() == (entries is FEW)


class Waiting(Counting):
    """One that answers a message when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await self._wait(texts)
        return await super().embed(texts)

    async def embed_words(self, texts: Sequence[str]) -> Embedded:
        await self._wait(texts)
        return await super().embed_words(texts)

    async def _wait(self, texts: Sequence[str]) -> None:
        if list(texts) == [ASKED]:
            self.begun.set()
            await self.go.wait()


@pytest.mark.parametrize(("before", "after"), [(FEW, MANY), (MANY, FEW), (FEW, None)])
async def test_another_reader_may_come_while_the_model_reads_a_message(
    database: Database, before: list[Entry], after: list[Entry] | None
) -> None:
    """None: a reader by spelling alone."""
    model = Waiting()
    understander = Understander(model)
    understander.adopt(await build(database, model, before))
    new = await build(database, model, MANY if after is None else after)
    asking = asyncio.create_task(understander.explain(ASKED, language="it"))
    await model.begun.wait()
    understander.adopt(new if after is not None else replace(new, vectors=None, dimensions=None))
    model.go.set()
    assert (await asking).means is Means.MEANING


async def test_a_model_that_tells_no_words_any_more_leaves_messages_to_spelling(
    database: Database, model: Counting
) -> None:
    understander = Understander(model)
    understander.adopt(await build(database, model, FEW))
    model.left = 0
    assert (await understander.explain(ASKED, language="it")).means is Means.SPELLING_ALONE
    model.left = 9
    assert (await understander.explain(ASKED, language="it")).means is Means.MEANING
