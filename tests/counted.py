"""The signals, seven thousand phrases that every reader is made of too: counted once, or fewer of them."""

from dataclasses import replace
from functools import cache

import pytest

from knowledge import labels
from knowledge.labels import signal_phrases
from knowledge.remembering import Last
from knowledge.search import Vocabularies
from tests.kept import kept


def counted(most: int = 1) -> Vocabularies:
    """Give vocabularies of one's own, for which nothing was made yet; `most` is how many things made they remember."""
    signals = _signals()
    letters, consonants = (
        replace(one, _numbers=one._numbers.copy(), _counted=one._counted.copy())
        for one in (signals.letters, signals.consonants)
    )
    return Vocabularies(letters, consonants, signals.seen.copy(), Last(most), Last(most))


def only_signals_in(monkeypatch: pytest.MonkeyPatch, *languages: str) -> None:
    """Let readers be made of the signals of some languages, where it does not matter how many there are."""
    chosen = tuple(phrase for phrase in labels._chosen_signals() if phrase.language in languages)
    monkeypatch.setattr(labels, "_chosen_signals", lambda: chosen)


@cache
def _signals() -> Vocabularies:
    return kept("signals", b"", _count)


def _count() -> Vocabularies:
    made = Vocabularies()
    views = [made.views(phrase.text) for phrase in signal_phrases()]
    made.letters.learn([letters for letters, _ in views])
    made.consonants.learn([consonants for _, consonants in views])
    return made
