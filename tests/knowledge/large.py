"""A made-up knowledge base of any size, in the words of the starter entries, with vectors by chance."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from knowledge.embedding import DIMENSIONS, Vectors
from knowledge.entry import Entry
from knowledge.labels import Phrase, all_phrases, entry_phrases

# Chinese is written without spaces: pieces of two letters stand for words.
_PIECE = 2


def _words(text: str) -> list[str]:
    words = text.split()
    if len(words) > 1 or len(text) <= 2 * _PIECE:
        return words
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def _made(words: Sequence[str], chance: random.Random) -> str:
    """Put a phrase of as many words as people write together, each as frequent as in the entries."""
    chosen = [chance.choice(words) for _ in range(chance.randint(4, 9))]
    spaced = any(word.isascii() or len(word) > _PIECE for word in chosen)
    return (" " if spaced else "").join(chosen)


def grown(entries: Sequence[Entry], number: int, chance: random.Random) -> list[Entry]:
    """Give the entries and as many made-up ones as it takes, each with a question in every language."""
    words: dict[str, list[str]] = defaultdict(list)
    kinds: dict[str, list[str]] = defaultdict(list)
    for phrase in entry_phrases(entries):
        words[phrase.kind] += _words(phrase.text)
        kinds[phrase.language].append(phrase.kind)
    found = list(entries)
    pattern = entries[0]
    while len(found) < number:
        slug = f"made-up-{len(found)}"
        translations = {
            code: replace(
                translation, question=_made(words[chance.choice(kinds[code])], chance), answer="", phrases=(), cases={}
            )
            for code, translation in pattern.translations.items()
        }
        found.append(replace(pattern, slug=slug, translations=translations))
    return found


def vectors_of(phrases: Sequence[Phrase], known: dict[str, Vectors], seed: int) -> Vectors:
    """Give the known vectors, and for other texts one near the chance direction of their label.

    As with the model, all vectors lie in one narrow cone.
    """
    chance = np.random.default_rng(seed)
    cone = chance.standard_normal(DIMENSIONS).astype(np.float32)
    labels: dict[str, Vectors] = {}
    found = np.empty((len(phrases), DIMENSIONS), dtype=np.float32)
    for place, phrase in enumerate(phrases):
        if phrase.text in known:
            found[place] = known[phrase.text]
            continue
        if phrase.label not in labels:
            labels[phrase.label] = chance.standard_normal(DIMENSIONS).astype(np.float32)
        row = 2 * cone + 0.6 * labels[phrase.label] + 0.6 * chance.standard_normal(DIMENSIONS).astype(np.float32)
        found[place] = row / np.linalg.norm(row)
    return found


def large(entries: Sequence[Entry], number: int) -> tuple[list[Entry], list[Phrase]]:
    """Give so many entries, and their phrases with the signals."""
    made = grown(entries, number, random.Random(0))  # noqa: S311 - made-up phrases, no secret
    return made, all_phrases(made)
