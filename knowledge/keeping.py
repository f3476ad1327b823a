"""Between entries and records as readers get them and the rows in which they are kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from knowledge.entry import SOURCE, Case, Entry, Reading, Source, Translation
from knowledge.records import Amount, Contact, Kind, Record, Window
from store.entries import EntryRow, Revision
from store.records import RecordRow


def translation_of(row: Revision) -> Translation:
    """Read a version of a translation."""
    italian = row.language == SOURCE
    return Translation(
        slug=row.slug,
        language=row.language,
        revision=row.revision,
        question=row.question,
        answer=row.answer,
        phrases=row.phrases,
        state=row.state,
        cases=cases_of(row),
        version=(row.source_version or 1) if italian else None,
        made_from=None if italian else row.source_version,
        reading=reading_of(row),
    )


def reading_of(row: Revision) -> Reading | None:
    """Read who reviewed a version, and when."""
    return Reading(row.reviewed_by, row.reviewed_on) if row.reviewed_by and row.reviewed_on else None


def cases_of(row: Revision) -> dict[str, Case]:
    """Read the cases of a version."""
    return {facet: Case(case["label"], case["answer"]) for facet, case in row.cases.items()}


def entry_of(row: EntryRow, translations: Mapping[str, Translation]) -> Entry:
    """Read an entry with its translations."""
    return Entry(
        slug=row.slug,
        group=row.group,
        position=row.position,
        status=row.status,
        review_by=row.review_by,
        sources=tuple(
            Source(source["name"], source["url"], date.fromisoformat(source["checked_on"])) for source in row.sources
        ),
        translations=translations,
        facets=row.facets,
        section=row.section,
    )


def record_of(row: RecordRow) -> Record:
    """Read a record."""
    values = dict(row.values)
    match Kind(row.kind):
        case Kind.CONTACT:
            phones, languages = tuple(values.pop("phones")), tuple(values.pop("languages"))
            return Contact(id=row.id, phones=phones, languages=languages, **values)
        case Kind.AMOUNT:
            return Amount(name=row.id, **values)
        case Kind.WINDOW:
            return Window(name=row.id, **values)


def values_of(record: Record) -> dict[str, Any]:
    """Give the values of a record by column, without its id."""
    if isinstance(record, Contact):
        return {
            "name": record.name,
            "address": record.address,
            "phones": list(record.phones),
            "email": record.email,
            "hours": record.hours,
            "appointment": record.appointment,
            "languages": list(record.languages),
            "checked_on": record.checked_on,
            "source": record.source,
            "status": record.status,
        }
    if isinstance(record, Amount):
        return {
            "year": record.year,
            "value": record.value,
            "unit": record.unit,
            "source": record.source,
            "status": record.status,
        }
    return {"opens": record.opens, "closes": record.closes, "source": record.source, "status": record.status}
