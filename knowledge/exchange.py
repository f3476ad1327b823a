"""Import and export: between the files that a translator reads and the database that editors work on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from knowledge.entry import Entry, Translation, digest
from store import entries as store
from store.database import Write
from store.entries import Content, EntryRow


@dataclass(slots=True)
class ImportReport:
    """What an import did; the lists name "slug (language)"."""

    entries: int = 0
    published: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def content(translation: Translation) -> Content:
    """Give what the store keeps of a translation."""
    return Content(
        question=translation.question,
        answer=translation.answer,
        phrases=translation.phrases,
        state=translation.state,
        digest=digest(translation.question, translation.answer, translation.phrases, translation.state),
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
    for entry in entries:
        report.entries += 1
        sources = [{"name": s.name, "url": s.url, "checked_on": s.checked_on.isoformat()} for s in entry.sources]
        row = EntryRow(entry.slug, entry.group, entry.position, entry.status, entry.review_by, sources)
        await store.save_entry(connection, row)
        for code, translation in entry.translations.items():
            await _import_translation(connection, code, translation, report, overwrite=overwrite, now=now)
    return report


async def _import_translation(
    connection: Write, code: str, translation: Translation, report: ImportReport, *, overwrite: bool, now: datetime
) -> None:
    name = f"{translation.slug} ({code})"
    new = content(translation)
    versions = await store.history(connection, translation.slug, code)
    current = versions[0] if versions else None
    if current is not None:
        if current.digest == new.digest:
            return
        imported = next((version.digest for version in versions if version.author is None), None)
        if current.author is not None and imported == new.digest:
            report.kept.append(name)
            return
        if current.author is not None and not overwrite:
            report.conflicts.append(name)
            return
    number = await store.publish(
        connection,
        translation.slug,
        code,
        new,
        base=current.revision if current else 0,
        author=None,
        restored_from=None,
        now=now,
    )
    (report.conflicts if number is None else report.published).append(name)


def export(entries: Iterable[Entry], folder: Path) -> list[Path]:
    """Write one file an entry, in the shape in which it is read; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for entry in entries:
        path = folder / f"{entry.slug}.yaml"
        path.write_text(_as_yaml(entry), encoding="utf-8")
        written.append(path)
    return written


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks and indents lists below their name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003 - the library's signature


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _as_yaml(entry: Entry) -> str:
    document: dict[str, Any] = {
        "slug": entry.slug,
        "group": entry.group,
        "status": entry.status,
        "review_by": entry.review_by.isoformat(),
        "sources": [
            {"name": s.name} | ({"url": s.url} if s.url else {}) | {"checked_on": s.checked_on.isoformat()}
            for s in entry.sources
        ],
        "translations": {
            code: {
                "state": translation.state,
                "question": translation.question,
                "answer": translation.answer,
                "phrases": list(translation.phrases),
            }
            for code, translation in entry.translations.items()
        },
    }
    text: str = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return text
