"""Phrases that are nearer to another entry than to their own, and the entries that steal from each other.

Every phrase is asked as a message while it is hidden from the index, and the labels are weighed as for a message: by
the same evidence and the same weights. Where entries have few phrases that is so but for single words, which are not
compared, and a head fitted by likelihood, which is left out with the weights that go with it. Such a phrase asks for
the other entry, or two entries say nearly the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from knowledge.directions import Row
from knowledge.hiding import Hiding
from knowledge.labels import SIGNALS, Phrase
from knowledge.reader import Reader
from knowledge.scoring import scores_of
from knowledge.scripts import is_romanised

_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Collision:
    """A phrase of the entry `slug` that scores higher for the entry `other`."""

    language: str
    phrase: str
    slug: str
    score: float
    other: str
    other_score: float

    @property
    def ahead(self) -> float:
        """Give by how much the other entry is nearer."""
        return self.other_score - self.score


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entries, by slug in their alphabetical order, and how many phrases each loses to the other."""

    slugs: tuple[str, str]
    lost: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Collisions:
    """All that were found among `asked` phrases, the clearest first, with the pairs, those with most first.

    `by_meaning` is false where the phrases were compared by spelling alone.
    """

    asked: int
    by_meaning: bool
    found: tuple[Collision, ...]
    pairs: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "asked": self.asked,
            "by_meaning": self.by_meaning,
            "phrases": [
                {
                    "language": one.language,
                    "phrase": one.phrase,
                    "slug": one.slug,
                    "score": round(one.score, _DIGITS),
                    "other": one.other,
                    "other_score": round(one.other_score, _DIGITS),
                }
                for one in self.found
            ],
            "pairs": [{"slugs": list(pair.slugs), "lost": list(pair.lost)} for pair in self.pairs],
        }

    def as_text(self) -> str:
        """Give everything for reading, a phrase or a pair a line."""
        lines = [
            f"{one.language} {one.slug} {one.score:.2f} < {one.other} {one.other_score:.2f}: {one.phrase}"
            for one in self.found
        ]
        for pair in self.pairs:
            (first, second), (lost, taken) = pair.slugs, pair.lost
            lines.append(f"{lost + taken:>4} {first} and {second}: {lost} of the first, {taken} of the second")
        means = "meaning and spelling" if self.by_meaning else "spelling alone"
        return "\n".join(
            [*lines, f"{self.asked} phrases asked, by {means}; {len(self.found)} nearer to another entry."]
        )


def places_of(reader: Reader, language: str | None) -> list[int]:
    """Give where the phrases of entries stand in a reader, of one language or of all."""
    return [
        place
        for place, phrase in enumerate(reader.phrases)
        if phrase.label not in SIGNALS and language in {None, phrase.language}
    ]


def find(reader: Reader, places: Sequence[int], vectors: Mapping[int, Row]) -> Collisions:
    """Compare the phrases at these places; `vectors` holds those that are to be compared by meaning too, by place."""
    if reader.index is None:
        return Collisions(0, by_meaning=False, found=(), pairs=())
    entries = np.flatnonzero(reader.masks.entries)
    labels = [reader.label(place) for place in entries.tolist()]
    hiding = Hiding(reader.index, reader.phrases, reader.vocabularies)
    found: list[Collision] = []
    for place in places:
        phrase, vector = reader.phrases[place], vectors.get(place)
        table = hiding.without(place, vector)
        scores = scores_of(table, romanised=is_romanised(phrase.kind), by_meaning=vector is not None)[entries]
        own, best = labels.index(phrase.label), int(scores.argmax())
        if scores[best] > scores[own]:
            found.append(_collision(phrase, float(scores[own]), labels[best], float(scores[best])))
    found.sort(key=lambda one: (-one.ahead, one.slug, one.language, one.phrase))
    return Collisions(len(places), by_meaning=bool(vectors), found=tuple(found), pairs=_pairs(found))


def _collision(phrase: Phrase, score: float, other: str, other_score: float) -> Collision:
    return Collision(phrase.language, phrase.text, phrase.label, score, other, other_score)


def _pairs(found: Sequence[Collision]) -> tuple[Pair, ...]:
    lost = Counter((one.slug, one.other) for one in found)
    both = {(min(slug, other), max(slug, other)) for slug, other in lost}
    pairs = [Pair((first, second), (lost[first, second], lost[second, first])) for first, second in both]
    return tuple(sorted(pairs, key=lambda pair: (-sum(pair.lost), pair.slugs)))
