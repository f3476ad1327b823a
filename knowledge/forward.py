"""One pass of a text through the graph of the model."""

import hashlib
import mmap
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from knowledge.directions import Directions, narrow
from knowledge.tokens import Tokeniser
from knowledge.weights import Floats, Weights

INPUT: Final = "start"
OUTPUT: Final = "mean"
# What is between the layers behind the eighth of twelve, which tells words of other languages apart best (measured:
# docs/decisions/0051).
TOKENS: Final = "l7.whole"
# What the model was trained to read before whatever is looked for (model card of multilingual-e5-small).
_PREFIX: Final = "query: "
# Tokens of all texts: the mark of the beginning and those of the prefix, and the mark of the end.
_BEFORE: Final = 4
_BEHIND: Final = 1
# A graph ends with a digest of itself, as an entry of its metadata: messages of protobuf may be set one behind another
# (Protocol Buffers, "Encoding"), so that whoever reads ONNX reads on. Field 14 is a pair of 74 bytes, key and value.
_SEAL: Final = b"\x72\x4a\x0a\x06sha256\x12\x40"
_SEALED: Final = len(_SEAL) + 64


class DamagedError(Exception):
    """The file does not hold what was written into it."""


def sealed(graph: bytes) -> bytes:
    """Give a graph with its digest, so that any damage of the file is seen, also where it could still be run."""
    return graph + _SEAL + hashlib.sha256(graph).hexdigest().encode()


def look_at(path: Path) -> None:
    """Read a file of a graph through. Raises DamagedError; OSError where it cannot be read."""
    with path.open("rb") as file:
        if path.stat().st_size <= _SEALED:
            raise DamagedError(path.name)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held, memoryview(held) as content:
            digest = hashlib.sha256(content[:-_SEALED]).hexdigest().encode()
            if held[-_SEALED:] != _SEAL + digest:
                raise DamagedError(path.name)


def options() -> onnxruntime.SessionOptions:
    """Give the options of a session: one thread, and no memory kept for later. What stands in the graph is run."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 1
    chosen.inter_op_num_threads = 1
    chosen.enable_cpu_mem_arena = False
    # Measured: the fused operators of the higher levels are slower than those they take the place of.
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return chosen


def start_of(weights: Weights, tokeniser: Tokeniser, text: str) -> Floats:
    """Give what the first layer gets for a text: the numbers of its tokens, their places, and their type."""
    width, longest = weights.shape.width, weights.shape.longest
    ids = tokeniser.tokens(_PREFIX + text, most=longest)
    places = weights.vector("emb.pos", longest * width).reshape(longest, width)[: len(ids)]
    start: Floats = weights.words(ids) + places + weights.vector("emb.type", width)
    return start[None]


def unit_mean(mean: Floats) -> Floats:
    """Scale what the graph gives to a vector of length 1."""
    vector: Floats = mean[0] / np.linalg.norm(mean[0])
    return vector


class Forward:
    """The model, ready to be asked."""

    def __init__(self, weights: Weights, graph: Path) -> None:
        """Load the graph. Raises DamagedError where the file is not whole."""
        look_at(graph)
        self._weights = weights
        self._tokeniser = Tokeniser(weights.pieces)
        self._session = onnxruntime.InferenceSession(str(graph), options())

    def vector(self, text: str) -> Floats:
        """Give the vector of a text, of length 1."""
        start = start_of(self._weights, self._tokeniser, text)
        return unit_mean(self._session.run([OUTPUT], {INPUT: start})[0])

    def words(self, text: str) -> tuple[Floats, Directions]:
        """Give the vector of a text, and the direction of each of its tokens, those of all texts left out."""
        start = start_of(self._weights, self._tokeniser, text)
        mean, tokens = self._session.run([OUTPUT, TOKENS], {INPUT: start})
        return unit_mean(mean), narrow(tokens[0][_BEFORE:-_BEHIND])
