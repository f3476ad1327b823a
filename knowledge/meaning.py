"""Evidence from meaning: the phrases as vectors, centred for each kind of text."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Row, unit
from knowledge.embedding import Vectors
from knowledge.heads import LeastSquares, Likelihood, blocks, head_of

Places = NDArray[np.intp]

# Below this a mean of a kind says more about its few phrases than about the kind.
_MEAN_FROM: Final = 20
# With fewer phrases a label, most are its question in several languages, and the nearest says more about the language
# than about the label: their middle stands for it (XQuAD: docs/decisions/0049).
_NEAREST_FROM: Final = 8


class Meaning:
    """The phrases as vectors, with a centroid and a fitted direction for each label.

    `rows` are the vectors, centred and of length 1, in the order of their labels. `by_middle`: the phrases are too few
    for the nearest to count.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        owners: Places,
        vectors: Vectors,
        chosen: Places,
        alarming: NDArray[np.bool_],
        *,
        several: bool = False,
    ) -> None:
        """Take the rows of `vectors` at `chosen`, with the kind and the label of each; labels rise, each has a row.

        `alarming` says of every label whether it is a danger; `several`: see `labels.are_several`.
        """
        labels = len(alarming)
        self._means = _means(kinds, vectors, chosen)
        self.rows = np.empty((len(chosen), vectors.shape[1]), dtype=np.float32)
        sums = np.zeros((labels, vectors.shape[1]), dtype=np.float32)
        for block in blocks(len(chosen)):
            centres = np.stack([self._means[kind] for kind in kinds[block]])
            rows = unit(vectors[chosen[block]] - centres)
            self.rows[block] = rows
            starts = np.flatnonzero(np.diff(owners[block], prepend=-1))
            sums[owners[block][starts]] += np.add.reduceat(rows, starts, axis=0)
        self.by_middle = len(chosen) < _NEAREST_FROM * labels
        self._first_rows = np.searchsorted(owners, np.arange(labels))
        self._counts = np.bincount(owners, minlength=labels)
        self._centroids = unit(sums)
        self.head = head_of(self.rows, owners, sums, several=several)
        self._alarm: LeastSquares | None = None
        if alarming.any():
            of_group = np.stack([sums[~alarming].sum(axis=0), sums[alarming].sum(axis=0)])
            self._alarm = LeastSquares(self.rows, alarming[owners].astype(np.intp), of_group)

    @property
    def likely(self) -> bool:
        """Tell whether the head tells logs of probabilities."""
        return isinstance(self.head, Likelihood)

    def query(self, vector: Row, kind: str) -> Row:
        """Centre the vector of a message."""
        centred: Row = unit((vector - self._means.get(kind, self._means[""]))[None, :])[0]
        return centred

    def overall(self, query: Row) -> tuple[Row, Row, float]:
        """Give for every label the centroid and the head; and the alarm."""
        alarm = 0.0 if self._alarm is None else float(self._alarm.of(query)[1])
        return self._centroids @ query, self.head.of(query), alarm

    def nearest(self, query: Row) -> Row:
        """Give for every label the nearest phrase."""
        if self.by_middle:
            return self._centroids @ query
        nearest: Row = np.maximum.reduceat(self.rows @ query, self._first_rows)
        return nearest

    def nearest_of(self, query: Row, labels: Places) -> Row:
        """Give for some labels the nearest phrase."""
        if self.by_middle:
            return self._centroids[labels] @ query
        lengths = self._counts[labels]
        firsts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(self._first_rows[labels] - firsts, lengths)
        nearest: Row = np.maximum.reduceat(self.rows[rows] @ query, firsts)
        return nearest


def _means(kinds: Sequence[str], vectors: Vectors, chosen: Places) -> dict[str, Row]:
    """Give the mean vector of each kind of text, and under "" that of all, for kinds with too few texts."""
    rows_of: dict[str, list[int]] = {}
    for place, kind in enumerate(kinds):
        rows_of.setdefault(kind, []).append(place)
    total = sum(vectors[chosen[rows]].sum(axis=0, dtype=np.float64) for rows in rows_of.values())
    overall: Row = np.asarray(total / len(chosen), dtype=np.float32)
    means: dict[str, Row] = {"": overall}
    for kind, rows in rows_of.items():
        means[kind] = vectors[chosen[rows]].mean(axis=0) if len(rows) >= _MEAN_FROM else overall
    return means
