"""Evidence from spelling: character n-grams, as an index over phrases and as counts over labels.

Two views of a text are compared: its letters in Latin, and its consonants. For each, the index gives the
similarity of a message with its nearest phrase of every label (tf-idf, cosine), and how much better its
n-grams fit each label than all others (complement naive Bayes: Rennie et al., ICML 2003).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.romanising import in_latin, skeleton

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Short = NDArray[np.int32]

LETTERS: Final = (2, 3, 4, 5)
CONSONANTS: Final = (1, 2, 3, 4)
SMOOTHING: Final = 0.3
# An n-gram that more than this share of all phrases have tells nearly nothing about which one is near, and
# takes most of the time.
COMMON: Final = 0.02
COMMON_AT_LEAST: Final = 300
COMMON_AT_MOST: Final = 1000
# Likewise for an n-gram that so many labels have: which of them it speaks for makes no difference.
COMMON_LABELS: Final = 600


def ngrams(words: Sequence[str], orders: Sequence[int]) -> Iterator[str]:
    """Give the character n-grams of each word, edges marked by a space."""
    for word in words:
        edged = f" {word} "
        for order in orders:
            for start in range(len(edged) - order + 1):
                yield edged[start : start + order]


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of a text: numbers of a vocabulary with their counts, and how many are not in it."""

    ids: Places
    counts: Floats
    unknown: int


# How a counted text is kept: the numbers of its n-grams, and behind them how often it has each. As bytes and not as
# arrays, whose own size is more than that of what most texts hold.
_NUMBER: Final = np.dtype(np.int32)
_TIMES: Final = np.dtype(np.uint16)
_A_GRAM: Final = _NUMBER.itemsize + _TIMES.itemsize


