"""Starter files: read strictly, told precisely, imported once, and never over an editor's work."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import exchange, files
from knowledge.editing import Draft
from knowledge.entry import (
    ANSWER_MAX,
    KEPT,
    MACHINE_DRAFT,
    QUESTION_MAX,
    Entry,
    Reading,
    Translation,
    case_for,
    translation_for,
)
from tests.starter import starter

SLUG = "tax-code"
CASED = "health-registration"


def copied(folder: Path, *slugs: str) -> Path:
    for slug in slugs:
        shutil.copytree(files.STARTER / slug, folder / slug)
    return folder


def test_the_starter_entries_are_eighty_three_in_twelve_languages() -> None:
    entries = starter()
    assert len(entries) == 83
    assert {entry.group for entry in entries} == {"services", "work", "training"}
    assert [entry.slug for entry in entries][:2] == ["residence-permit-first", "residence-permit-renewal"]
    for entry in entries:
        assert set(entry.translations) == set(KEPT)
        for translation in entry.translations.values():
            assert tuple(translation.cases) == entry.facets


def test_no_machine_translation_calls_itself_reviewed() -> None:
    for entry in starter():
        assert all(translation.state == MACHINE_DRAFT for translation in entry.translations.values())


def test_what_goes_out_comes_back_the_same(tmp_path: Path) -> None:
    # All of them go the same way in the test of the whole import.
    entries = starter()[:14]
    exchange.export(entries, tmp_path)
    again, problems = files.read_folder(tmp_path)
    assert problems == []
    assert again == list(entries)


READ = "state: reviewed\nreviewed_by: Anna\nreviewed_on: '2027-01-12'\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "field", "said"),
    [
        ("entry.yaml", "group: services", "group: fun", 1, "group", "must be one of services, work, training"),
        ("entry.yaml", "section: health", "section: jobs", 2, "section", "must be one of permits, staying, papers"),
        ("entry.yaml", "group: services", "group: training", 2, "section", "the group training has no sections"),
        ("entry.yaml", "section: health\n", "", None, "", ""),
        ("entry.yaml", "status: to verify", "state: x", 3, "state", "is unknown"),
        ("entry.yaml", "review_by: '2027", "review_by: 'soon", 4, "review_by", "must be a date"),
        ("entry.yaml", "facets: [non-eu,", "facets: [martian,", None, "facets[1]", "must be one of"),
        ("entry.yaml", "facets: [non-eu, asylum", "facets: [non-eu, non-eu", None, "facets[2]", "twice"),
        ("it.yaml", "version: 1", "version: one", 1, "version", "whole number"),
        ("it.yaml", "version: 1\n", "", 1, "version", "is missing"),
        ("ur.yaml", "state: machine draft", "state: perfect", 2, "state", "must be one of"),
        ("ur.yaml", "made_from: 1\n", "", None, "", ""),
        ("ur.yaml", "state: machine draft\n", READ, None, "", ""),
        (
            "ur.yaml",
            "state: machine draft\n",
            READ.replace("reviewed\n", "machine draft\n"),
            3,
            "reviewed_by",
            "belongs",
        ),
        (
            "ur.yaml",
            "state: machine draft\n",
            READ.split("reviewed_on", maxsplit=1)[0],
            3,
            "reviewed_by",
            "who and when",
        ),
        ("ur.yaml", "state: machine draft\n", READ.replace("2027", "27"), 4, "reviewed_on", "must be a date"),
        ("it.yaml", "    label: 'Sono cittadino UE'\n", "", None, "cases.eu.label", "is missing"),
        ("it.yaml", "  eu:\n", "  martian:\n", None, "cases.martian", "is unknown"),
        ("it.yaml", "- 'come mi iscrivo alla asl'\n", "- ''\n", None, "phrases[2]", "is empty"),
        (
            "it.yaml",
            "- 'come mi iscrivo alla asl'\n",
            "- Iscrizione servizio  sanitario prima volta\n",
            None,
            "phrases[2]",
            "twice",
        ),
        ("it.yaml", "- 'come mi iscrivo alla asl'\n", '- "a\\u0007b"\n', None, "phrases[2]", "control character"),
        ("it.yaml", "phrases:", "phrases: [", None, "file", "is no YAML"),
        ("it.yaml", "phrases:", "phrases: \x07", None, "file", "is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_field(
    tmp_path: Path, file: str, old: str, new: str, line: int | None, field: str, said: str
) -> None:
    path = copied(tmp_path, CASED) / CASED / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    _, problems = files.read_folder(tmp_path)
    if not field:
        assert problems == []
        return
    told = [problem for problem in problems if field == problem.field and said in problem.message]
    assert told, list(map(str, problems))
    assert told[0].file == f"{CASED}/{file}"
    assert line is None or told[0].line == line
    assert str(told[0]).startswith(f"{CASED}/{file}:{told[0].line}: {field}: ")


def test_order_and_folders_must_agree_and_strangers_are_told(tmp_path: Path) -> None:
    copied(tmp_path, SLUG, "night-doctor")
    entries, problems = files.read_folder(tmp_path)
    assert ([entry.slug for entry in entries], problems) == (["night-doctor", SLUG], []), "without an order, by name"
    (tmp_path / files.ORDER).write_text(f"- {SLUG}\n- gone\n", "utf-8")
    (tmp_path / SLUG / "xx.yaml").write_text("", "utf-8")
    (tmp_path / "notes").mkdir()
    _, problems = files.read_folder(tmp_path)
    assert [str(problem) for problem in problems] == [
        "order.yaml:2: [2]: there is no gone/entry.yaml",
        "order.yaml:1: file: 'night-doctor' is missing",
        "tax-code/xx.yaml:1: file: is neither entry.yaml nor a language's file",
    ]
    _, (problem,) = files.read_folder(tmp_path / "notes")
    assert "holds no entry" in problem.message


def test_a_language_may_be_missing(tmp_path: Path) -> None:
    (copied(tmp_path, SLUG) / SLUG / "sq.yaml").unlink()
    (entry,), problems = files.read_folder(tmp_path)
    assert problems == []
    assert "sq" not in entry.translations


TEXT = st.text(max_size=60)


@hypothesis_settings(max_examples=60)
@given(TEXT, TEXT, TEXT, TEXT, st.booleans())
def test_whatever_an_editor_may_publish_comes_back_from_its_file(
    question: str,
    answer: str,
    phrases: str,
    label: str,
    reviewed: bool,  # noqa: FBT001 - given
) -> None:
    draft = Draft.of_form(
        question="q " + question,
        answer=answer + " a\n\nb",
        phrases="one phrase\n" + phrases,
        reviewed=reviewed,
        cases={"eu": ("l" + label, answer + "c")},
    )
    assert len(draft.question) <= QUESTION_MAX
    assert len(draft.answer) <= ANSWER_MAX
    reading = Reading("Anna Rossi", date(2027, 1, 12)) if reviewed else None
    content = draft.content(None, reading)
    translation = Translation(
        SLUG,
        "ur",
        0,
        draft.question,
        draft.answer,
        draft.phrases,
        content.state,
        dict(draft.cases),
        reading=reading,
    )
    entry = replace(starter_entry(), translations={"ur": translation}, facets=("eu", "minor"), position=0)
    with TemporaryDirectory() as folder:
        exchange.export([entry], Path(folder))
        again, problems = files.read_folder(Path(folder))
    assert problems == []
    assert again == [entry]
    assert exchange.content(again[0].translations["ur"]) == content


def starter_entry() -> Entry:
    (entry,) = (entry for entry in CACHED if entry.slug == SLUG)
    return entry


CACHED = starter()


def test_readers_without_their_language_get_english_then_italian() -> None:
    entry = starter_entry()
    fewer = replace(entry, translations={code: entry.translations[code] for code in ("it", "en", "zh")})
    assert translation_for(fewer, "zh").language == "zh"
    assert translation_for(fewer, "ur").language == "en"
    only_italian = replace(entry, translations={"it": entry.translations["it"]})
    assert translation_for(only_italian, "ur").language == "it"


def test_a_case_comes_in_the_first_language_that_has_it() -> None:
    entry = next(entry for entry in CACHED if entry.slug == CASED)
    found = case_for(entry, "eu", "ur")
    assert found is not None
    assert found[0].language == "ur"
    without = replace(entry.translations["ur"], cases={})
    fewer = replace(entry, translations={**entry.translations, "ur": without})
    found = case_for(fewer, "eu", "ur")
    assert found is not None
    assert found[0].language == "en"
    assert case_for(entry, "student", "ur") is None


def test_every_starter_file_is_plain_yaml() -> None:
    """Other programs may read the files with whatever reader they have."""
    text = (files.STARTER / SLUG / "ur.yaml").read_text("utf-8")
    assert set(yaml.safe_load(text)) == {"made_from", "state", "question", "answer", "phrases"}
