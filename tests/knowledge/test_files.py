"""Starter files: read strictly, told precisely, imported once, and never over an editor's work."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from knowledge import exchange, files, loading
from knowledge.entry import MACHINE_DRAFT, Entry, translation_for
from store import entries as store
from store import staff
from store.database import Database
from store.staff import Role
from tests.conftest import FakeClock

TOPICS = {"services": 12, "work": 5, "training": 3}


def starter() -> list[Entry]:
    entries, problems = files.read_folder(files.STARTER)
    assert problems == []
    return entries


def test_the_starter_entries_are_twenty_in_three_groups_and_five_languages() -> None:
    entries = starter()
    assert len(entries) == 20
    for group, count in TOPICS.items():
        assert len([entry for entry in entries if entry.group == group]) == count
    for entry in entries:
        assert set(entry.translations) == {"it", "en", "zh", "ur", "bn"}
        for code in ("ur", "bn"):
            phrases = entry.translations[code].phrases
            assert sum(phrase.isascii() for phrase in phrases) >= 3, f"{entry.slug}: romanised phrases in {code}"


def test_no_machine_translation_calls_itself_reviewed() -> None:
    for entry in starter():
        assert all(translation.state == MACHINE_DRAFT for translation in entry.translations.values())


def test_what_goes_out_comes_back_the_same(tmp_path: Path) -> None:
    entries = starter()
    exchange.export(entries, tmp_path)
    again, problems = files.read_folder(tmp_path)
    assert problems == []
    assert again == entries
    assert (tmp_path / "tax-code.yaml").read_text("utf-8") == (files.STARTER / "tax-code.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("slug: tax-code", "slug: other", 1, "slug", "the file is named 'tax-code'"),
        ("group: services", "group: fun", 2, "group", "must be one of services, work, training"),
        ("status: to verify", "state: x", 3, "file.state", "is unknown"),
        ("review_by: '2027-05-23'", "review_by: soon", 4, "review_by", "must be a date"),
        ("    state: machine draft", "    state: perfect", 10, "translations.it.state", "must be one of"),
        ("  bn:", "  xx:", None, "translations.xx", "is unknown"),
        ("      - fare il codice fiscale\n", "", None, "", ""),
        ("      - codice fiscale neonato\n", "      - codice fiscale dove si fa\n", None, "phrases[3]", "twice"),
        ("      - codice fiscale neonato\n", '      - ""\n', None, "phrases[3]", "is empty"),
        ("translations:", "translations: [", None, "file", "is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_field(
    tmp_path: Path, old: str, new: str, line: int | None, field: str, said: str
) -> None:
    text = (files.STARTER / "tax-code.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "tax-code.yaml").write_text(text.replace(old, new, 1), "utf-8")
    _, problems = files.read_folder(tmp_path)
    if not field:
        assert problems == []
        return
    told = [problem for problem in problems if field in problem.field and said in problem.message]
    assert told, problems
    assert told[0].file == "tax-code.yaml"
    assert line is None or told[0].line == line
    assert str(told[0]).startswith(f"tax-code.yaml:{told[0].line}: ")


def test_a_phrase_of_two_entries_is_told_with_both(tmp_path: Path) -> None:
    for slug in ("tax-code", "night-doctor"):
        (tmp_path / f"{slug}.yaml").write_bytes((files.STARTER / f"{slug}.yaml").read_bytes())
    text = (tmp_path / "tax-code.yaml").read_text("utf-8").replace("fare il codice fiscale", "Guardia  Medica", 1)
    (tmp_path / "tax-code.yaml").write_text(text, "utf-8")
    _, (problem,) = files.read_folder(tmp_path)
    assert problem.file == "tax-code.yaml"
    assert "night-doctor.yaml" in problem.message


async def test_importing_twice_does_nothing_and_editors_are_not_overwritten(
    database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> None:
    entries = [entry for entry in starter() if entry.slug == "tax-code"]

    async def imported(what: list[Entry], *, overwrite: bool = False) -> exchange.ImportReport:
        async with database.begin() as connection:
            return await exchange.import_entries(connection, what, overwrite=overwrite, now=clock())

    assert len((await imported(entries)).published) == 5
    assert (await imported(entries)).published == []
    async with database.read() as connection:
        loaded = await loading.load(connection)
    assert loaded[0].translations["ur"].answer == entries[0].translations["ur"].answer
    editor = new_id()
    async with database.begin() as connection:
        await staff.add(
            connection,
            new_id=editor,
            login="e",
            name="E",
            roles=[Role.EDITOR],
            password_hash="",
            language="it",
            capacity=1,
            now=clock(),
        )
        current = await store.published_of(connection, "tax-code", "ur")
        assert current is not None
        mine = replace(exchange.content(entries[0].translations["ur"]), answer="edited", digest="mine")
        await store.publish(connection, "tax-code", "ur", mine, base=1, author=editor, restored_from=None, now=clock())
    assert (await imported(entries)).kept == ["tax-code (ur)"]
    changed = replace(entries[0].translations["ur"], answer="from a new file")
    newer = [replace(entries[0], translations={**entries[0].translations, "ur": changed})]
    report = await imported(newer)
    assert (report.conflicts, report.published) == (["tax-code (ur)"], [])
    assert (await imported(newer, overwrite=True)).published == ["tax-code (ur)"]
    async with database.read() as connection:
        versions = await store.history(connection, "tax-code", "ur")
    assert [version.answer for version in versions][:2] == ["from a new file", "edited"]


def test_readers_without_their_language_get_english_then_italian() -> None:
    entry = starter()[0]
    fewer = replace(entry, translations={code: entry.translations[code] for code in ("it", "en", "zh")})
    assert translation_for(fewer, "zh").language == "zh"
    assert translation_for(fewer, "ur").language == "en"
    only_italian = replace(entry, translations={"it": entry.translations["it"]})
    assert translation_for(only_italian, "ur").language == "it"
