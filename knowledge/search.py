"""Evidence for every label: meaning by vectors, and spelling in two views, made of the phrases of the moment.

The index is immutable; a new one is made when entries change. Search is exact: below 100,000 phrases
nothing else pays (docs/measurements.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Directions, Row
from knowledge.embedding import Vectors
from knowledge.labels import DANGERS, SIGNALS, Phrase, are_several
from knowledge.language import LanguageModel
from knowledge.meaning import Meaning
from knowledge.remembering import Last
from knowledge.romanising import pinyin_joined
from knowledge.scoring import BY_MEANING, FEATURES, Column, scores_of
from knowledge.scripts import PINYIN, is_romanised
from knowledge.spelling import CONSONANTS, LETTERS, Spelling, Vocabulary, views
from knowledge.words import Words

Places = NDArray[np.intp]
Table = NDArray[np.float32]
Scores = NDArray[np.float64]

# With at most so many labels everything is looked at; with more, the labels that lead by what is cheap to know.
FULL: Final = 600
LEADING: Final = 128
# For so many of them the nearest phrase is looked for; for the others it counts as no nearer than for these.
NEARER: Final = 192


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for labels: one row a label, one column for each of `FEATURES`; and what speaks for danger.

    `places` says which label each row is of, rising. `alarm` weighs all kinds of danger together against all
    else: by meaning, and by spelling. `always` are the places of labels that stay, however little speaks for them.
    `likely`: the head tells logs of probabilities.
    """

    table: Table
    alarm: tuple[float, float]
    places: Places
    always: Places
    likely: bool = False

    @property
    def by_meaning(self) -> bool:
        """Tell whether there was a vector."""
        return bool(self.table[:, : len(BY_MEANING)].any())

    def scores(self, kind: str) -> Scores:
        """Give one score for each row, for a text of a kind."""
        return scores_of(self.table, romanised=is_romanised(kind), by_meaning=self.by_meaning, likely=self.likely)

    def danger_scores(self, kind: str) -> Scores:
        """Give the scores by which danger is told: a probability says which label is best, and hides one behind it."""
        if not self.likely:
            return self.scores(kind)
        table = self.table.copy()
        table[:, Column.HEAD] = 0
        return scores_of(table, romanised=is_romanised(kind), by_meaning=True)

    def spelled(self) -> "Evidence":
        """Give the part that needs no model."""
        table = self.table.copy()
        table[:, : len(BY_MEANING)] = 0
        return Evidence(table, (0.0, self.alarm[1]), self.places, self.always)

    def leading(self, kind: str) -> "Evidence":
        """Give the labels that decide about a text of a kind: all where they are few, else those for which most speaks.

        They are ranked as all would be, and whichever entry leads one of the columns is among them.
        """
        if len(self.places) <= FULL:
            return self
        entries = self.table.copy()
        entries[self.always] = -np.inf
        rows = np.union1d(self.first(LEADING, kind), np.concatenate([entries.argmax(axis=0), self.always]))
        return Evidence(self.table[rows], self.alarm, self.places[rows], self.always, self.likely)

    def first(self, number: int, kind: str) -> Places:
        """Give the rows of the highest scores, in no order."""
        scores = self.scores(kind)
        found: Places = np.argpartition(-scores, min(number, len(scores)) - 1)[:number]
        return found


@dataclass(frozen=True, slots=True)
class Vocabularies:
    """What is remembered from one reader to the next: the n-grams of every text, counted once.

    And what was made last of letters alone, `spelled` and `languages`, for a reader made again of the same phrases:
    with the vectors now, or after an edit of something that is not matched.
    """

    letters: Vocabulary = field(default_factory=lambda: Vocabulary(LETTERS))
    consonants: Vocabulary = field(default_factory=lambda: Vocabulary(CONSONANTS))
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    spelled: Last[tuple[Spelling, Spelling]] = field(default_factory=Last)
    languages: Last[LanguageModel] = field(default_factory=Last)

    def views(self, text: str) -> tuple[str, str]:
        """Give the two views of a phrase, from memory where it was there before."""
        found = self.seen.get(text)
        if found is None:
            found = self.seen[text] = views(text)
        return found


