"""What becomes of questions while the model's process hangs, dies at every start, or is busy."""

import asyncio

import numpy as np
import pytest

from knowledge import own_model
from knowledge.embedder_process import Request
from knowledge.embedding import DIMENSIONS, Embedded, EmbedderUnavailableError
from knowledge.own_model import ProcessEmbedder


class Exchanging(ProcessEmbedder):
    """A model without a process: `answers` is set when it answers, and `asked` counts what it was asked."""

    model = "none"
    has_words = False

    def __init__(self, *, timeout: float) -> None:
        super().__init__(timeout=timeout, monotonic=lambda: self.now)
        self.now = 100.0
        self.asked = 0
        self.begun = asyncio.Event()
        self.answers = asyncio.Event()

    def _arguments(self) -> tuple[str, ...]:
        return ()

    async def _exchange(self, asked: Request) -> Embedded:
        self.asked += 1
        self.begun.set()
        await self.answers.wait()
        return Embedded(np.ones((len(asked.texts), DIMENSIONS), dtype=np.float32), ())


async def test_a_model_that_fails_is_left_alone_for_longer_and_longer() -> None:
    model = Exchanging(timeout=0.001)
    for pause in (2.0, 4.0, 8.0):
        with pytest.raises(EmbedderUnavailableError, match="twice"):
            await model.embed(["ciao"])
        asked = model.asked
        model.now += pause - 0.1
        with pytest.raises(EmbedderUnavailableError, match="a moment ago"):
            await model.embed(["ciao"])
        assert model.asked == asked
        model.now += 0.2
    model.answers.set()
    assert (await model.embed(["ciao"])).shape == (1, DIMENSIONS)
    assert (await model.embed(["ciao", "a"])).shape == (2, DIMENSIONS)


async def test_a_question_does_not_wait_for_long_behind_a_model_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_model, "QUESTION_SECONDS", 0.001)
    model = Exchanging(timeout=60)
    reading = asyncio.create_task(model.embed(["a", "b"]))
    await model.begun.wait()
    with pytest.raises(EmbedderUnavailableError, match="busy"):
        await model.embed(["ciao"])
    model.answers.set()
    assert (await reading).shape == (2, DIMENSIONS)
    assert (await model.embed(["ciao"])).shape == (1, DIMENSIONS)
