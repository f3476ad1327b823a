"""Phrases hidden in turn, and asked of those that are left as if they were messages."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Directions
from knowledge.embedding import Vectors
from knowledge.heads import is_little_work
from knowledge.labels import SIGNALS, Phrase, are_few, are_several
from knowledge.search import Evidence, Index, Vocabularies
from knowledge.weighing import Masks

# How many hidden phrases are asked: of entries for each kind of text (more where there are few kinds), and of
# signals for each label.
ASKED: Final = 1800
ASKED_PER_KIND: Final = 120
ASKED_PER_SIGNAL: Final = 110
# In how many parts the phrases are hidden, one after the other; more where there are few, so that what is left is like
# the whole.
_PARTS: Final = 3
_MORE_PARTS: Final = 5
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Told:
    """What a calibration is fitted on: the phrases of entries and signals, and what a model says of each, if it does.

    `vectors` has a row, and `words` the tokens, for each phrase; of any content where it is not embedded.
    """

    phrases: Sequence[Phrase]
    vectors: Vectors | None
    words: Sequence[Directions] | None

    def at(self, places: Sequence[int]) -> "Told":
        """Give some of them."""
        return Told(
            [self.phrases[place] for place in places],
            None if self.vectors is None else self.vectors[places],
            None if self.words is None else [self.words[place] for place in places],
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A hidden phrase asked as a message: the evidence it found, and the place of its label."""

    phrase: Phrase
    evidence: Evidence
    place: int


def ask(told: Told, vocabularies: Vocabularies) -> tuple[list[Asked], Masks]:
    """Hide each part of the phrases in turn, and ask a share of them."""
    phrases = told.phrases
    parts = _MORE_PARTS if are_few(phrases) else _PARTS
    # As the index of them all is made: of what is left, the head might tell something else, on another scale.
    embedded = sum(phrase.embedded for phrase in phrases)
    several = are_several(phrases) and is_little_work(embedded, len({phrase.label for phrase in phrases}))
    part_of = _part_of(phrases, parts)
    chosen = _chosen(phrases)
    asked: list[Asked] = []
    for hidden in range(parts):
        kept = np.flatnonzero(part_of != hidden).tolist()
        to_ask = [place for place in np.flatnonzero(part_of == hidden).tolist() if place in chosen]
        of_part, masks = _ask_part(told.at(kept), told.at(to_ask), vocabularies, several=several)
        asked += of_part
    return asked, masks


def hidden_entries(phrases: Sequence[Phrase]) -> int:
    """Give how many entries are asked for: those of which another phrase is left while one is hidden."""
    found = Counter(phrase.label for phrase in phrases if phrase.embedded and phrase.label not in SIGNALS)
    return sum(number > 1 for number in found.values())


def _part_of(phrases: Sequence[Phrase], parts: int) -> NDArray[np.intp]:
    """Give for each phrase the part it is hidden with; every label keeps some that are embedded in each part."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    embedded: dict[str, list[int]] = defaultdict(list)
    part_of = np.zeros(len(phrases), dtype=np.intp)
    for place, phrase in enumerate(phrases):
        key = (phrase.label, f"{phrase.kind} {phrase.embedded}")
        part_of[place] = seen[key] % parts
        seen[key] += 1
        if phrase.embedded:
            embedded[phrase.label].append(place)
    for places in embedded.values():
        # An entry with nothing but its question in each language: they would be hidden all at once.
        if len(set(part_of[places].tolist())) == 1:
            part_of[places] = np.arange(len(places)) % parts if len(places) > 1 else _NEVER
    return part_of


def _ask_part(kept: Told, hidden: Told, vocabularies: Vocabularies, *, several: bool) -> tuple[list[Asked], Masks]:
    """Ask phrases of an index of others, which is gone afterwards: there is never more than one."""
    index = Index(kept.phrases, kept.vectors, vocabularies, words=kept.words, several=several)
    places = {label: place for place, label in enumerate(index.labels)}
    asked: list[Asked] = []
    for number, phrase in enumerate(hidden.phrases):
        vector = None if hidden.vectors is None else hidden.vectors[number]
        words = None if hidden.words is None else hidden.words[number]
        evidence = index.evidence(phrase.text, phrase.kind, vector, words).leading(phrase.kind)
        asked.append(Asked(phrase, evidence, places[phrase.label]))
    return asked, Masks.of(index.labels)


def _chosen(phrases: Sequence[Phrase]) -> frozenset[int]:
    """Choose the phrases to ask: evenly over what there is of each kind, and of each signal."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, phrase in enumerate(phrases):
        if not phrase.embedded:
            continue
        groups[phrase.label if phrase.label in SIGNALS else f"kind {phrase.kind}"].append(place)
    chosen: set[int] = set()
    kinds = sum(group.startswith("kind ") for group in groups)
    per_kind = max(ASKED_PER_KIND, ASKED // max(kinds, 1))
    for group, places in groups.items():
        most = per_kind if group.startswith("kind ") else ASKED_PER_SIGNAL
        step = max(len(places) / most, 1.0)
        chosen.update(places[int(number * step)] for number in range(int(len(places) / step)))
    return frozenset(chosen)
