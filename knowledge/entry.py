"""Entries as readers get them, and which translation a reader gets."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

GROUPS: Final = ("services", "work", "training")
VERIFIED: Final = "verified"
TO_VERIFY: Final = "to verify"
STATUSES: Final = (VERIFIED, TO_VERIFY)
MACHINE_DRAFT: Final = "machine draft"
REVIEWED: Final = "reviewed"
STATES: Final = (MACHINE_DRAFT, REVIEWED)

# The limits of a translation, for files and for the editors' form.
QUESTION_MAX: Final = 200
ANSWER_MAX: Final = 1500
PHRASE_MAX: Final = 120
PHRASES_MAX: Final = 60
PHRASES_MIN: Final = 5

# The language from which the others are translated.
SOURCE: Final = "it"

# Who does not find their own language gets the first of these that there is.
FALLBACKS: Final = ("en", "it")


@dataclass(frozen=True, slots=True)
class Source:
    """A law, an office or a page that an answer rests on."""

    name: str
    url: str | None
    checked_on: date


@dataclass(frozen=True, slots=True)
class Translation:
    """An entry in one language."""

    slug: str
    language: str
    revision: int
    question: str
    answer: str
    phrases: tuple[str, ...]
    state: str

    @property
    def unread(self) -> bool:
        """Tell whether it is a translation that no native speaker has read; the Italian is no translation."""
        return self.language != SOURCE and self.state != REVIEWED


@dataclass(frozen=True, slots=True)
class Entry:
    """A question that is answered, in its languages."""

    slug: str
    group: str
    position: int
    status: str
    review_by: date
    sources: tuple[Source, ...]
    translations: Mapping[str, Translation]

    @property
    def to_verify(self) -> bool:
        """Tell whether nobody has checked its facts at their source."""
        return self.status != VERIFIED


def translation_for(entry: Entry, language: str) -> Translation:
    """Give the translation for a reader: their own language, else English, else Italian, else any."""
    for code in (language, *FALLBACKS):
        if code in entry.translations:
            return entry.translations[code]
    return next(iter(entry.translations.values()))


def digest(question: str, answer: str, phrases: Sequence[str], state: str) -> str:
    """Give a hash of a translation's content, to tell a changed one from an unchanged one."""
    content = json.dumps([question, answer, list(phrases), state], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
