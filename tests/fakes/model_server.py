"""A fake of a model server: takes embeddings requests as OpenAI's API does, and misbehaves on demand.

Its vectors follow from the words of a text alone, so that equal texts, and texts that share words, are near.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "words"
KEY = "model-server-key"


@cache
def _chance(word: str, dimensions: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimensions)


@dataclass
class FakeModelServer:
    """The server's memory. `spoil` changes the list of vectors before it is sent; `status` refuses altogether."""

    dimensions: int = 48
    asked: list[list[str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    raw: bytes | None = None
    spoil: Callable[[list[dict[str, Any]]], Any] | None = None

    def vector(self, text: str) -> list[float]:
        """Give the sum of one chance vector a word, twice as long as it should be."""
        total = np.zeros(self.dimensions)
        for word in text.split():
            total += _chance(word, self.dimensions)
        return [float(number) for number in 2 * total]

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(routes=[Route("/v1/embeddings", self._embeddings, methods=["POST"])])

    async def _embeddings(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return JSONResponse({"error": {"message": "no key"}}, status_code=401)
        body = await request.json()
        self.bodies.append(body)
        if body["model"] != MODEL or not body["input"] or not all(body["input"]):
            return JSONResponse({"error": {"message": "no such model, or no text"}}, status_code=400)
        self.asked.append(body["input"])
        if self.status != 200:
            return JSONResponse({"error": {"message": "not now"}}, status_code=self.status)
        if self.raw is not None:
            return Response(self.raw, media_type="application/json")
        data: Any = [
            {"object": "embedding", "index": index, "embedding": self.vector(text)}
            for index, text in enumerate(body["input"])
        ]
        # The order is not promised; the index is.
        data.reverse()
        if self.spoil is not None:
            data = self.spoil(data)
        return Response(json.dumps({"object": "list", "data": data, "model": MODEL}), media_type="application/json")
