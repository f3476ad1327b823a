"""The list of entries for editors: what there is in each language, and what is to be done."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.languages import CODES
from bot.topics import GROUPS, REST, SECTIONS, label_of, section_of
from knowledge.entry import REVIEWED, SOURCE, TO_VERIFY, Translation, stale
from knowledge.files import normalised
from knowledge.keeping import translation_of
from store.entries import EntryRow, Revision


class Todo(StrEnum):
    """What may be to be done for an entry, the most urgent first: the first two whatever the language."""

    VERIFY = "verify"
    OVERDUE = "overdue"
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
            query=query.strip(),
            group=group if group in GROUPS else "",
            language=language if language in CODES else "",
            todo=todo if todo in set(Todo) else "",
        )

    @property
    def folded(self) -> str:
        """Give those that stand folded away on the page; empty where none of them narrows."""
        return self.group or self.language or self.todo

    @property
    def narrows(self) -> bool:
        """Tell whether anything is narrowed: what is left is then shown at once."""
        return bool(self.query or self.folded)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list; `todos` counts what is to be done, over the languages that are looked at."""

    entry: EntryRow
    title: str
    title_language: str | None
    todos: Mapping[Todo, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a group, under the id of its label; None where the group is one list."""

    name: str
    label: str | None
    rows: tuple[Listed, ...]

    @property
    def count(self) -> int:
        """Give the number of its entries."""
        return len(self.rows)

    @property
    def todos(self) -> Mapping[Todo, int]:
        """Count its entries by what is to be done; drafts are told at each entry, as nearly all are."""
        return Counter(todo for row in self.rows for todo in row.todos if todo is not Todo.DRAFT)


@dataclass(frozen=True, slots=True)
class Overview:
    """The list: what the filters leave, in its groups and parts, and how many entries each thing to do would leave."""

    groups: tuple[tuple[str, tuple[Part, ...]], ...]
    count: int
    todos: Mapping[Todo, int]


def overview(entries: Sequence[EntryRow], published: Sequence[Revision], filters: Filters, *, today: date) -> Overview:
    """Give what the filters leave."""
    by_slug: dict[str, dict[str, Translation]] = defaultdict(dict)
    for revision in published:
        by_slug[revision.slug][revision.language] = translation_of(revision)
    languages = (filters.language,) if filters.language else CODES
    rows: list[Listed] = []
    for entry in entries:
        translations = by_slug[entry.slug]
        if (filters.group and entry.group != filters.group) or not _holds(entry, translations, filters.query):
            continue
        titled = translations.get(SOURCE) or next(iter(translations.values()), None)
        todos = Counter(_of_facts(entry, today))
        todos.update(todo for code in languages for todo in todos_in(translations, code))
        rows.append(
            Listed(entry, titled.question if titled else entry.slug, titled.language if titled else None, todos)
        )
    found = [row for row in rows if not filters.todo or Todo(filters.todo) in row.todos]
    counts = Counter(todo for row in rows for todo in row.todos)
    groups = tuple((group, tuple(_parts(group, found))) for group in GROUPS)
    return Overview(groups, len(found), {todo: counts[todo] for todo in Todo})


def states(published: Sequence[Revision]) -> dict[str, str]:
    """Give, by language, the most urgent thing to do in the translations of an entry, or that it is done."""
    translations = {revision.language: translation_of(revision) for revision in published}
    return {code: next((todo.value for todo in todos_in(translations, code)), DONE) for code in CODES}


def todos_in(translations: Mapping[str, Translation], code: str) -> Iterator[Todo]:
    """Give what is to be done in a language, the most urgent first."""
    translation = translations.get(code)
    if translation is None:
        yield Todo.MISSING
        return
    if stale(translation, translations.get(SOURCE)):
        yield Todo.STALE
    if translation.state != REVIEWED:
        yield Todo.DRAFT


def _of_facts(entry: EntryRow, today: date) -> Iterator[Todo]:
    if entry.status == TO_VERIFY:
        yield Todo.VERIFY
    if entry.review_by < today:
        yield Todo.OVERDUE


def _parts(group: str, rows: Sequence[Listed]) -> Iterator[Part]:
    """Give the sections of a group that hold anything."""
    for section in (*SECTIONS[group], REST):
        inside = tuple(row for row in rows if row.entry.group == group and _section(row) == section)
        if inside:
            yield Part(section or group, label_of(section) if SECTIONS[group] else None, inside)


def _section(row: Listed) -> str:
    return section_of(row.entry.group, row.entry.section)


def _holds(entry: EntryRow, translations: Mapping[str, Translation], query: str) -> bool:
    """Tell whether slug, questions or phrases hold the query."""
    wanted = normalised(query)
    texts = [entry.slug, entry.slug.replace("-", " ")]
    for translation in translations.values():
        texts += [translation.question, *translation.phrases]
    return any(wanted in normalised(text) for text in texts)