class Index:
    """Everything that is needed to weigh labels for a message; all of them where they are at most `FULL`."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        vectors: Vectors | None,
        vocabularies: Vocabularies,
        *,
        words: Sequence[Directions] | None = None,
        several: bool | None = None,
        remembered: bool = False,
    ) -> None:
        """`vectors` has one row for each phrase, of any content where it is not embedded; None: there is no model.

        `words` are the tokens of each phrase; None where they are not looked at. `several`: see `labels.are_several`;
        None: as these phrases say.
        `remembered`: take the spelling from the vocabularies where it is of the same phrases, else leave it there.
        """
        self.labels, order, owners = by_label(phrases)
        sorted_phrases = [phrases[place] for place in order]
        alarming = np.array([label in DANGERS for label in self.labels], dtype=np.bool_)

        def spell() -> tuple[Spelling, Spelling]:
            texts = [vocabularies.views(phrase.text) for phrase in sorted_phrases]
            letters = Spelling(vocabularies.letters, [text for text, _ in texts], owners, alarming)
            return letters, Spelling(vocabularies.consonants, [text for _, text in texts], owners, alarming)

        read = (part for phrase in sorted_phrases for part in (phrase.label, phrase.text))
        self.letters, self.consonants = vocabularies.spelled.of(read, spell) if remembered else spell()
        self._always = np.array([place for place, label in enumerate(self.labels) if label in SIGNALS], dtype=np.intp)
        self.meaning: Meaning | None = None
        if vectors is not None:
            embedded = np.array([phrase.embedded for phrase in sorted_phrases], dtype=np.bool_)
            kinds = [phrase.kind for phrase in sorted_phrases if phrase.embedded]
            several = are_several(phrases) if several is None else several
            self.meaning = Meaning(kinds, owners[embedded], vectors, order[embedded], alarming, several=several)
        self.words: Words | None = None
        if words is not None and (
            compared := [
                (owner, words[place])
                for owner, place, phrase in zip(owners, order, sorted_phrases, strict=True)
                if phrase.embedded and phrase.label not in SIGNALS
            ]
        ):
            self.words = Words(np.array([owner for owner, _ in compared]), [tokens for _, tokens in compared])

    def evidence(self, text: str, kind: str, vector: Row | None, words: Directions | None = None) -> Evidence:
        """Weigh all labels for a cleaned text. Without a vector the columns `BY_MEANING` are zero."""
        spelled = self._spelled(text, kind)
        return spelled if vector is None else self.with_meaning(spelled, kind, vector, words)

    def with_meaning(self, spelled: Evidence, kind: str, vector: Row, words: Directions | None = None) -> Evidence:
        """Add to the evidence of spelling what the vector and the words of the text say.

        It stays as it is where the phrases have no vectors.
        """
        if self.meaning is None:
            return spelled
        table = spelled.table.copy()
        query = self.meaning.query(vector, kind)
        table[:, Column.CENTROID], table[:, Column.HEAD], alarm = self.meaning.overall(query)
        found = Evidence(table, (alarm, spelled.alarm[1]), spelled.places, spelled.always, self.meaning.likely)
        if len(self.labels) <= FULL:
            table[:, Column.NEAREST] = self.meaning.nearest(query)
        else:
            near = np.union1d(found.first(NEARER, kind), self._always)
            nearest = self.meaning.nearest_of(query, near)
            table[:, Column.NEAREST] = nearest.min()
            table[near, Column.NEAREST] = nearest
        if words is not None and self.words is not None:
            self._compare(found, kind, words, self.words)
        return found

    def _compare(self, found: Evidence, kind: str, asked: Directions, words: Words) -> None:
        """Tell of every entry how far it is behind the best, word by word; those not compared are behind all others.

        What is no entry is not compared: it stands to the entries as it does without.
        """
        scores = found.scores(kind)
        scores[self._always] = -np.inf
        ranked = np.argsort(-scores, kind="stable")[: len(scores) - len(self._always)]
        near = np.sort(words.affordable(ranked))
        behind = words.behind(asked, near)
        column = np.full(len(self.labels), behind.min(), dtype=np.float32)
        column[near] = behind
        column[self._always] = 0
        found.table[:, Column.WORDS] = column

    def _spelled(self, text: str, kind: str) -> Evidence:
        table = np.zeros((len(self.labels), len(FEATURES)), dtype=np.float32)
        letters, consonants = asked_views(text, kind)
        table[:, Column.LETTERS], table[:, Column.FIT], spelled_alarm = self.letters.evidence(letters)
        table[:, Column.CONSONANTS] = self.consonants.nearest(consonants)
        return Evidence(table, (0.0, spelled_alarm), np.arange(len(self.labels)), self._always)


def by_label(phrases: Sequence[Phrase]) -> tuple[tuple[str, ...], Places, Places]:
    """Give the labels, rising; the places of the phrases in the order of their labels; and of each its label."""
    labels = tuple(sorted({phrase.label for phrase in phrases}))
    places = {label: place for place, label in enumerate(labels)}
    of_phrase = np.array([places[phrase.label] for phrase in phrases], dtype=np.intp)
    order: Places = np.argsort(of_phrase, kind="stable")
    return labels, order, of_phrase[order]


def asked_views(text: str, kind: str) -> tuple[str, str]:
    """Give the two views of a message; Pinyin with its syllables apart and joined, as people type both."""
    letters, consonants = views(text)
    return (pinyin_joined(letters) if kind == PINYIN else letters), consonants
