"""The language of a message: script first, then, for Latin letters, a small model of character n-grams.

The model is fitted on the knowledge base's own questions and phrases, romanised ones as classes of their
own, whenever the index is built. Language is evidence here, not a verdict: what the conversation was in
so far and what the resident's app says are weighed in.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LATIN: Final = "Latn"
# Languages of the service by the script that shows them. Arabic letters are Urdu here until there are others.
_BY_SCRIPT: Final = {"Hani": "zh", "Beng": "bn", "Arab": "ur"}
_SCRIPT_NAMES: Final = {
    "LATIN": LATIN,
    "CJK": "Hani",
    "BENGALI": "Beng",
    "ARABIC": "Arab",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "GURMUKHI": "Guru",
}
_ORDERS: Final = (1, 2, 3, 4)
_SMOOTHING: Final = 0.3
# In nats: how much the language so far, and the language of the app, weigh against the text.
_PRIOR_CONVERSATION: Final = 1.5
_PRIOR_HINT: Final = 1.0
# A text changes the language of a conversation only from here on.
CERTAIN_FROM: Final = 0.9
WORDS_FROM: Final = 2
LETTERS_FROM: Final = 7
_WORD: Final = re.compile(r"[^\W\d_]+")

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identified:
    """A language with its probability; `kind` tells romanised texts apart, as in "ur-Latn"."""

    language: str
    kind: str
    script: str | None
    probability: float
    certain: bool


def script_of(text: str) -> str | None:
    """Give the script that most letters of a text are in, as ISO 15924 names it; None where there are none."""
    counts: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            name = unicodedata.name(character, "").split(" ", 1)[0]
            counts[_SCRIPT_NAMES.get(name, name)] += 1
    return counts.most_common(1)[0][0] if counts else None


def kind_of(language: str, text: str) -> str:
    """Give the class of a text of a known language: the language, or "ur-Latn" where it is romanised."""
    romanised = language in _BY_SCRIPT.values() and script_of(text) == LATIN
    return f"{language}-{LATIN}" if romanised else language


def grams(text: str) -> list[str]:
    """Give the character n-grams of each word, edges marked."""
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        edged = f" {word} "
        for order in _ORDERS:
            found += (edged[i : i + order] for i in range(len(edged) - order + 1))
    return found


class LanguageModel:
    """Naive Bayes over n-grams, for texts in Latin letters. Immutable once made."""

    def __init__(self, samples: Iterable[tuple[str, str]]) -> None:
        """Fit on pairs of language and text; texts in other scripts are passed over."""
        counts: dict[str, Counter[str]] = {}
        for language, text in samples:
            if script_of(text) == LATIN:
                counts.setdefault(kind_of(language, text), Counter()).update(grams(text))
        self.kinds = tuple(sorted(counts))
        vocabulary = sorted({gram for counter in counts.values() for gram in counter})
        self._places = {gram: place for place, gram in enumerate(vocabulary)}
        table = np.full((len(self.kinds), len(vocabulary) + 1), _SMOOTHING)
        for row, kind in enumerate(self.kinds):
            for gram, count in counts[kind].items():
                table[row, self._places[gram]] += count
        self._log = np.log(table / table.sum(axis=1, keepdims=True)) if self.kinds else table

    def identify(self, text: str, *, language: str, hint: str | None) -> Identified:
        """Identify a cleaned text; `language` is that of the conversation, `hint` that of the app."""
        script = script_of(text)
        letters = sum(character.isalpha() for character in text)
        if script in _BY_SCRIPT:
            found = _BY_SCRIPT[script]
            return Identified(found, found, script, 1.0, certain=letters >= 2)  # noqa: PLR2004 - two letters, two
        if script != LATIN or not self.kinds:
            return Identified(language, language, script, 0.0, certain=False)
        probabilities = self._probabilities(text, language=language, hint=hint)
        by_language: dict[str, float] = {}
        for kind, probability in probabilities.items():
            by_language[_language(kind)] = by_language.get(_language(kind), 0.0) + probability
        best = max(by_language, key=by_language.__getitem__)
        kind = max((kind for kind in probabilities if _language(kind) == best), key=probabilities.__getitem__)
        enough = len(_WORD.findall(text)) >= WORDS_FROM and letters >= LETTERS_FROM
        probability = by_language[best]
        return Identified(best, kind, script, probability, certain=enough and probability >= CERTAIN_FROM)

    def _probabilities(self, text: str, *, language: str, hint: str | None) -> Mapping[str, float]:
        unknown = self._log.shape[1] - 1
        places = [self._places.get(gram, unknown) for gram in grams(text)]
        # The n-grams of a word are not independent: without the square root every guess would look certain.
        scores: Scores = self._log[:, places].sum(axis=1) / max(len(places), 1) ** 0.5
        for row, kind in enumerate(self.kinds):
            scores[row] += _PRIOR_CONVERSATION * (_language(kind) == language)
            scores[row] += _PRIOR_HINT * (_language(kind) == hint)
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
        return dict(zip(self.kinds, scores.tolist(), strict=True))


def _language(kind: str) -> str:
    return kind.partition("-")[0]
