"""The list of entries for editors: what there is in each language, and what is to be done."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.languages import CODES
from bot.topics import GROUPS
from knowledge.entry import REVIEWED, SOURCE, Translation, stale
from knowledge.files import normalised
from knowledge.keeping import translation_of
from store.entries import EntryRow, Revision


class Todo(StrEnum):
    """What may be to be done for an entry in a language, the most urgent first."""

    MISSING = "missing"
    STALE = "stale"
    DRAFT = "draft"


# What a translation is, where nothing is to be done.
DONE: Final = "read"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty values narrow nothing. Unknown ones count as empty."""

    query: str = ""
    group: str = ""
    language: str = ""
    todo: str = ""

    @classmethod
    def of_query(cls, query: str, group: str, language: str, todo: str) -> "Filters":
        """Read the address of the page."""
        return cls(
            query=query,
            group=group if group in GROUPS else "",
            language=language if language in CODES else "",
            todo=todo if todo in set(Todo) else "",
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of the list; `todos` say what is to be done by language, and are empty where nothing is."""

    entry: EntryRow
    title: str
    title_language: str | None
    todos: Mapping[str, tuple[Todo, ...]]

    def shown(self, code: str) -> str:
        """Give the most urgent thing to do in a language, or that it is done."""
        return self.todos[code][0].value if self.todos[code] else DONE


def listed(entries: Sequence[EntryRow], published: Sequence[Revision], filters: Filters) -> list[Listed]:
    """Give the entries that the filters leave, in their order."""
    by_slug: dict[str, dict[str, Translation]] = defaultdict(dict)
    for revision in published:
        by_slug[revision.slug][revision.language] = translation_of(revision)
    found: list[Listed] = []
    for entry in entries:
        translations = by_slug[entry.slug]
        if (filters.group and entry.group != filters.group) or not _holds(entry, translations, filters.query):
            continue
        titled = translations.get(SOURCE) or next(iter(translations.values()), None)
        row = Listed(
            entry,
            titled.question if titled else entry.slug,
            titled.language if titled else None,
            {code: _todos(translations, code) for code in CODES},
        )
        if _wanted(row, filters):
            found.append(row)
    return found


def _holds(entry: EntryRow, translations: Mapping[str, Translation], query: str) -> bool:
    """Tell whether slug, questions or phrases hold the query."""
    wanted = normalised(query)
    texts = [entry.slug, entry.slug.replace("-", " ")]
    for translation in translations.values():
        texts += [translation.question, *translation.phrases]
    return any(wanted in normalised(text) for text in texts)


def _todos(translations: Mapping[str, Translation], code: str) -> tuple[Todo, ...]:
    translation = translations.get(code)
    if translation is None:
        return (Todo.MISSING,)
    old = (Todo.STALE,) if stale(translation, translations.get(SOURCE)) else ()
    return old if translation.state == REVIEWED else (*old, Todo.DRAFT)


def _wanted(row: Listed, filters: Filters) -> bool:
    if not filters.todo:
        return True
    languages = (filters.language,) if filters.language else CODES
    return any(Todo(filters.todo) in row.todos[code] for code in languages)
