"""Entries as readers get them, and which translation a reader gets."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

VERIFIED: Final = "verified"
TO_VERIFY: Final = "to verify"
STATUSES: Final = (VERIFIED, TO_VERIFY)
MACHINE_DRAFT: Final = "machine draft"
REVIEWED: Final = "reviewed"
STATES: Final = (MACHINE_DRAFT, REVIEWED)

# The cases by which an answer may differ, and how many an entry may tell apart.
FACETS: Final = ("eu", "non-eu", "asylum", "minor", "no-permit", "worker", "family", "student")
FACETS_MAX: Final = 4

# The limits of a translation, for files and for the editors' form.
QUESTION_MAX: Final = 200
ANSWER_MAX: Final = 1500
LABEL_MAX: Final = 80
PHRASE_MAX: Final = 120
PHRASES_MAX: Final = 60
READER_MAX: Final = 200

# The languages in which entries are kept, whether or not the service speaks them already.
KEPT: Final = ("it", "en", "zh", "ur", "bn", "pa", "ar", "sq", "ro", "fr", "es", "uk")

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
class Case:
    """The answer for one case, under the label of its button."""

    label: str
    answer: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Who read a text and found it right, and on which day."""

    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Translation:
    """An entry in one language.

    `cases` are by facet. The Italian has a `version`, which grows when its meaning changes; the others
    say with `made_from` which version of the Italian they say, None where nobody knows. A `reading` is of a
    text that is reviewed, None where nobody knows.
    """

    slug: str
    language: str
    revision: int
    question: str
    answer: str
    phrases: tuple[str, ...]
    state: str
    cases: Mapping[str, Case] = field(default_factory=dict)
    version: int | None = None
    made_from: int | None = None
    reading: Reading | None = None

    @property
    def source_version(self) -> int | None:
        """Give the version of the Italian that this text is, or says."""
        return self.version if self.language == SOURCE else self.made_from

    @property
    def unread(self) -> bool:
        """Tell whether it is a translation that no native speaker has read; the Italian is no translation."""
        return self.language != SOURCE and self.state != REVIEWED


@dataclass(frozen=True, slots=True)
class Entry:
    """A question that is answered, in its languages. `section` is the part of its group; empty: of none."""

    slug: str
    group: str
    position: int
    status: str
    review_by: date
    sources: tuple[Source, ...]
    translations: Mapping[str, Translation]
    facets: tuple[str, ...] = ()
    section: str = ""

    @property
    def to_verify(self) -> bool:
        """Tell whether nobody has checked its facts at their source."""
        return self.status != VERIFIED


def translation_for(entry: Entry, language: str) -> Translation:
    """Give the translation for a reader: their own language, else English, else Italian, else any."""
    return _first(entry.translations, language)


def case_for(entry: Entry, facet: str, language: str) -> tuple[Translation, Case] | None:
    """Give the answer of a case for a reader, in the first language that has it; None where none has."""
    having = {code: each for code, each in entry.translations.items() if facet in each.cases}
    if facet not in entry.facets or not having:
        return None
    translation = _first(having, language)
    return translation, translation.cases[facet]


def _first(translations: Mapping[str, Translation], language: str) -> Translation:
    for code in (language, *FALLBACKS):
        if code in translations:
            return translations[code]
    return next(iter(translations.values()))


def stale(translation: Translation, italian: Translation | None) -> bool:
    """Tell whether a translation was made from an older version of the Italian than there is."""
    if italian is None or translation.language == SOURCE:
        return False
    return (translation.made_from or 0) < (italian.version or 1)


def digest(
    question: str,
    answer: str,
    phrases: Sequence[str],
    state: str,
    cases: Mapping[str, Case],
    source_version: int | None,
    reading: Reading | None = None,
) -> str:
    """Give a hash of a translation's content, to tell a changed one from an unchanged one."""
    told = sorted((facet, case.label, case.answer) for facet, case in cases.items())
    # Added only where there is one, so that what was stored before there were any counts as unchanged.
    read = [] if reading is None else [[reading.by, reading.on.isoformat()]]
    content = json.dumps([question, answer, list(phrases), state, told, source_version, *read], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
