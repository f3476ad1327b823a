"""The language of a message: script first, then, where letters are shared, a small model of character n-grams.

The model is fitted on the knowledge base itself, romanised languages as kinds of their own, whenever the index
is built. Language is evidence here, not a verdict: what the conversation was in so far and what the resident's
app says are weighed in.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.languages import CODES
from knowledge.entry import Entry
from knowledge.labels import Phrase
from knowledge.scripts import ARABIC, BY_SCRIPT, LATIN, kind_of, language_of, script_of
from knowledge.spelling import ngrams

_ORDERS: Final = (1, 2, 3, 4)
# How often each whole word counts beside its n-grams: "quando" and "della" tell more than their parts do.
_WHOLE: Final = 2
_LEAST_WORD: Final = 2
# Added to every count, in proportion to how much was read of a kind: otherwise kinds of which little was read
# would seem likely wherever an n-gram is unknown.
_SMOOTHING: Final = 0.06
# In nats: how much the language so far, and the language of the app, weigh against the text.
_PRIOR_CONVERSATION: Final = 1.5
_PRIOR_HINT: Final = 1.0
# And how much likelier a kind is than others before anything was read. Whoever comes from Pakistan writes Urdu, also
# where Punjabi is spoken at home, and in Latin letters a few words may be either. Chosen on the development set, where
# from .2 to .8 all is the same. And what may be anything is, in Italy, Italian sooner than anything else: from .2 to .6
# no message of our sets changes, and three words of Italian are recognised more often.
_PRIOR: Final = {"ur-Latn": 0.5, "it": 0.3}
# A text changes the language of a conversation only from here on; below it, a second language from
# `RIVAL_FROM` on is worth asking about.
CERTAIN_FROM: Final = 0.9
RIVAL_FROM: Final = 0.3
WORDS_FROM: Final = 2
LETTERS_FROM: Final = 7
# The words of offices are Italian in every language here: a word that so many other kinds of text hold too, from this
# length on, says nothing of a text's language; nor do the short ones between them.
_OFFICES: Final = "it"
_BORROWED_BY: Final = 4
_LEAST_BORROWED: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+")
# What answers hold that is of no language: placeholders, and words in quotation marks.
_FOREIGN: Final = re.compile(r"\{[^}]*\}|[«“„‹][^»”›]*[»”›]")

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Identified:
    """A language with its probability; `kind` tells romanised texts apart, as in "ur-Latn".

    `certain`: long and clear enough to change the language of a conversation. `rival`: a second language that
    it may as well be, where it is long enough to ask.
    """

    language: str
    kind: str
    script: str | None
    probability: float
    certain: bool
    rival: str | None = None


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _grams(text: str) -> Iterator[str]:
    """Give the n-grams of a text and its words; the sign before a word is in no n-gram."""
    words = _words(text)
    yield from ngrams(words, _ORDERS)
    for word in words:
        if len(word) >= _LEAST_WORD:
            for _ in range(_WHOLE):
                yield f"={word}"


def _counted(words: Mapping[str, int]) -> Counter[str]:
    """Count the n-grams of words, each of which was read so many times: most words are read again and again."""
    counts: Counter[str] = Counter()
    for word, times in words.items():
        for gram in ngrams((word,), _ORDERS):
            counts[gram] += times
        if len(word) >= _LEAST_WORD:
            counts[f"={word}"] += _WHOLE * times
    return counts


def _unmarked(text: str) -> str:
    """Give a text without the marks on its letters, which many leave out on the phone."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def samples(phrases: Iterable[Phrase], entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """Give what the model is fitted on, as kind and text: phrases, and the lines of answers."""
    found = [(phrase.kind, phrase.text) for phrase in phrases]
    for entry in entries:
        for translation in entry.translations.values():
            found += _lines(translation.language, translation.question, translation.answer)
    return found


@lru_cache(maxsize=2**12)
def _lines(language: str, question: str, answer: str) -> tuple[tuple[str, str], ...]:
    """Give the lines of an answer with their kinds; remembered, because an edit changes one answer of a thousand."""
    script = script_of(question)
    return tuple(
        (kind_of(language, line), line)
        for line in _FOREIGN.sub(" ", answer).splitlines()
        # A line in Latin letters within another script is all Italian office words.
        if script_of(line) == script and len(_words(line)) > 1
    )


class _ByLetters:
    """Naive Bayes over n-grams and words, for the kinds of text that share a script."""

    def __init__(self, counts: Mapping[str, Counter[str]]) -> None:
        self.kinds = tuple(sorted(counts))
        vocabulary = sorted({gram for counter in counts.values() for gram in counter})
        self._places = {gram: place for place, gram in enumerate(vocabulary)}
        table = np.zeros((len(self.kinds), len(vocabulary) + 1))
        for row, kind in enumerate(self.kinds):
            places = [self._places[gram] for gram in counts[kind]]
            table[row, places] = list(counts[kind].values())
        read = table.sum(axis=1, keepdims=True)
        table += _SMOOTHING * read / max(read.mean(), 1.0)
        self._log = np.log(table / table.sum(axis=1, keepdims=True))

    def scores(self, text: str) -> Scores:
        unknown = self._log.shape[1] - 1
        places = [self._places.get(gram, unknown) for gram in _grams(text)]
        # The n-grams of a word are not independent: without the square root every guess would look certain.
        scores: Scores = self._log[:, places].sum(axis=1) / max(len(places), 1) ** 0.5
        return scores


def _borrowed(counts: Mapping[str, Counter[str]]) -> frozenset[str]:
    """Give the office words, and the short Italian words between them, from what was counted of each kind."""
    words = {kind: {gram[1:] for gram in counter if gram.startswith("=")} for kind, counter in counts.items()}
    italian = words.pop(_OFFICES, set())
    held = {word: sum(word in others for others in words.values()) for word in italian}
    return frozenset(word for word in italian if len(word) < _LEAST_BORROWED or held[word] >= _BORROWED_BY)


class LanguageModel:
    """Tells the language of a text. Immutable once made."""

    def __init__(self, read: Sequence[tuple[str, str]]) -> None:
        """Fit on pairs of kind and text."""
        words: dict[str, dict[str, Counter[str]]] = {LATIN: {}, ARABIC: {}}
        for kind, text in read:
            script = script_of(text)
            if script in words:
                counter = words[script].setdefault(kind, Counter())
                counter.update(_words(text))
                unmarked = _unmarked(text)
                if script == LATIN and unmarked != text:
                    counter.update(_words(unmarked))
        counts = {
            script: {kind: _counted(counter) for kind, counter in of_script.items()}
            for script, of_script in words.items()
        }
        self._borrowed = _borrowed(counts[LATIN])
        self._by_script = {script: _ByLetters(of_script) for script, of_script in counts.items() if of_script}

    def identify(self, text: str, *, language: str, hint: str | None) -> Identified:
        """Identify a cleaned text; `language` is that of the conversation, `hint` that of the app."""
        script = script_of(text)
        letters = sum(character.isalpha() for character in text)
        if script in BY_SCRIPT:
            found = BY_SCRIPT[script]
            return Identified(found, found, script, 1.0, certain=letters >= 2 and found in CODES)  # noqa: PLR2004 - two letters, two
        model = self._by_script.get(script or "")
        if model is None:
            return Identified(language, kind_of(language, text), script, 0.0, certain=False)
        if script == LATIN and self._all_borrowed(text):
            return Identified(language or hint or _OFFICES, kind_of(_OFFICES, text), script, 0.0, certain=False)
        shares = self._shares(model, text, language=language, hint=hint)
        by_language: dict[str, float] = {}
        for kind, share in shares.items():
            by_language[language_of(kind)] = by_language.get(language_of(kind), 0.0) + share
        best, *others = sorted(by_language, key=by_language.__getitem__, reverse=True)
        kind = max((kind for kind in shares if language_of(kind) == best), key=shares.__getitem__)
        enough = letters >= LETTERS_FROM and len(_WORD.findall(text)) >= WORDS_FROM
        certain = enough and by_language[best] >= CERTAIN_FROM
        close = enough and others and by_language[others[0]] >= RIVAL_FROM
        return Identified(best, kind, script, by_language[best], certain, rival=others[0] if close else None)

    def _all_borrowed(self, text: str) -> bool:
        """Tell whether a text is made of office words alone, as "guardia medica" is."""
        words = _words(text)
        return any(len(word) >= _LEAST_BORROWED for word in words) and self._borrowed.issuperset(words)

    def _shares(self, model: _ByLetters, text: str, *, language: str, hint: str | None) -> dict[str, float]:
        scores = model.scores(text)
        for row, kind in enumerate(model.kinds):
            scores[row] += _PRIOR.get(kind, 0.0)
            scores[row] += _PRIOR_CONVERSATION * (language_of(kind) == language)
            scores[row] += _PRIOR_HINT * (language_of(kind) == hint)
        raised = np.exp(scores - scores.max())
        return dict(zip(model.kinds, (raised / raised.sum()).tolist(), strict=True))
