"""What was left in another language: a line that nobody translated, or letters that the language does not have.

Official Italian words stay in every language, so no list of words can tell. A line is in another language where that
language's answers to other questions know its words, and the answers in its own do not.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from knowledge.entry import Entry, Translation
from knowledge.filling import PLACEHOLDER
from knowledge.scripts import LATIN, OWN_SCRIPT, script_of

# Shorter lines are names of papers and offices.
_WORDS_LEAST: Final = 4
# A language knows a word that stands in so many of its entries: the one with the line, and another.
_ENTRIES_LEAST: Final = 2
# A line is in another language if that one knows so much more of its words than its own.
_MORE_BY: Final = 0.34
# Chinese sets no spaces: each character counts as a word.
_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+")
# Letters that a language does not have, of another one in its script.
_STRANGE: Final[Mapping[str, frozenset[str]]] = {
    "ar": frozenset("ٹڈڑںےھہی"),
    "ur": frozenset("ةيىك"),
    "uk": frozenset("ыэъё"),
}
Words = Mapping[str, Mapping[str, int]]


def texts_of(translation: Translation) -> dict[str, str]:
    """Give all that a resident reads of a translation, by the name of its field."""
    texts = {"question": translation.question, "answer": translation.answer}
    for facet, case in translation.cases.items():
        texts |= {f"cases.{facet}.label": case.label, f"cases.{facet}.answer": case.answer}
    return texts


def known_words(entries: Sequence[Entry]) -> Words:
    """Count by language in how many entries each word stands."""
    counted: dict[str, Counter[str]] = {}
    for entry in entries:
        for code, translation in entry.translations.items():
            words = {word for text in texts_of(translation).values() for word in _words(text)}
            counted.setdefault(code, Counter()).update(words)
    return counted


def left_over(text: str, code: str, known: Words) -> Iterator[str]:
    """Tell what of a text is in another language."""
    own, strange = OWN_SCRIPT.get(code, LATIN), _STRANGE.get(code, frozenset())
    for word in _words(text):
        if not word.isascii() and (_script(word) not in {own, LATIN} or not strange.isdisjoint(word)):
            yield f"has {word!r}, with letters of another language"
            break
    for line in text.splitlines():
        words = _words(line)
        if len(words) >= _WORDS_LEAST and (other := _language_of(words, code, known)) != code:
            yield f"has a line in another language ({other}): {line.strip()[:60]!r}"


@lru_cache(maxsize=2**16)
def _script(word: str) -> str | None:
    return script_of(word)


def _words(text: str) -> list[str]:
    return _WORD.findall(PLACEHOLDER.sub(" ", text).casefold())


def _language_of(words: Sequence[str], code: str, known: Words) -> str:
    def share(counts: Mapping[str, int]) -> float:
        return sum(counts.get(word, 0) >= _ENTRIES_LEAST for word in words) / len(words)

    wanted = share(known[code]) + _MORE_BY
    if wanted > 1:
        return code
    shares = {each: share(counts) for each, counts in known.items()}
    best = max(shares, key=lambda each: shares[each])
    return best if shares[best] >= wanted else code
