"""The files of the entries: a folder an entry, a YAML file for its facts and one for each language.

Read strictly: what is wrong is told with file, line and field, and nothing of the folder is used. Here is
what an import demands; whether an entry is good enough is asked by `knowledge.checking`.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from bot.topics import GROUPS, SECTIONS
from knowledge.entry import (
    ANSWER_MAX,
    FACETS,
    FACETS_MAX,
    KEPT,
    LABEL_MAX,
    PHRASE_MAX,
    PHRASES_MAX,
    QUESTION_MAX,
    READER_MAX,
    REVIEWED,
    SOURCE,
    STATES,
    STATUSES,
    Case,
    Entry,
    Reading,
    Source,
    Translation,
)
from knowledge.yamlfile import Fields, Problem, YamlFile, line_of

STARTER: Final = Path(__file__).resolve().parent / "starter"
# The slugs in the order in which entries are listed. Without it, they are listed by slug.
ORDER: Final = "order.yaml"
FACTS: Final = "entry.yaml"
FACTS_FIELDS: Final = ("group", "status", "review_by", "sources")
TRANSLATION_FIELDS: Final = ("state", "question", "answer", "phrases")
READING_FIELDS: Final = ("reviewed_by", "reviewed_on")
SLUG_MAX: Final = 80


def normalised(phrase: str) -> str:
    """Bring a phrase into the form in which two phrases are the same."""
    return " ".join(unicodedata.normalize("NFKC", phrase).casefold().split())


def read_folder(folder: Path) -> tuple[list[Entry], list[Problem]]:
    """Read all entries of a folder, in their order; they are whole only where there is no problem."""
    slugs, problems = _slugs(folder)
    entries: list[Entry] = []
    for position, slug in enumerate(slugs):
        entry, found = _read_entry(folder / slug, position)
        problems += found
        if entry is not None:
            entries.append(entry)
    return entries, problems


def _slugs(folder: Path) -> tuple[list[str], list[Problem]]:
    there = sorted(path.parent.name for path in folder.glob(f"*/{FACTS}"))
    if not there:
        return [], [Problem(str(folder), 1, "folder", f"holds no entry: no folder in it has a file {FACTS}")]
    path = folder / ORDER
    if not path.exists():
        return there, []
    file = YamlFile(path, ORDER)
    root = file.root()
    slugs: list[str] = []
    for place, node in enumerate([] if root is None else file.items(root, "file", least=1), 1):
        slug = file.scalar(node, f"[{place}]", longest=SLUG_MAX)
        if slug in slugs:
            file.add(line_of(node), f"[{place}]", f"{slug!r} stands twice")
        elif slug not in there:
            file.add(line_of(node), f"[{place}]", f"there is no {slug}/{FACTS}")
        else:
            slugs.append(slug)
    if root is not None:
        for slug in there:
            if slug not in slugs:
                file.add(1, "file", f"{slug!r} is missing")
    return slugs, file.problems


def _read_entry(folder: Path, position: int) -> tuple[Entry | None, list[Problem]]:
    slug = folder.name
    file = YamlFile(folder / FACTS, f"{slug}/{FACTS}")
    problems = file.problems
    if len(slug) > SLUG_MAX:
        file.add(1, "file", f"the folder's name has more than {SLUG_MAX} characters")
    root = file.root()
    fields = {} if root is None else file.mapping(root, "", required=FACTS_FIELDS, allowed=("section", "facets"))
    translations: dict[str, Translation] = {}
    for path in sorted(folder.iterdir(), key=_language_first):
        if path.name == FACTS:
            continue
        if path.suffix != ".yaml" or path.stem not in KEPT:
            problems.append(Problem(f"{slug}/{path.name}", 1, "file", f"is neither {FACTS} nor a language's file"))
            continue
        translation, found = _read_translation(slug, path)
        problems += found
        if translation is not None:
            translations[path.stem] = translation
    if not translations:
        file.add(1, "file", "has no language's file beside it")
    group = file.one_of(fields, "group", GROUPS, "group")
    entry = Entry(
        slug=slug,
        group=group,
        position=position,
        status=file.one_of(fields, "status", STATUSES, "status"),
        review_by=file.date(fields, "review_by", "review_by") or date.min,
        sources=_sources(file, fields),
        translations=translations,
        facets=_facets(file, fields),
        section=_section(file, fields, group),
    )
    return (None if problems else entry), problems


def _section(file: YamlFile, fields: Fields, group: str) -> str:
    """Read the section, which an entry need not have; a group without sections has no entry with one."""
    if "section" not in fields:
        return ""
    sections = SECTIONS.get(group, ())
    if group in SECTIONS and not sections:
        file.add(line_of(fields["section"]), "section", f"the group {group} has no sections")
        return ""
    return file.one_of(fields, "section", sections, "section")


def _language_first(path: Path) -> tuple[int, str]:
    """Order files by language as they are kept, so that the Italian comes first."""
    return (KEPT.index(path.stem) if path.stem in KEPT else len(KEPT), path.name)


def _sources(file: YamlFile, fields: Fields) -> tuple[Source, ...]:
    sources: list[Source] = []
    for place, node in enumerate(file.sequence(fields, "sources", "sources", least=1), 1):
        where = f"sources[{place}]"
        source = file.mapping(node, where, required=("name", "checked_on"), allowed=("url",))
        url = file.text(source, "url", f"{where}.url", longest=300) if "url" in source else None
        if url and not url.startswith("https://"):
            file.add(line_of(source["url"]), f"{where}.url", "must begin with https://")
        name = file.text(source, "name", f"{where}.name", longest=200)
        checked_on = file.date(source, "checked_on", f"{where}.checked_on") or date.min
        sources.append(Source(name, url, checked_on))
    return tuple(sources)


def _facets(file: YamlFile, fields: Fields) -> tuple[str, ...]:
    facets: list[str] = []
    for place, node in enumerate(file.sequence(fields, "facets", "facets", least=2), 1):
        facet = file.scalar(node, f"facets[{place}]", longest=80)
        if facet not in FACETS:
            file.add(line_of(node), f"facets[{place}]", f"is {facet!r}, and must be one of {', '.join(FACETS)}")
        if facet in facets:
            file.add(line_of(node), f"facets[{place}]", f"{facet!r} stands twice")
        facets.append(facet)
    if len(facets) > FACETS_MAX:
        file.add(line_of(fields["facets"]), "facets", f"are more than {FACETS_MAX}")
    return tuple(facets)


def _read_translation(slug: str, path: Path) -> tuple[Translation | None, list[Problem]]:
    code = path.stem
    file = YamlFile(path, f"{slug}/{path.name}")
    root = file.root()
    if root is None:
        return None, file.problems
    italian = code == SOURCE
    fields = file.mapping(
        root,
        "",
        required=("version", *TRANSLATION_FIELDS) if italian else TRANSLATION_FIELDS,
        # A translation that an editor wrote where there was no Italian was made from none.
        allowed=("cases", *READING_FIELDS) if italian else ("made_from", "cases", *READING_FIELDS),
    )
    state = file.one_of(fields, "state", STATES, "state")
    translation = Translation(
        slug=slug,
        language=code,
        revision=0,
        question=file.text(fields, "question", "question", longest=QUESTION_MAX),
        answer=file.text(fields, "answer", "answer", longest=ANSWER_MAX, lines=True),
        phrases=_phrases(file, fields),
        state=state,
        cases=_cases(file, fields),
        version=file.whole(fields, "version", "version") or None,
        made_from=file.whole(fields, "made_from", "made_from") or None,
        reading=_reading(file, fields, state),
    )
    return (None if file.problems else translation), file.problems


def _reading(file: YamlFile, fields: Fields, state: str) -> Reading | None:
    """Read who reviewed the text and when, which stand together or not at all."""
    there = [name for name in READING_FIELDS if name in fields]
    if not there:
        return None
    by = file.text(fields, "reviewed_by", "reviewed_by", longest=READER_MAX)
    on = file.date(fields, "reviewed_on", "reviewed_on")
    if state != REVIEWED or len(there) < len(READING_FIELDS):
        file.add(line_of(fields[there[0]]), there[0], f"belongs to the state {REVIEWED!r}, with both who and when")
    return None if on is None else Reading(by, on)


def _phrases(file: YamlFile, fields: Fields) -> tuple[str, ...]:
    phrases: list[str] = []
    seen: set[str] = set()
    for place, node in enumerate(file.sequence(fields, "phrases", "phrases", least=1), 1):
        phrase = file.scalar(node, f"phrases[{place}]", longest=PHRASE_MAX)
        if phrase and normalised(phrase) in seen:
            file.add(line_of(node), f"phrases[{place}]", f"{phrase!r} stands twice")
        seen.add(normalised(phrase))
        phrases.append(phrase)
    if len(phrases) > PHRASES_MAX:
        file.add(line_of(fields["phrases"]), "phrases", f"are more than {PHRASES_MAX}")
    return tuple(phrases)


def _cases(file: YamlFile, fields: Fields) -> Mapping[str, Case]:
    if "cases" not in fields:
        return {}
    cases: dict[str, Case] = {}
    nodes: dict[str, yaml.Node] = file.mapping(fields["cases"], "cases", required=(), allowed=FACETS)
    for facet, node in nodes.items():
        where = f"cases.{facet}"
        case = file.mapping(node, where, required=("label", "answer"))
        cases[facet] = Case(
            label=file.text(case, "label", f"{where}.label", longest=LABEL_MAX),
            answer=file.text(case, "answer", f"{where}.answer", longest=ANSWER_MAX, lines=True),
        )
    return cases
