"""Import and export of entries: done once, quickly, and never over an editor's work."""

import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from knowledge import exchange, files, loading
from knowledge.entry import KEPT, Entry
from store import entries as store
from store import publishing
from store.database import Database
from store.publishing import Publication
from tests.conftest import FakeClock
from tests.starter import starter

SLUG = "tax-code"
CASED = "health-registration"


async def test_importing_twice_does_nothing_and_editors_are_not_overwritten(
    database: Database, clock: FakeClock, editor: UUID
) -> None:
    entries = [entry for entry in starter() if entry.slug == SLUG]

    async def imported(what: list[Entry], *, overwrite: bool = False) -> exchange.ImportReport:
        async with database.begin() as connection:
            return await exchange.import_entries(connection, what, overwrite=overwrite, now=clock())

    assert len((await imported(entries)).published) == 12
    assert (await imported(entries)).published == []
    async with database.read() as connection:
        loaded = await loading.load(connection)
    assert loaded.entries[0].translations["ur"].answer == entries[0].translations["ur"].answer
    async with database.begin() as connection:
        current = await store.published_of(connection, SLUG, "ur")
        assert current is not None
        mine = replace(exchange.content(entries[0].translations["ur"]), answer="edited", digest="mine")
        await publishing.publish(connection, [Publication(SLUG, "ur", mine, base=1, author=editor)], now=clock())
    assert (await imported(entries)).kept == [f"{SLUG} (ur)"]
    changed = replace(entries[0].translations["ur"], answer="from a new file")
    newer = [replace(entries[0], translations={**entries[0].translations, "ur": changed})]
    report = await imported(newer)
    assert (report.conflicts, report.published) == ([f"{SLUG} (ur)"], [])
    assert (await imported(newer, overwrite=True)).published == [f"{SLUG} (ur)"]
    async with database.read() as connection:
        versions = await store.history(connection, SLUG, "ur")
    assert [version.answer for version in versions][:2] == ["from a new file", "edited"]


async def test_all_of_it_is_imported_quickly_and_comes_back(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    entries = starter()
    began = time.perf_counter()
    async with database.begin() as connection:
        report = await exchange.import_entries(connection, entries, overwrite=False, now=clock())
    assert time.perf_counter() - began < 20
    assert len(report.published) == 83 * 12
    async with database.read() as connection:
        loaded = await loading.load(connection)
    exchange.export(loaded.entries, tmp_path)
    again, problems = files.read_folder(tmp_path)
    assert problems == []
    assert {entry.slug: set(entry.translations) for entry in again} == {entry.slug: set(KEPT) for entry in entries}
    async with database.begin() as connection:
        report = await exchange.import_entries(connection, again, overwrite=False, now=clock())
    assert (report.published, report.conflicts) == ([], [])


def test_a_changed_file_is_told_by_its_digest() -> None:
    entry = next(entry for entry in starter() if entry.slug == CASED)
    urdu = entry.translations["ur"]
    same = replace(urdu, cases=dict(reversed(list(urdu.cases.items()))), revision=9)
    assert exchange.content(same).digest == exchange.content(urdu).digest, "the order of cases means nothing"
    for changed in (
        replace(urdu, made_from=2),
        replace(urdu, cases={**urdu.cases, "eu": replace(urdu.cases["eu"], label="x")}),
        replace(urdu, phrases=urdu.phrases[1:]),
    ):
        assert exchange.content(changed).digest != exchange.content(urdu).digest
