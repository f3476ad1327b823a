"""Records: read strictly, kept with every change, imported like texts, and told in the reader's language."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.languages import CODES
from bot.wording import Catalogue
from knowledge import exchange, files, loading, record_files
from knowledge.exchange import ImportReport
from knowledge.filling import fill, known, placeholders
from knowledge.hours import told_hours
from knowledge.keeping import values_of
from knowledge.records import Amount, Contact, Records, Window, WrongFieldError, amount_value, checked
from store import records as store
from store.database import Database
from tests.conftest import FakeClock
from tests.starter import starter as whole_base

CATALOGUE = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "O", "service": "S"})
TODAY = date(2026, 11, 23)
VERIFIED = "verified"


def starter() -> Records:
    records, problems = record_files.read_records(files.STARTER)
    assert problems == []
    return records


RECORDS = Records.of(
    [
        Contact(
            id="office",
            name="Ufficio",
            address="via Roma 1",
            phones=("0574 1", "800 2"),
            hours="mon-fri 09:00-13:00, tue 15:00-17:30",
            appointment=True,
            source="s",
        ),
        Contact(id="line", name="Linea", phones=("112",), hours="always", source="s"),
        Contact(id="mute", name="Muto", source="s"),
        Amount("fee", 2026, Decimal("30.46"), "EUR", "s", VERIFIED),
        Amount("stamp", 2026, Decimal(16), "EUR", "s", VERIFIED),
        Amount("quota", 2026, Decimal(164850), "number", "s", VERIFIED),
        Amount("rate", 2026, Decimal("7.5"), "percent", "s", VERIFIED),
        Window("open", date(2026, 11, 1), date(2027, 2, 14), "s", VERIFIED),
        Window("later", date(2027, 1, 12), date(2027, 2, 14), "s", VERIFIED),
        Window("over", None, date(2026, 11, 22), "s", VERIFIED),
        Window("last-day", None, TODAY, "s", VERIFIED),
        Window("begun", date(2026, 1, 1), None, "s", VERIFIED),
        Window("unknown", None, None, "s", VERIFIED),
    ]
)


def filled(text: str, code: str = "it") -> str:
    return fill(text, code, RECORDS, TODAY, CATALOGUE)


def shown(text: str, code: str = "it") -> str:
    """Give a filled text as an eye sees it."""
    return filled(text, code).translate(dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        ("it", "{amount:fee}", "30,46 €"),
        ("it", "{amount:stamp}", "16 €"),
        ("it", "{amount:quota}", "164.850"),
        ("ar", "{year:quota}", "2026"),
        ("it", "{year:nobody}", "chiedi allo sportello"),
        ("it", "{amount:rate}", "7,5%"),
        ("en", "{amount:fee} {amount:stamp} {amount:quota} {amount:rate}", "€30.46 €16 164,850 7.5%"),
        ("it", "{window:open}", "aperto fino al 14 febbraio 2027"),
        ("en", "{window:open}", "open until 14 February 2027"),
        ("en", "{window:later}", "opens on 12 January 2027"),
        ("en", "{window:over}", "closed on 22 November 2026"),
        ("en", "{window:last-day}", "open until 23 November 2026"),
        ("en", "{window:begun}", "open"),
        ("en", "{window:unknown}", "dates not yet announced"),
        ("it", "{phone:line}.", "112."),
        (
            "it",
            "{contact:office}",
            "Ufficio, via Roma 1, 0574 1, 800 2, lunedì – venerdì 09:00–13:00, martedì 15:00–17:30, su appuntamento",
        ),
        ("bn", "{contact:line}", "Linea, 112, দিনরাত খোলা"),
        (
            "zh",
            "{contact:office}",
            "Ufficio，via Roma 1，0574 1，800 2，星期一 – 星期五 09:00–13:00，星期二 15:00–17:30，需预约",
        ),
        ("en", "{phone:nobody} {amount:none} {phone:mute} {contact:mute}", "ask at the desk " * 3 + "Muto"),
        ("it", "{fine} {Phone:line} {}", "{fine} {Phone:line} {}"),
        ("sq", "{contact:line}", "Linea, 112, hapur gjithmonë, ditë e natë"),
    ],
)
def test_placeholders_are_filled_in_the_readers_language(code: str, text: str, told: str) -> None:
    assert shown(text, code) == told


def test_phone_numbers_stay_whole_and_digits_western_in_every_language() -> None:
    for code in CODES:
        text = filled("{phone:office} {amount:fee} {window:open} {contact:office}", code)
        assert re.search("\u20660574 1\u2069(, |،\\s|，)\u2066800 2\u2069", text)
        assert all(character.isascii() for character in text if character.isdecimal())
        assert text.count("\u2069") == sum(map(text.count, "\u2066\u2067\u2068"))


def test_every_placeholder_of_the_starter_entries_is_known_and_filled() -> None:
    records = starter()
    for entry in whole_base():
        for code, translation in entry.translations.items():
            answers = [translation.answer, *(case.answer for case in translation.cases.values())]
            for answer in answers:
                assert all(known(kind, name, records) for kind, name in placeholders(answer)), entry.slug
                assert "{" not in fill(answer, code, records, TODAY, CATALOGUE)


@pytest.mark.parametrize(
    ("file", "old", "new", "field", "said"),
    [
        ("amounts", "value: '40'", "value: 'forty'", "[1].value", "must be a number"),
        ("amounts", "value: '40'", "value: '1e3'", "[1].value", "must be a number"),
        ("amounts", "unit: EUR", "unit: USD", "[1].unit", "must be one of"),
        ("amounts", "name: permit-contribution-1-2-years", "name: permit-contribution-3-12-months", "[2]", "twice"),
        ("amounts", "year: 2026", "year: 26", "[1].year", "must be from"),
        ("contacts", "hours: always", "hours: mondays", "[1].hours", "is not as in"),
        ("contacts", "phones: ['112']", "phones: ['call us']", "[1].phones", "is no number"),
        ("contacts", "phones: ['112']", "fax: '112'", "[1].fax", "is unknown"),
        ("contacts", "id: emergency-112", "id: Emergency", "[1].name", "small letters"),
        ("windows", "closes: '2026-02-14'", "closes: '2026-01-12'", "[1].closes", "before it opens"),
        ("windows", "closes: '2026-02-14'", "closes: soon", "[1].closes", "must be a date"),
        ("windows", "source: 'Unica, iscrizioni 2026/27', ", "", "[1].source", "is missing"),
    ],
)
def test_wrong_records_are_told_with_file_line_and_field(
    tmp_path: Path, file: str, old: str, new: str, field: str, said: str
) -> None:
    (tmp_path / "records").mkdir()
    text = (files.STARTER / "records" / f"{file}.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "records" / f"{file}.yaml").write_text(text.replace(old, new, 1), "utf-8")
    _, problems = record_files.read_records(tmp_path)
    told = [problem for problem in problems if problem.field == field and said in problem.message]
    assert told, list(map(str, problems))
    assert str(told[0]).startswith(f"records/{file}.yaml:{told[0].line}: ")
    assert text.splitlines()[told[0].line - 1].startswith("- ")


def test_records_come_back_from_their_files(tmp_path: Path) -> None:
    for records in (starter(), RECORDS, Records()):
        record_files.write_records(records, tmp_path)
        assert record_files.read_records(tmp_path) == (records, [])


@pytest.mark.parametrize(
    "text", ["mon-fri", "fri-mon 09:00-10:00", "mon 10:00-09:00", "mon 9:00-10:00", "mon 25:00-26:00"]
)
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"mon|09:00|25:00"):
        told_hours(text)


def test_amounts_are_read_with_point_or_comma() -> None:
    assert amount_value(" 30,46 ") == amount_value("30.46") == Decimal("30.46")
    for wrong in ("", "-1", "1.234", "1,2,3", "NaN", "٣", "9" * 10):
        with pytest.raises(WrongFieldError):
            amount_value(wrong)
    with pytest.raises(WrongFieldError):
        checked(Contact(id="x", name="two\nlines", source="s"))


async def test_records_are_imported_once_and_every_change_is_kept(
    database: Database, clock: FakeClock, editor: UUID
) -> None:
    async def imported(records: Records, *, overwrite: bool = False) -> ImportReport:
        report = ImportReport()
        async with database.begin() as connection:
            await exchange.import_records(connection, records, report, overwrite=overwrite, now=clock())
        return report

    records = starter()
    assert len((await imported(records)).saved) == len(records.all())
    assert (await imported(records)).saved == []
    async with database.read() as connection:
        assert (await loading.load(connection)).records == records
    stamp = records.amounts["revenue-stamp"]
    edited = replace(stamp, value=Decimal("17.50"))
    async with database.begin() as connection:
        for base, done in ((1, True), (1, False), (0, False)):
            assert done is await store.save(
                connection, "amounts", stamp.name, values_of(edited), base=base, author=editor, now=clock()
            )
    assert (await imported(records)).kept == ["amounts: revenue-stamp"]
    newer = replace(records, amounts={**records.amounts, stamp.name: replace(stamp, value=Decimal(20))})
    report = await imported(newer)
    assert (report.conflicts, report.saved) == (["amounts: revenue-stamp"], [])
    assert (await imported(newer, overwrite=True)).saved == ["amounts: revenue-stamp"]
    async with database.read() as connection:
        changes = await connection.execute(
            select(store.record_changes)
            .where(store.record_changes.c.id == stamp.name)
            .order_by(store.record_changes.c.revision)
        )
        told = [(row.author, (row.before or {}).get("value"), row.after["value"]) for row in changes]
    assert told == [(None, None, "16"), (editor, "16", "17.50"), (None, "17.50", "20")]
