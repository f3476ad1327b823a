"""Rows of numbers of which only the direction counts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]
# One row for each token of a text, in eight bits each number.
Directions = NDArray[np.int8]

_EIGHT_BITS: Final = 127


def unit(rows: Row) -> Row:
    """Scale every row to length 1; one of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Row = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return scaled


def narrow(rows: Row) -> Directions:
    """Give every row in eight bits each number, the largest being 127: how long it was is lost."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    narrowed: Directions = np.round(rows / np.where(largest == 0, 1, largest) * _EIGHT_BITS).astype(np.int8)
    return narrowed
