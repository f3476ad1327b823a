"""What a message can be about, with the phrases that show it: the entries, and the signals before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from bot.signals import Danger, Talk
from knowledge.cleaning import clean
from knowledge.entry import Entry
from knowledge.scripts import is_romanised, kind_of
from knowledge.yamlfile import LOADER

FOLDER: Final = Path(__file__).resolve().parent / "signals"
HARMLESS: Final = "harmless"
ELSEWHERE: Final = "elsewhere"
DANGERS: Final = frozenset(danger.value for danger in Danger)
TALKS: Final = frozenset(talk.value for talk in Talk)
SIGNALS: Final = (*sorted(DANGERS), *sorted(TALKS), HARMLESS, ELSEWHERE)


# How many phrases of a label and kind are embedded, evenly spread over their list, in a language's own writing and
# romanised, of which the model knows little; more bring nothing, and each takes some milliseconds of a
# first start (docs/measurements.md). What is neither an entry nor a danger is of all sorts, and takes more.
_EMBEDDED: Final = (6, 2)
_EMBEDDED_SIGNALS: Final = (8, 6)
_EMBEDDED_MIXED: Final = (24, 16)


# Phrases of which is remembered what follows from them alone: more than any base that fits into memory has. With fewer
# than there are, all would be forgotten before they are asked for again.
PHRASES_REMEMBERED: Final = 2**18


# With more embedded phrases an entry than this, nearest phrase and centroid say all that there is to say.
_FEW: Final = 20
# A direction fitted by likelihood needs so many an entry, and so many in each language.
_SEVERAL: Final = 8
_SEVERAL_IN_A_LANGUAGE: Final = 3


class SignalsError(ValueError):
    """A file of signals is not as it should be; the message names the file."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A question or phrase of a label, cleaned; `kind` is its language, as `scripts.kind_of` tells it apart.

    `embedded`: it is matched by meaning too; the others by spelling alone.
    """

    label: str
    language: str
    kind: str
    text: str
    embedded: bool = True


@lru_cache(maxsize=PHRASES_REMEMBERED)
def _phrase(label: str, language: str, text: str) -> Phrase:
    # After an edit all phrases are asked for again, and nearly all are those of before.
    cleaned = clean(text)
    return Phrase(label, language, kind_of(language, cleaned), cleaned)


def are_few(phrases: Sequence[Phrase]) -> bool:
    """Tell whether entries have few phrases of which a model tells the meaning (docs/decisions/0051)."""
    found = _embedded_of_entries(phrases)
    return len(found) < _FEW * len({phrase.label for phrase in found})


def are_several(phrases: Sequence[Phrase]) -> bool:
    """Tell whether entries have few of them, and yet several, also in each language (docs/decisions/0049)."""
    found = _embedded_of_entries(phrases)
    enough = len(found) >= _SEVERAL * len({phrase.label for phrase in found})
    in_each = len(found) >= _SEVERAL_IN_A_LANGUAGE * len({(phrase.label, phrase.kind) for phrase in found})
    return are_few(phrases) and enough and in_each


def _embedded_of_entries(phrases: Sequence[Phrase]) -> list[Phrase]:
    return [phrase for phrase in phrases if phrase.embedded and phrase.label not in SIGNALS]


def entry_phrases(entries: Sequence[Entry]) -> list[Phrase]:
    """Give what entries are matched on: questions and phrases in all languages, never answers."""
    return [
        _phrase(entry.slug, translation.language, text)
        for entry in entries
        for translation in entry.translations.values()
        for text in dict.fromkeys((translation.question, *translation.phrases))
    ]


@lru_cache(maxsize=4)
def signal_phrases(folder: Path = FOLDER) -> tuple[Phrase, ...]:
    """Read the signals of all languages. Raises SignalsError."""
    found: list[Phrase] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            read: Mapping[str, Sequence[str]] = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - it makes strings only
        except yaml.YAMLError as error:
            raise SignalsError(f"{path.name} is no YAML: {error}") from error
        if set(read) != set(SIGNALS):
            raise SignalsError(f"{path.name}: missing or unknown: {sorted(set(read) ^ set(SIGNALS))}")
        found += [_phrase(label, path.stem, text) for label, texts in read.items() for text in texts]
    return tuple(found)


def all_phrases(entries: Sequence[Entry]) -> list[Phrase]:
    """Give all that messages are matched with, in a fixed order: entries first, then signals."""
    return [*_chosen(entry_phrases(entries)), *_chosen_signals()] if entries else []


@lru_cache(maxsize=1)
def _chosen_signals() -> tuple[Phrase, ...]:
    # They never change while the program runs, and no entry has their labels.
    return tuple(_chosen(signal_phrases()))


def _chosen(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Give each phrase of a label once, some of each kind to be embedded."""
    groups: dict[tuple[str, str], list[int]] = {}
    unique: dict[tuple[str, str], Phrase] = {}
    for phrase in phrases:
        key = (phrase.label, phrase.text)
        if phrase.text and key not in unique:
            groups.setdefault((phrase.label, phrase.kind), []).append(len(unique))
            unique[key] = replace(phrase, embedded=False)
    chosen = list(unique.values())
    for (label, kind), places in groups.items():
        most = _most_embedded(label)[is_romanised(kind)]
        # Writers add at the end, and begin with what they think is most usual: so from all of the list.
        for number in range(min(most, len(places))):
            place = places[number * len(places) // min(most, len(places))]
            chosen[place] = replace(chosen[place], embedded=True)
    return chosen


def _most_embedded(label: str) -> tuple[int, int]:
    if label in {HARMLESS, ELSEWHERE}:
        return _EMBEDDED_MIXED
    return _EMBEDDED_SIGNALS if label in SIGNALS else _EMBEDDED
