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
from knowledge.spelling import CONSONANTS, LETTERS, Spelling, Vocabulary, views

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
        self._means = _means(kinds, vectors)
        self._rows = unit(vectors - np.stack([self._means[kind] for kind in kinds]))
        self._first_rows = np.searchsorted(owners, np.arange(labels))
        self._centroids = unit(np.add.reduceat(self._rows, self._first_rows, axis=0))
        self._head = _head(self._rows, owners, labels)
        self._alarm = _head(self._rows, alarming[owners].astype(np.intp), 2) if alarming.any() else None

    def evidence(self, vector: Row, kind: str) -> tuple[Row, Row, Row, float]:
        """Give for every label the nearest phrase, the centroid and the head; and the alarm."""
        query = unit((vector - self._means.get(kind, self._means[""]))[None, :])[0]
        nearest = np.maximum.reduceat(self._rows @ query, self._first_rows)
        head = self._head[:-1].T @ query + self._head[-1]
        alarm = 0.0 if self._alarm is None else float(self._alarm[:-1, 1] @ query + self._alarm[-1, 1])
        return nearest, self._centroids @ query, head, alarm


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
        alarming = np.array([label in DANGERS for label in self.labels], dtype=np.bool_)
        self._letters = Spelling(vocabularies.letters, [text for text, _ in texts], owners, alarming)
        self._consonants = Spelling(vocabularies.consonants, [text for _, text in texts], owners, alarming)
        self.meaning: Meaning | None = None
        if vectors is not None:
            embedded = np.array([phrase.embedded for phrase in sorted_phrases], dtype=np.bool_)
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

    def _spelled(self, text: str, kind: str) -> Evidence:
        table = np.zeros((len(self.labels), len(FEATURES)), dtype=np.float32)
        letters, consonants = views(text)
        if kind == PINYIN:
            letters = pinyin_joined(letters)
        table[:, 3], table[:, 4], spelled_alarm = self._letters.evidence(letters)
        table[:, 5] = self._consonants.nearest(consonants)
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
    weights = (1.0 / np.bincount(owners, minlength=labels))[owners][:, None]
    inputs = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])
    weighted = inputs * weights
    targets = np.zeros((inputs.shape[1], labels))
    np.add.at(targets.T, owners, weighted)
    gram = weighted.T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    return np.linalg.solve(gram, targets).astype(np.float32)


def unit(rows: Row) -> Row:
    """Scale every row to length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Row = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return scaled
