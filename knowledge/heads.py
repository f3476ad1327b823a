"""The fitted directions of labels: by least squares, and by likelihood where phrases are few (decision 0049).

The last row of every fit is the intercept.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]
Places = NDArray[np.intp]

# Of the least-squares fit.
_RIDGE: Final = 0.3
# Rows in one step where all vectors are gone through: bounds what is in memory twice.
_BLOCK: Final = 16384
# Of the fit by likelihood: chosen on CLINC150, where more steps bring nothing more.
_LIKELIHOOD_RIDGE: Final = 1 / 15
_STEPS: Final = 60
# With more phrases times labels it takes more than the seconds an edit may take.
_MOST_WORK: Final = 500_000


class LeastSquares:
    """One direction a label, in closed form. All labels weigh the same, however many phrases they have."""

    def __init__(self, rows: Row, owners: Places, sums: Row) -> None:
        """`rows` are vectors of length 1, `owners` the label of each, `sums` those of the rows of each label."""
        counts = np.bincount(owners, minlength=len(sums))
        targets = np.hstack([sums / counts[:, None], np.ones((len(sums), 1))]).T
        self._fit: Row = np.linalg.solve(gram(rows, owners, counts), targets).astype(np.float32)

    def of(self, query: Row) -> Row:
        """Say for every label how much a vector is like it: about 1 for its own phrases, about 0 for others."""
        said: Row = self._fit[:-1].T @ query + self._fit[-1]
        return said


class Likelihood:
    """One direction a label by multinomial logistic regression. All phrases weigh the same.

    Fitted by accelerated steps (Nesterov, 1983) under a fixed bound of the curvature (Böhning, 1992): no step size
    to choose, no randomness, always the same time.
    """

    def __init__(self, rows: Row, owners: Places, labels: int) -> None:
        """`rows` are vectors of length 1, `owners` the label of each."""
        inputs = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])
        own = np.zeros((len(rows), labels), dtype=np.float32)
        own[np.arange(len(rows)), owners] = 1
        wanted = inputs.T @ own
        bound = 0.5 * (inputs.T @ inputs).astype(np.float64) + _LIKELIHOOD_RIDGE * np.eye(inputs.shape[1])
        step: Row = np.linalg.inv(bound).astype(np.float32)
        fit: Row = np.zeros_like(wanted)
        ahead = fit
        pace = 1.0
        for _ in range(_STEPS):
            given = inputs.T @ np.exp(_log_shares(inputs @ ahead))
            better: Row = ahead + step @ (wanted - given - _LIKELIHOOD_RIDGE * ahead)
            next_pace = (1 + math.sqrt(1 + 4 * pace**2)) / 2
            ahead = (better + (pace - 1) / next_pace * (better - fit)).astype(np.float32)
            fit, pace = better, next_pace
        self._fit: Row = fit

    def of(self, query: Row) -> Row:
        """Say for every label the log of its probability."""
        return _log_shares(self._fit[:-1].T @ query + self._fit[-1])


def head_of(rows: Row, owners: Places, sums: Row, *, several: bool) -> LeastSquares | Likelihood:
    """Fit the directions in the way that suits the number of phrases; `several`: see `labels.are_several`."""
    if several and is_little_work(len(rows), len(sums)):
        return Likelihood(rows, owners, len(sums))
    return LeastSquares(rows, owners, sums)


def is_little_work(rows: int, labels: int) -> bool:
    """Tell whether so many phrases and labels can be fitted by likelihood in the seconds that an edit may take."""
    return rows * labels <= _MOST_WORK


def gram(rows: Row, owners: Places, counts: Places) -> NDArray[np.float64]:
    """Give what the least-squares fit inverts: the rows with a constant beside them, multiplied, plus the ridge.

    `counts` says how many rows each label has.
    """
    multiplied: NDArray[np.float64] = _RIDGE * np.eye(rows.shape[1] + 1)
    for block in blocks(len(rows)):
        inputs = np.hstack([rows[block], np.ones((len(rows[block]), 1), dtype=np.float32)])
        multiplied += (inputs / counts[owners[block]][:, None]).T @ inputs
    return multiplied


def blocks(rows: int) -> Iterator[slice]:
    """Give all rows, in parts that may be in memory twice."""
    return (slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK))


def _log_shares(said: Row) -> Row:
    """Give the log of the softmax over the last axis."""
    below = said - said.max(axis=-1, keepdims=True)
    shares: Row = below - np.log(np.exp(below).sum(axis=-1, keepdims=True))
    return shares
