"""What stands under an answer: its sources, whether anybody checked it, and whether anybody read the translation."""

import re
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from bot.actions import EntryAnswer, Say
from bot.languages import CODES
from bot.wording import Catalogue
from knowledge import files, record_files
from knowledge.entry import REVIEWED, TO_VERIFY, VERIFIED, Entry
from sportello.presenting import Presenter
from tests.starter import starter

CATALOGUE = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "Comune di Prato", "service": "Sportello"})
RECORDS, _ = record_files.read_records(files.STARTER)
ENTRIES = starter()
TAX = next(entry for entry in ENTRIES if entry.slug == "tax-code")


def told(entry: Entry, code: str) -> str:
    presenter = Presenter(CATALOGUE, {entry.slug: entry}, RECORDS, lambda: date(2026, 11, 23))
    body = presenter.body(Say((EntryAnswer(entry.slug),)), code)
    return re.sub(r"[\u2066-\u2069]", "", presenter.outbound(body, code, 1).paragraphs[-1])


def said(message: str, code: str) -> str:
    """Give a text up to the value in it."""
    return CATALOGUE.text(message, code).partition("{")[0].strip()


def test_no_fact_of_the_starter_entries_is_told_as_verified() -> None:
    """Nobody has checked them at their source: the facts were gathered, from pages and from memory."""
    assert {entry.status for entry in ENTRIES} == {TO_VERIFY}


@pytest.mark.parametrize("code", CODES)
def test_what_is_to_verify_is_not_told_as_checked(code: str) -> None:
    marks = told(TAX, code)
    assert said("bot.answer.to_verify", code) in marks
    assert (said("bot.answer.draft", code) in marks) is (code != "it")
    gathered, checked = (marks, told(replace(TAX, status=VERIFIED), code))
    assert gathered.splitlines()[0] != checked.splitlines()[0]
    assert said("bot.answer.to_verify", code) not in checked


def test_a_translation_that_was_read_says_so_no_more() -> None:
    read = replace(TAX.translations["en"], state=REVIEWED)
    entry = replace(TAX, status=VERIFIED, translations={**TAX.translations, "en": read})
    assert told(entry, "en").splitlines() == [
        f"Source: {source.name} (checked on 23 November 2026)" for source in TAX.sources
    ]
    assert told(TAX, "en").splitlines()[0].endswith("(information gathered on 23 November 2026)")