@dataclass(slots=True)
class Vocabulary:
    """Numbers n-grams and remembers the texts it has counted, so that a rebuilt index counts only what is new."""

    orders: tuple[int, ...]
    _numbers: dict[str, int] = field(default_factory=dict)
    _counted: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        """Give how many n-grams have a number."""
        return len(self._numbers)

    def learn(self, texts: Sequence[str]) -> tuple[Short, Floats, Places]:
        """Count texts, numbering what is new; gives n-grams and counts, text by text, and how many each text has."""
        kept = [self._learnt(text) for text in texts]
        lengths = np.array([len(packed) // _A_GRAM for packed in kept], dtype=np.int64)
        ends = (lengths * _NUMBER.itemsize).tolist()
        ids = b"".join([packed[:end] for packed, end in zip(kept, ends, strict=True)])
        times = b"".join([packed[end:] for packed, end in zip(kept, ends, strict=True)])
        return np.frombuffer(ids, _NUMBER), np.frombuffer(times, _TIMES).astype(np.float32), lengths

    def _learnt(self, text: str) -> bytes:
        known = self._counted.get(text)
        if known is None:
            numbers = self._numbers
            ids = [numbers.setdefault(gram, len(numbers)) for gram in ngrams(text.split(), self.orders)]
            unique, counts = np.unique(np.array(ids, dtype=np.int64), return_counts=True)
            known = unique.astype(_NUMBER).tobytes() + counts.astype(_TIMES).tobytes()
            self._counted[text] = known
        return known

    def look_up(self, text: str) -> Grams:
        """Count a text without learning from it."""
        numbers = self._numbers
        found = [numbers.get(gram, -1) for gram in ngrams(text.split(), self.orders)]
        ids, counts = np.unique(np.array([place for place in found if place >= 0], dtype=np.int64), return_counts=True)
        return Grams(ids, counts.astype(np.float32), len(found) - int(counts.sum()))


@dataclass(frozen=True, slots=True)
class Postings:
    """For each n-gram, where it occurs and with which weight."""

    starts: Places
    places: NDArray[np.int32]
    weights: Floats

    @classmethod
    def of(cls, grams: NDArray[Any], places: NDArray[Any], weights: Floats, size: int) -> "Postings":
        """Take what occurs, n-gram by n-gram; `size` is how many n-grams have a number."""
        starts = np.zeros(size + 1, dtype=np.int64)
        np.cumsum(np.bincount(grams, minlength=size), out=starts[1:])
        return cls(starts, places.astype(np.int32), weights.astype(np.float32))

    def hold(self, ids: Places) -> NDArray[np.bool_]:
        """Tell for each n-gram whether it occurs anywhere."""
        found: NDArray[np.bool_] = self.starts[ids + 1] > self.starts[ids]
        return found

    def of_query(self, ids: Places) -> tuple[NDArray[np.int32], Floats, Places]:
        """Give places and weights of all n-grams of a query, and for each which n-gram of the query it is of."""
        starts, lengths = self.starts[ids], self.starts[ids + 1] - self.starts[ids]
        total = int(lengths.sum())
        within = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        taken = np.repeat(starts, lengths) + within
        return self.places[taken], self.weights[taken], np.repeat(np.arange(len(ids)), lengths)


class Spelling:
    """One view of all phrases, immutable once made. Phrases come in the order of their labels.

    `size` is how many n-grams had a number then; `rows` holds the telling ones of each phrase, with their weights,
    and `gains` how much each says for a label.
    """

    def __init__(
        self, vocabulary: Vocabulary, texts: Sequence[str], owners: NDArray[np.intp], alarming: NDArray[np.bool_]
    ) -> None:
        """`owners` names the label of each text, rising; `alarming` says of every label whether it is a danger."""
        labels = len(alarming)
        self._vocabulary = vocabulary
        grams, rows, weights = _counted(vocabulary, texts)
        size = self.size = len(vocabulary)
        self._idf = (np.log((1 + len(texts)) / (1 + np.bincount(grams, minlength=size))) + 1).astype(np.float32)
        self._rarest = float(np.log(1 + len(texts)) + 1)
        weights = self._unit(grams, rows, weights)
        common = min(max(COMMON * len(texts), COMMON_AT_LEAST), COMMON_AT_MOST)
        order = np.argsort(grams, kind="stable")
        grams, rows, weights = grams[order], rows[order], weights[order]
        telling = (np.bincount(grams, minlength=size) <= common)[grams]
        self.rows = Postings.of(grams[telling], rows[telling], weights[telling], size)
        self._count = len(texts)
        self._first_rows = np.searchsorted(owners, np.arange(labels))
        of_pair, label_of_pair, sums = label_by_label(grams, owners[rows], weights)
        of_gram = np.bincount(of_pair, weights=sums, minlength=size)
        total = of_gram[of_pair] + SMOOTHING
        gains = (np.log(total) - np.log(total - sums)).astype(np.float32)
        telling = (np.bincount(of_pair, minlength=size) <= COMMON_LABELS)[of_pair]
        self.gains = Postings.of(of_pair[telling], label_of_pair[telling], gains[telling], size)
        of_alarm = np.bincount(of_pair, weights=sums * alarming[label_of_pair], minlength=size)
        self._odds = _log_odds(of_alarm, of_gram - of_alarm)
        of_label = np.bincount(label_of_pair, weights=sums, minlength=labels)
        self._others = np.log(SMOOTHING * size + of_label.sum() - of_label)

    def nearest(self, text: str) -> Floats:
        """Give for every label the similarity with its nearest phrase."""
        return self._nearest(*self.weighed(text))

    def evidence(self, text: str) -> tuple[Floats, Floats, float]:
        """Give for every label the similarity with its nearest phrase and the fit of its n-grams; and the alarm.

        The alarm is how much more the n-grams are those of danger than of anything else.
        """
        ids, weights = self.weighed(text)
        labels, gains, of_query = self.gains.of_query(ids)
        gained = np.bincount(labels, weights=gains * weights[of_query], minlength=len(self._others))
        fit = gained + weights.sum() * self._others
        alarm = float(weights @ self._odds[ids])
        return self._nearest(ids, weights), (fit - fit.mean()).astype(np.float32), alarm

    def own(self, texts: Sequence[str]) -> tuple[Short, Places, Floats]:
        """Give n-gram, row and weight of all that its own texts hold: counted again, because it keeps less."""
        grams, rows, weights = _counted(self._vocabulary, texts)
        return grams, rows, self._unit(grams, rows, weights)

    def weighed(self, text: str) -> tuple[Places, Floats]:
        """Give the known n-grams of a text with their weights, as parts of a vector of length 1."""
        grams = self._vocabulary.look_up(text)
        known = grams.ids < self.size  # an index made later may have learnt more
        ids, counts = grams.ids[known], grams.counts[known]
        weights = (1 + np.log(counts)) * self._idf[ids]
        # An n-gram that no phrase has counts as the rarest: a text of unknown words is far from all phrases.
        strange = grams.unknown + int((~known).sum())
        length = float(np.sqrt((weights**2).sum() + strange * self._rarest**2)) or 1.0
        return ids, (weights / length).astype(np.float32)

    def _unit(self, grams: Short, rows: Places, weights: Floats) -> Floats:
        """Weigh n-grams by their rarity too, as parts of a vector of length 1 for each row."""
        weights = weights * self._idf[grams]
        norms = np.sqrt(np.bincount(rows, weights=weights**2))
        scaled: Floats = (weights / np.where(norms == 0, 1, norms)[rows]).astype(np.float32)
        return scaled

    def _nearest(self, ids: Places, weights: Floats) -> Floats:
        rows, row_weights, of_query = self.rows.of_query(ids)
        similar = np.bincount(rows, weights=row_weights * weights[of_query], minlength=self._count)
        nearest: Floats = np.maximum.reduceat(similar, self._first_rows).astype(np.float32)
        return nearest


def label_by_label(grams: Short, labels: Places, weights: Floats) -> tuple[Short, Places, Floats]:
    """Sum what each label has of each n-gram: of what comes n-gram by n-gram, and label by label in each."""
    firsts = np.flatnonzero((np.diff(grams, prepend=-1) != 0) | (np.diff(labels, prepend=-1) != 0))
    sums: Floats = np.add.reduceat(weights.astype(np.float64), firsts).astype(np.float32)
    return grams[firsts], labels[firsts], sums


def _counted(vocabulary: Vocabulary, texts: Sequence[str]) -> tuple[Short, Places, Floats]:
    """Give n-gram, row and weight by count of all that the texts hold, row by row."""
    grams, counts, lengths = vocabulary.learn(texts)
    weights: Floats = 1 + np.log(counts)
    return grams, np.repeat(np.arange(len(texts)), lengths), weights


def _log_odds(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    smooth = SMOOTHING * len(one)
    odds = np.log((one + SMOOTHING) / (one.sum() + smooth)) - np.log((other + SMOOTHING) / (other.sum() + smooth))
    narrow: Floats = odds.astype(np.float32)
    return narrow


def views(text: str) -> tuple[str, str]:
    """Give the two views of a cleaned text: letters in Latin, and consonants."""
    latin = in_latin(text)
    return " ".join("".join(c if c.isalnum() else " " for c in latin).split()), skeleton(latin)
