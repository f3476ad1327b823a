"""Evidence for every label: meaning by vectors, and spelling in two views, made of the phrases of the moment.

The index is immutable; a new one is made when entries change. Search is exact: below 100,000 phrases
nothing else pays (docs/measurements.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import Vectors
from knowledge.labels import DANGERS, Phrase
from knowledge.romanising import pinyin_joined
from knowledge.scripts import PINYIN
from knowledge.spelling import CONSONANTS, LETTERS, Hidden, Spelling, Vocabulary, views

Row = NDArray[np.float32]
Table = NDArray[np.float32]

# The columns of a table of evidence.
FEATURES: Final = ("nearest", "centroid", "head", "letters", "fit", "consonants")
BY_MEANING: Final = FEATURES[:3]
# Below this a mean of a kind says more about its few phrases than about the kind.
_MEAN_FROM: Final = 20
# Of the least-squares head; the classes weigh the same, however many phrases they have.
_RIDGE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each label: one row a label, one column for each of `FEATURES`; and what speaks for danger.

    `alarm` weighs all kinds of danger together against all else: by meaning, and by spelling.
    """

    table: Table
    alarm: tuple[float, float]

    @property
    def by_meaning(self) -> bool:
        """Tell whether there was a vector."""
        return bool(self.table[:, : len(BY_MEANING)].any())

    def spelled(self) -> "Evidence":
        """Give the part that needs no model."""
        table = self.table.copy()
        table[:, : len(BY_MEANING)] = 0
        return Evidence(table, (0.0, self.alarm[1]))


@dataclass(frozen=True, slots=True)
class Vocabularies:
    """What the index remembers from one rebuilding to the next: the n-grams of every text, counted once."""

    letters: Vocabulary = field(default_factory=lambda: Vocabulary(LETTERS))
    consonants: Vocabulary = field(default_factory=lambda: Vocabulary(CONSONANTS))
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    def views(self, text: str) -> tuple[str, str]:
        """Give the two views of a phrase, from memory where it was there before."""
        found = self.seen.get(text)
        if found is None:
            found = self.seen[text] = views(text)
        return found


class Meaning:
    """The phrases as vectors: centred for each kind, with a centroid and a fitted direction for each label."""

    def __init__(
        self, kinds: Sequence[str], owners: NDArray[np.intp], vectors: Vectors, alarming: NDArray[np.bool_]
    ) -> None:
        """`owners` names the label of each vector, rising; `alarming` says of every label whether it is a danger."""
        labels = len(alarming)
        self._owners = owners
        self._means = _means(kinds, vectors)
        self._rows = unit(vectors - np.stack([self._means[kind] for kind in kinds]))
        self._first_rows = np.searchsorted(owners, np.arange(labels))
        self._centroids = unit(np.add.reduceat(self._rows, self._first_rows, axis=0))
        self._head = _head(self._rows, owners, labels)
        self._alarm = _head(self._rows, alarming[owners].astype(np.intp), 2) if alarming.any() else None
        # Only wanted where phrases are hidden, which no resident waits for.
        self._spread: NDArray[np.float64] | None = None

    def evidence(self, vector: Row, kind: str) -> tuple[Row, Row, Row, float]:
        """Give for every label the nearest phrase, the centroid and the head; and the alarm."""
        query = unit((vector - self._means.get(kind, self._means[""]))[None, :])[0]
        nearest = np.maximum.reduceat(self._rows @ query, self._first_rows)
        head = self._head[:-1].T @ query + self._head[-1]
        alarm = 0.0 if self._alarm is None else float(self._alarm[:-1, 1] @ query + self._alarm[-1, 1])
        return nearest, self._centroids @ query, head, alarm

    def without(self, row: int, vector: Row, kind: str) -> tuple[Row, Row, Row]:
        """Give the same for the phrase of a row while it is hidden; only the mean of its kind still counts it."""
        nearest, centroids, head, _ = self.evidence(vector, kind)
        label = int(self._owners[row])
        mine = np.flatnonzero(self._owners == label)
        left = self._rows[mine[mine != row]]
        query = self._rows[row]
        nearest[label] = (left @ query).max() if len(left) else 0.0
        centroids[label] = float(unit(left.sum(axis=0, keepdims=True))[0] @ query)
        # What a least-squares fit says of a row it has not seen follows from what it says and the row's leverage.
        target = np.zeros(len(head), dtype=np.float32)
        target[label] = 1
        leverage = self._leverage(row)
        return nearest, centroids, ((head - leverage * target) / (1 - leverage)).astype(np.float32)

    def _leverage(self, row: int) -> float:
        if self._spread is None:
            weights, inputs = _weighted(self._rows, self._owners, len(self._centroids))
            self._spread = np.asarray(np.linalg.inv(_gram(weights, inputs)), dtype=np.float64)
        weight = 1.0 / int((self._owners == self._owners[row]).sum())
        given = np.append(self._rows[row].astype(np.float64), 1.0)
        return float(weight * np.dot(np.dot(given, self._spread), given))


