"""Everything that is needed to understand messages, made of the entries of the moment. Immutable."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

from bot.commands import normalised
from knowledge.calibration import VERSION, Calibration, Judgement, unfitted
from knowledge.directions import Directions, Row
from knowledge.embedding import Vectors
from knowledge.entry import Entry
from knowledge.fitting import fit
from knowledge.folds import Told
from knowledge.labels import ELSEWHERE, HARMLESS, SIGNALS, Phrase, signal_phrases
from knowledge.language import LanguageModel, samples
from knowledge.places import about_elsewhere
from knowledge.search import Evidence, Index, Vocabularies
from knowledge.weighing import Masks


def digest_of(phrases: Sequence[Phrase], model: str) -> bytes:
    """Give what a calibration is kept under: it changes with the phrases, the model and the method."""
    hashed = hashlib.sha256(f"{model} {VERSION}".encode())
    for phrase in phrases:
        hashed.update(f"{phrase.label}\0{phrase.kind}\0{phrase.text}\1".encode())
    return hashed.digest()


@dataclass(frozen=True, slots=True)
class Reader:
    """An index with its language model and its calibration.

    `calibrated` is false while the calibration was fitted on other phrases. `exact` gives the label of a text
    that is, word for word, one of its phrases; texts that decide nothing (harmless, elsewhere) are not in it.
    `abroad` are the entries that are about places elsewhere. `dimensions` is how long the vectors of the phrases are,
    None where they have none; `vectors` and `words` may be given up, see `in_use`.
    """

    phrases: tuple[Phrase, ...]
    vectors: Vectors | None
    words: Sequence[Directions] | None = field(repr=False)
    vocabularies: Vocabularies
    languages: LanguageModel
    index: Index | None
    masks: Masks
    calibration: Calibration
    calibrated: bool
    exact: dict[str, str] = field(repr=False)
    abroad: frozenset[str] = frozenset()
    dimensions: int | None = None

    @classmethod
    def of(
        cls,
        entries: Sequence[Entry],
        phrases: Sequence[Phrase],
        vectors: Vectors | None,
        vocabularies: Vocabularies,
        calibration: Calibration | None,
        *,
        calibrated: bool,
        words: Sequence[Directions] | None = None,
    ) -> Self:
        """Make a reader; `vectors` has a row for each phrase, or there is no model. `words`: see `Index`."""
        index = Index(phrases, vectors, vocabularies, words=words, remembered=True) if phrases else None
        read = samples(phrases, entries)
        signals = _normalised_signals() if phrases else {}
        return cls(
            phrases=tuple(phrases),
            vectors=vectors,
            words=words,
            vocabularies=vocabularies,
            languages=vocabularies.languages.of(
                (part for sample in read for part in sample), lambda: LanguageModel(read)
            ),
            index=index,
            masks=Masks.of(index.labels if index is not None else ()),
            calibration=calibration or unfitted(),
            calibrated=calibrated,
            exact={
                signals.get(phrase.text) or normalised(phrase.text): phrase.label
                for phrase in reversed(phrases)
                if phrase.label not in {HARMLESS, ELSEWHERE}
            },
            abroad=about_elsewhere((phrase.label, phrase.text) for phrase in phrases if phrase.label not in SIGNALS),
            dimensions=None if vectors is None else vectors.shape[1],
        )

    @property
    def by_meaning(self) -> bool:
        """Tell whether the phrases are there as vectors."""
        return self.dimensions is not None

    @property
    def by_words(self) -> bool:
        """Tell whether the words of a text are looked at."""
        return self.index is not None and self.index.words is not None

    def fits(self, vector: Row) -> bool:
        """Tell whether a vector is as long as those of the phrases: a server may have changed its model."""
        return vector.shape == (self.dimensions,)

    def fitted(self) -> Calibration:
        """Fit a calibration on the phrases. Takes seconds. Raises ValueError where the vectors were given up."""
        if self.by_meaning and self.vectors is None:
            raise ValueError("a reader in use has no vectors to fit a calibration on")
        return fit(Told(self.phrases, self.vectors, self.words), self.vocabularies)

    def with_calibration(self, calibration: Calibration) -> "Reader":
        """Give the same reader with a calibration of its own."""
        return replace(self, calibration=calibration, calibrated=True)

    def in_use(self) -> "Reader":
        """Give the same reader without what a model says of the phrases, which only fitting needs."""
        return replace(self, vectors=None, words=None) if self.calibrated else self

    def by_spelling(self, text: str, kind: str) -> tuple[Evidence, Judgement]:
        """Weigh all labels for a cleaned text by its spelling, and judge the leading ones; there is an index."""
        assert self.index is not None  # noqa: S101 - for the type checker: asked only where there are phrases
        evidence = self.index.evidence(text, kind, None)
        return evidence, self.calibration.judge(evidence.leading(kind), self.masks, kind=kind)

    def with_meaning(
        self, spelled: Evidence, kind: str, vector: Row, words: Directions | None = None
    ) -> tuple[Evidence, Judgement]:
        """Weigh and judge anew, with the vector of the text, and its words where they are looked at."""
        assert self.index is not None  # noqa: S101 - for the type checker: asked only where there are phrases
        evidence = self.index.with_meaning(spelled, kind, vector, words).leading(kind)
        return evidence, self.calibration.judge(evidence, self.masks, kind=kind)

    def label(self, place: int) -> str:
        """Give the label at a place."""
        return "" if self.index is None else self.index.labels[place]


@lru_cache(maxsize=1)
def _normalised_signals() -> Mapping[str, str]:
    """Give the signals as texts are compared: they are in every reader, and after an edit they are the same."""
    return {phrase.text: normalised(phrase.text) for phrase in signal_phrases()}


def empty() -> Reader:
    """Give a reader that knows nothing, until there is another."""
    return Reader.of((), (), None, Vocabularies(), None, calibrated=True)
