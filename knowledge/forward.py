"""One pass of a text through the graph of the model."""

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from knowledge.tokens import Tokeniser
from knowledge.weights import Floats, Weights

INPUT: Final = "start"
OUTPUT: Final = "mean"
# What the model was trained to read before whatever is looked for (model card of multilingual-e5-small).
_PREFIX: Final = "query: "


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
        """Load the graph. Raises an error of ONNX Runtime where the file holds none."""
        self._weights = weights
        self._tokeniser = Tokeniser(weights.pieces)
        self._session = onnxruntime.InferenceSession(str(graph), options())

    def vector(self, text: str) -> Floats:
        """Give the vector of a text, of length 1."""
        start = start_of(self._weights, self._tokeniser, text)
        return unit_mean(self._session.run([OUTPUT], {INPUT: start})[0])
