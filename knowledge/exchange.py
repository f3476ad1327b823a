"""Import and export: between the files that a translator reads and the database that editors work on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from knowledge.entry import SOURCE, Case, Entry, Reading, Translation, digest
from knowledge.files import FACTS, ORDER
from knowledge.keeping import values_of
from knowledge.record_files import write_records
from knowledge.records import Records, kind_of, name_of
from store import entries as store
from store import publishing
from store import records as record_store
from store.database import Write
from store.entries import EntryRow
from store.publishing import Content, Publication


@dataclass(slots=True)
class ImportReport:
    """What an import did; the lists name "slug (language)", or "kind: name" of a record.

    `published` and `saved` are new or changed translations and records, `kept` and `conflicts` of both.
    """

    entries: int = 0
    published: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def content(translation: Translation) -> Content:
    """Give what the store keeps of a translation."""
    return content_of(
        question=translation.question,
        answer=translation.answer,
        phrases=translation.phrases,
        cases=translation.cases,
        source_version=translation.source_version,
        state=translation.state,
        reading=translation.reading,
    )


def content_of(
    *,
    question: str,
    answer: str,
    phrases: tuple[str, ...],
    cases: Mapping[str, Case],
    source_version: int | None,
    state: str,
    reading: Reading | None = None,
) -> Content:
    """Give content with its digest."""
    return Content(
        question=question,
        answer=answer,
        phrases=phrases,
        cases={facet: {"label": case.label, "answer": case.answer} for facet, case in cases.items()},
        source_version=source_version,
        state=state,
        digest=digest(question, answer, phrases, state, cases, source_version, reading),
        reviewed_by=reading.by if reading else None,
        reviewed_on=reading.on if reading else None,
    )


async def import_entries(
    connection: Write, entries: Iterable[Entry], *, overwrite: bool, now: datetime
) -> ImportReport:
    """Publish what is new in the files. Doing it twice does nothing the second time.

    What an editor changed after the last import is never overwritten silently: where the file has not
    changed since, the editor's version stays (`kept`); where it has, that is a conflict, and the editor's
    version stays unless `overwrite`.
    """
    report = ImportReport()
    published = {(revision.slug, revision.language): revision for revision in await store.published(connection)}
    imported = await publishing.imported(connection)
    publications: list[Publication] = []
    for entry in entries:
        report.entries += 1
        sources = [{"name": s.name, "url": s.url, "checked_on": s.checked_on.isoformat()} for s in entry.sources]
        row = EntryRow(
            slug=entry.slug,
            group=entry.group,
            position=entry.position,
            status=entry.status,
            review_by=entry.review_by,
            sources=sources,
            facets=entry.facets,
            section=entry.section,
        )
        await publishing.save_entry(connection, row)
        for code, translation in entry.translations.items():
            place = (entry.slug, code)
            new, current = content(translation), published.get(place)
            if current is not None and current.digest == new.digest:
                continue
            if _may_replace(
                report,
                _named(*place),
                edited=current is not None and current.author is not None,
                unchanged=imported.get(place) == new.digest,
                overwrite=overwrite,
            ):
                publications.append(Publication(*place, new, base=current.revision if current else 0))
    done = await publishing.publish(connection, publications, now=now)
    for publication in publications:
        place = (publication.slug, publication.language)
        (report.published if place in done else report.conflicts).append(_named(*place))
    return report


async def import_records(
    connection: Write, records: Records, report: ImportReport, *, overwrite: bool, now: datetime
) -> None:
    """Save what is new in the records' files, by the same rule, and add it to the report."""
    current = {(row.kind, row.id): row for row in await record_store.everything(connection)}
    imported = await record_store.imported(connection)
    for record in records.all():
        place = (kind_of(record).value, name_of(record))
        values = values_of(record)
        new, row = record_store.as_document(values), current.get(place)
        if row is not None and row.document == new:
            continue
        name = f"{place[0]}: {place[1]}"
        if _may_replace(
            report,
            name,
            edited=row is not None and row.author is not None,
            unchanged=imported.get(place) == new,
            overwrite=overwrite,
        ):
            saved = await record_store.save(
                connection, *place, values, base=row.revision if row else 0, author=None, now=now
            )
            (report.saved if saved else report.conflicts).append(name)


def _named(slug: str, code: str) -> str:
    return f"{slug} ({code})"


def _may_replace(report: ImportReport, name: str, *, edited: bool, unchanged: bool, overwrite: bool) -> bool:
    """Tell whether a file may take the place of what is there; where not, say so in the report."""
    if not edited:
        return True
    if unchanged:
        report.kept.append(name)
        return False
    if not overwrite:
        report.conflicts.append(name)
    return overwrite


def export(entries: Sequence[Entry], folder: Path, records: Records | None = None) -> list[Path]:
    """Write everything in the shape in which it is read: a folder an entry, the records, the order. Gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []

    def write(path: Path, document: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_as_yaml(document), encoding="utf-8")
        written.append(path)

    for entry in entries:
        write(folder / entry.slug / FACTS, _facts(entry))
        for code, translation in entry.translations.items():
            write(folder / entry.slug / f"{code}.yaml", _translation(entry, translation))
    if entries:
        # Positions count within all groups, and ties would be told apart by slug.
        ordered = sorted(entries, key=lambda entry: (entry.position, entry.slug))
        write(folder / ORDER, [entry.slug for entry in ordered])
    if records is not None:
        written += write_records(records, folder)
    return written


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks and indents lists below their name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003 - the library's signature


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _as_yaml(document: Any) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return text


def _facts(entry: Entry) -> dict[str, Any]:
    sources = [
        {"name": s.name} | ({"url": s.url} if s.url else {}) | {"checked_on": s.checked_on.isoformat()}
        for s in entry.sources
    ]
    section = {"section": entry.section} if entry.section else {}
    facts: dict[str, Any] = {
        "group": entry.group,
        **section,
        "status": entry.status,
        "review_by": entry.review_by.isoformat(),
        "sources": sources,
    }
    return facts | ({"facets": list(entry.facets)} if entry.facets else {})


def _translation(entry: Entry, translation: Translation) -> dict[str, Any]:
    version = translation.source_version
    name = "version" if translation.language == SOURCE else "made_from"
    told: dict[str, Any] = {} if version is None else {name: version}
    told["state"] = translation.state
    if translation.reading is not None:
        told |= {"reviewed_by": translation.reading.by, "reviewed_on": translation.reading.on.isoformat()}
    told |= {"question": translation.question, "answer": translation.answer}
    in_order = [facet for facet in (*entry.facets, *translation.cases) if facet in translation.cases]
    if in_order:
        told["cases"] = {
            facet: {"label": translation.cases[facet].label, "answer": translation.cases[facet].answer}
            for facet in dict.fromkeys(in_order)
        }
    return told | {"phrases": list(translation.phrases)}
