"""Vocabularies that have counted the signals, seven thousand phrases that every reader is made of too."""

from dataclasses import replace
from functools import cache

from knowledge.labels import signal_phrases
from knowledge.remembering import Last
from knowledge.search import Vocabularies


def counted(most: int = 1) -> Vocabularies:
    """Give vocabularies of one's own, for which nothing was made yet; `most` is how many things made they remember."""
    signals = _signals()
    letters, consonants = (
        replace(one, _numbers=one._numbers.copy(), _counted=one._counted.copy())
        for one in (signals.letters, signals.consonants)
    )
    return Vocabularies(letters, consonants, signals.seen.copy(), Last(most), Last(most))


@cache
def _signals() -> Vocabularies:
    """Count them, which takes most of a second, once in a process."""
    made = Vocabularies()
    views = [made.views(phrase.text) for phrase in signal_phrases()]
    made.letters.learn([letters for letters, _ in views])
    made.consonants.learn([consonants for _, consonants in views])
    return made