class Index:
    """Everything that is needed to weigh labels for a message."""

    def __init__(self, phrases: Sequence[Phrase], vectors: Vectors | None, vocabularies: Vocabularies) -> None:
        """`vectors` has one row for each phrase, of any content where it is not embedded; None: there is no model."""
        self.labels = tuple(sorted({phrase.label for phrase in phrases}))
        places = {label: place for place, label in enumerate(self.labels)}
        of_phrase = np.array([places[phrase.label] for phrase in phrases], dtype=np.intp)
        order = np.argsort(of_phrase, kind="stable")
        sorted_phrases, owners = [phrases[place] for place in order], of_phrase[order]
        texts = [vocabularies.views(phrase.text) for phrase in sorted_phrases]
        self._owners, self._rows = owners, np.argsort(order)
        alarming = np.array([label in DANGERS for label in self.labels], dtype=np.bool_)
        self._letters = Spelling(vocabularies.letters, [text for text, _ in texts], owners, alarming)
        self._consonants = Spelling(vocabularies.consonants, [text for _, text in texts], owners, alarming)
        self.meaning: Meaning | None = None
        if vectors is not None:
            embedded = np.array([phrase.embedded for phrase in sorted_phrases], dtype=np.bool_)
            self._embedded_rows = np.cumsum(embedded) - 1
            kinds = [phrase.kind for phrase in sorted_phrases if phrase.embedded]
            self.meaning = Meaning(kinds, owners[embedded], vectors[order[embedded]], alarming)

    def evidence(self, text: str, kind: str, vector: Row | None) -> Evidence:
        """Weigh all labels for a cleaned text. Without a vector the columns `BY_MEANING` are zero."""
        spelled = self._spelled(text, kind)
        return spelled if vector is None else self.with_meaning(spelled, kind, vector)

    def with_meaning(self, spelled: Evidence, kind: str, vector: Row) -> Evidence:
        """Add to the evidence of spelling what the vector says; as it is where the phrases have no vectors."""
        if self.meaning is None:
            return spelled
        table = spelled.table.copy()
        table[:, 0], table[:, 1], table[:, 2], alarm = self.meaning.evidence(vector, kind)
        return Evidence(table, (alarm, spelled.alarm[1]))

    def without(self, place: int, phrase: Phrase, vector: Row | None) -> Table:
        """Weigh all labels for one of the index's own phrases, as if nobody had written it; `place` is where it stood.

        `vector` may be of a phrase that is not embedded: then nothing of the vectors has to be hidden.
        """
        row = int(self._rows[place])
        table = self._spelled(phrase.text, phrase.kind, hidden=row).table
        if vector is not None and self.meaning is not None:
            if phrase.embedded:
                meant = self.meaning.without(int(self._embedded_rows[row]), vector, phrase.kind)
            else:
                meant = self.meaning.evidence(vector, phrase.kind)[:3]
            table[:, 0], table[:, 1], table[:, 2] = meant
        return table

    def _spelled(self, text: str, kind: str, *, hidden: int | None = None) -> Evidence:
        table = np.zeros((len(self.labels), len(FEATURES)), dtype=np.float32)
        letters, consonants = views(text)
        but, but_consonants = None, None
        if hidden is not None:
            label = int(self._owners[hidden])
            but, but_consonants = Hidden(hidden, label, letters), Hidden(hidden, label, consonants)
        if kind == PINYIN:
            letters = pinyin_joined(letters)
        table[:, 3], table[:, 4], spelled_alarm = self._letters.evidence(letters, but=but)
        table[:, 5] = self._consonants.nearest(consonants, but=but_consonants)
        return Evidence(table, (0.0, spelled_alarm))


def _means(kinds: Sequence[str], vectors: Vectors) -> dict[str, Row]:
    """Give the mean vector of each kind of text, and under "" that of all, for kinds with too few texts."""
    overall = vectors.mean(axis=0)
    means: dict[str, Row] = {"": overall}
    rows_of: dict[str, list[int]] = {}
    for place, kind in enumerate(kinds):
        rows_of.setdefault(kind, []).append(place)
    for kind, rows in rows_of.items():
        means[kind] = vectors[rows].mean(axis=0) if len(rows) >= _MEAN_FROM else overall
    return means


def _head(rows: Row, owners: NDArray[np.intp], labels: int) -> Row:
    """Fit one direction a label by regularised least squares, in closed form; the last row is the intercept."""
    weights, inputs = _weighted(rows, owners, labels)
    targets = np.zeros((inputs.shape[1], labels))
    np.add.at(targets.T, owners, inputs * weights)
    return np.linalg.solve(_gram(weights, inputs), targets).astype(np.float32)


def _weighted(rows: Row, owners: NDArray[np.intp], labels: int) -> tuple[NDArray[np.float64], Row]:
    """Give how much each row counts, and the rows with a constant beside them."""
    weights: NDArray[np.float64] = (1.0 / np.bincount(owners, minlength=labels))[owners][:, None]
    return weights, np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])


def _gram(weights: NDArray[np.float64], inputs: Row) -> NDArray[np.float64]:
    gram: NDArray[np.float64] = (inputs * weights).T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    return gram


def unit(rows: Row) -> Row:
    """Scale every row to length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Row = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return scaled
