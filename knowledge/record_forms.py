"""Records as they stand in the editors' forms, all values texts."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from knowledge.records import Amount, Contact, Kind, Record, Window, WrongFieldError, amount_value, checked

# What is told of a field that is wrong: an id of the catalogue.
FAULTS: Final = {
    "name": "editing.record.fault.text",
    "source": "editing.record.fault.text",
    "address": "editing.record.fault.text",
    "email": "editing.record.fault.email",
    "phones": "editing.record.fault.phones",
    "hours": "editing.record.fault.hours",
    "languages": "editing.record.fault.languages",
    "year": "editing.record.fault.year",
    "value": "editing.record.fault.value",
    "unit": "editing.record.fault.choice",
    "status": "editing.record.fault.choice",
    "opens": "editing.record.fault.date",
    "checked_on": "editing.record.fault.date",
    "closes": "editing.record.fault.closes",
}
_YES: Final = "1"


def form_of(record: Record) -> dict[str, str]:
    """Give the values of a record's form."""
    if isinstance(record, Contact):
        return {
            "name": record.name,
            "address": record.address,
            "phones": ", ".join(record.phones),
            "email": record.email,
            "hours": record.hours,
            "appointment": _YES if record.appointment else "",
            "languages": " ".join(record.languages),
            "checked_on": _told(record.checked_on),
            "source": record.source,
            "status": record.status,
        }
    if isinstance(record, Amount):
        return {
            "year": str(record.year),
            "value": str(record.value),
            "unit": record.unit,
            "source": record.source,
            "status": record.status,
        }
    return {
        "opens": _told(record.opens),
        "closes": _told(record.closes),
        "source": record.source,
        "status": record.status,
    }


def read_form(kind: Kind, record_id: str, given: Mapping[str, str]) -> Record:
    """Make the record of a form; raises WrongFieldError."""
    form = {name: " ".join(value.split()) for name, value in given.items()}

    def text(name: str) -> str:
        return form.get(name, "")

    source, status = text("source"), text("status")
    record: Record
    match kind:
        case Kind.CONTACT:
            record = Contact(
                id=record_id,
                name=text("name"),
                address=text("address"),
                phones=tuple(filter(None, (phone.strip() for phone in text("phones").split(",")))),
                email=text("email"),
                hours=text("hours").lower(),
                appointment=bool(text("appointment")),
                languages=tuple(dict.fromkeys(text("languages").lower().replace(",", " ").split())),
                status=status,
                source=source,
                checked_on=_day(form, "checked_on"),
            )
        case Kind.AMOUNT:
            record = Amount(record_id, _year(text("year")), amount_value(text("value")), text("unit"), source, status)
        case Kind.WINDOW:
            record = Window(record_id, _day(form, "opens"), _day(form, "closes"), source, status)
    return checked(record)


def _told(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _day(form: Mapping[str, str], name: str) -> date | None:
    text = form.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise WrongFieldError(name, f"is {text!r}, and must be a date such as 2026-11-23") from error


def _year(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == 4):  # noqa: PLR2004 - a year
        raise WrongFieldError("year", f"is {text!r}, and must be a year")
    return int(text)
