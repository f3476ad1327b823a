"""Ranking entries for a message: meaning by vectors, and spelling by character n-grams.

Entries are matched on their questions and phrases in all languages, never on their answers. The index is
immutable; a new one is made when entries change. Search is exact: below 100,000 phrases nothing else pays.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import DIMENSIONS, Vectors
from knowledge.entry import Entry
from knowledge.files import normalised
from knowledge.language import LanguageModel, kind_of

# Weights of the parts of a score.
NEAREST: Final = 0.5
CENTROID: Final = 0.5
SPELLING: Final = 0.15
_ORDERS: Final = (2, 3, 4, 5)
_WORD: Final = re.compile(r"\w+")
# Below this a mean of a language says more about its few phrases than about the language.
_MEAN_FROM: Final = 20

Row = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry with its score and the parts of it, each between -1 and 1."""

    slug: str
    score: float
    nearest: float
    centroid: float
    spelling: float


@dataclass(frozen=True, slots=True)
class Phrase:
    """A question or phrase of an entry: what is matched."""

    entry: int
    language: str
    text: str


def phrases_of(entries: Sequence[Entry]) -> list[Phrase]:
    """Give all that is matched, in a fixed order."""
    return [
        Phrase(place, translation.language, text)
        for place, entry in enumerate(entries)
        for translation in entry.translations.values()
        for text in dict.fromkeys((translation.question, *translation.phrases))
    ]


class Index:
    """Everything that is needed to rank, made of the entries of the moment."""

    def __init__(self, entries: Sequence[Entry], vectors: Vectors | None) -> None:
        """`vectors` has one row for each of `phrases_of(entries)`; None: there is no model, spelling must do."""
        phrases = phrases_of(entries)
        self.slugs = tuple(entry.slug for entry in entries)
        self.languages = LanguageModel((phrase.language, phrase.text) for phrase in phrases)
        self._exact = {normalised(phrase.text): phrase.entry for phrase in phrases}
        self._owners = np.array([phrase.entry for phrase in phrases], dtype=np.intp)
        self._spelling = _Spelling([phrase.text for phrase in phrases])
        self.dense = vectors is not None
        if vectors is not None:
            kinds = [kind_of(phrase.language, phrase.text) for phrase in phrases]
            self._means = _means(kinds, vectors)
            self._vectors = _unit(vectors - np.stack([self._means[kind] for kind in kinds]))
            self._centroids = self._make_centroids()

    def exact(self, text: str) -> str | None:
        """Give the entry that has this very question or phrase, or None."""
        entry = self._exact.get(normalised(text))
        return None if entry is None else self.slugs[entry]

    def rank(self, text: str, kind: str, vector: Row | None) -> list[Candidate]:
        """Rank all entries for a cleaned text, best first; `kind` is its class as `language` tells it."""
        count = len(self.slugs)
        if not count:
            return []
        spelling = self._best_of_entry(self._spelling.scores(text))
        if vector is None or not self.dense:
            nearest = centroid = np.zeros(count, dtype=np.float32)
            score = spelling
        else:
            query = _unit((vector - self._means.get(kind, self._means[""]))[None, :])[0]
            nearest = self._best_of_entry(self._vectors @ query)
            centroid = self._centroids @ query
            score = NEAREST * nearest + CENTROID * centroid + SPELLING * spelling
        order = np.argsort(-score, kind="stable")
        return [
            Candidate(
                self.slugs[place],
                float(score[place]),
                float(nearest[place]),
                float(centroid[place]),
                float(spelling[place]),
            )
            for place in order
        ]

    def _best_of_entry(self, scores: Row) -> Row:
        best = np.full(len(self.slugs), -1.0, dtype=np.float32)
        np.maximum.at(best, self._owners, scores)
        return best

    def _make_centroids(self) -> Row:
        sums = np.zeros((len(self.slugs), DIMENSIONS), dtype=np.float32)
        np.add.at(sums, self._owners, self._vectors)
        return _unit(sums)


class _Spelling:
    """Tf-idf over character n-grams inside words, as an inverted index."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(_grams(text)) for text in texts]
        seen: Counter[str] = Counter()
        for counts in counted:
            seen.update(counts.keys())
        self._idf = {gram: float(np.log((1 + len(texts)) / (1 + count)) + 1) for gram, count in seen.items()}
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, counts in enumerate(counted):
            for gram, weight in self._weights(counts).items():
                postings[gram].append((place, weight))
        self._postings: Mapping[str, tuple[NDArray[np.intp], Row]] = {
            gram: (
                np.array([place for place, _ in found], dtype=np.intp),
                np.array([weight for _, weight in found], dtype=np.float32),
            )
            for gram, found in postings.items()
        }
        self._size = len(texts)

    def scores(self, text: str) -> Row:
        scores = np.zeros(self._size, dtype=np.float32)
        counts = Counter(_grams(text))
        for gram, weight in self._weights(counts).items():
            found = self._postings.get(gram)
            if found is not None:
                scores[found[0]] += weight * found[1]
        return scores

    def _weights(self, counts: Mapping[str, int]) -> dict[str, float]:
        # An n-gram that no phrase has counts as the rarest: a text full of unknown words is far from all phrases.
        rarest = float(np.log(1 + len(self._idf))) if self._idf else 1.0
        weights = {gram: (1 + np.log(count)) * self._idf.get(gram, rarest) for gram, count in counts.items()}
        length = float(np.sqrt(sum(weight * weight for weight in weights.values()))) or 1.0
        return {gram: float(weight / length) for gram, weight in weights.items()}


def _grams(text: str) -> Iterable[str]:
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        edged = f" {word} "
        for order in _ORDERS:
            for start in range(max(len(edged) - order + 1, 0)):
                yield edged[start : start + order]


def _means(kinds: Sequence[str], vectors: Vectors) -> dict[str, Row]:
    """Give the mean vector of each class of texts, and under "" that of all, for classes with too few texts."""
    overall = vectors.mean(axis=0) if len(vectors) else np.zeros(DIMENSIONS, dtype=np.float32)
    means: dict[str, Row] = {"": overall}
    for kind in set(kinds):
        rows = [place for place, other in enumerate(kinds) if other == kind]
        means[kind] = vectors[rows].mean(axis=0) if len(rows) >= _MEAN_FROM else overall
    return means


def _unit(rows: Row) -> Row:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Row = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return unit
