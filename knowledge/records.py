"""Contacts, amounts and windows: what many entries name, kept once, so that one correction mends them all."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from knowledge.entry import KEPT, STATUSES, TO_VERIFY
from knowledge.hours import told_hours

UNITS: Final = ("EUR", "number", "percent")
NAME_MAX: Final = 80
TEXT_MAX: Final = 200
YEARS: Final = (1990, 2100)
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?", re.ASCII)
_VALUE: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?", re.ASCII)
_PHONE: Final = re.compile(r"\+?\d(?: ?\d){1,18}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


class Kind(StrEnum):
    """The three kinds of records, by the name of their file, their table and their part of the page."""

    CONTACT = "contacts"
    AMOUNT = "amounts"
    WINDOW = "windows"


@dataclass(frozen=True, slots=True)
class Contact:
    """An office or a line. `hours` are as `knowledge.hours` reads them; empty: nobody has checked them.

    `languages` is what it speaks, as far as its own pages say; empty: not known.
    """

    id: str
    name: str
    address: str = ""
    phones: tuple[str, ...] = ()
    email: str = ""
    hours: str = ""
    appointment: bool = False
    languages: tuple[str, ...] = ()
    status: str = TO_VERIFY
    source: str = ""
    checked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum, a threshold or a rate that changes with the year. `unit` is one of `UNITS`."""

    name: str
    year: int
    value: Decimal
    unit: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Window:
    """A call, an enrolment or an agreement; both days belong to it, None where they are not announced."""

    name: str
    opens: date | None
    closes: date | None
    source: str
    status: str


Record = Contact | Amount | Window


@dataclass(frozen=True, slots=True)
class Records:
    """All records by name."""

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        """Sort records by their kind."""
        return cls(
            {record.id: record for record in records if isinstance(record, Contact)},
            {record.name: record for record in records if isinstance(record, Amount)},
            {record.name: record for record in records if isinstance(record, Window)},
        )

    def all(self) -> list[Record]:
        """Give every record, in the order of kinds and as they were given."""
        return [*self.contacts.values(), *self.amounts.values(), *self.windows.values()]


class WrongFieldError(ValueError):
    """A field's value cannot be; `field` names it and the message says why, in English."""

    def __init__(self, field: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.field = field


def kind_of(record: Record) -> Kind:
    """Give the kind of a record."""
    if isinstance(record, Contact):
        return Kind.CONTACT
    return Kind.AMOUNT if isinstance(record, Amount) else Kind.WINDOW


def name_of(record: Record) -> str:
    """Give the name by which entries name a record."""
    return record.id if isinstance(record, Contact) else record.name


def to_json(record: Record) -> dict[str, Any]:
    """Give the fields of a record, without those that are empty, as JSON values."""
    if isinstance(record, Contact):
        fields: dict[str, Any] = {
            "id": record.id,
            "name": record.name,
            "address": record.address,
            "phones": list(record.phones),
            "email": record.email,
            "hours": record.hours,
            "appointment": record.appointment,
            "languages": list(record.languages),
            "status": record.status,
            "checked_on": record.checked_on.isoformat() if record.checked_on else "",
            "source": record.source,
        }
    elif isinstance(record, Amount):
        fields = {
            "name": record.name,
            "year": record.year,
            "value": str(record.value),
            "unit": record.unit,
            "source": record.source,
            "status": record.status,
        }
    else:
        fields = {
            "name": record.name,
            "opens": record.opens.isoformat() if record.opens else "",
            "closes": record.closes.isoformat() if record.closes else "",
            "source": record.source,
            "status": record.status,
        }
    return {name: value for name, value in fields.items() if value not in ("", [], False)}


def amount_value(text: str) -> Decimal:
    """Read a value such as "30.46" or "30,46"; raises WrongFieldError."""
    if not _VALUE.fullmatch(text.strip()):
        raise WrongFieldError("value", f"is {text!r}, and must be a number such as 30.46")
    return Decimal(text.strip().replace(",", "."))


def checked(record: Record) -> Record:
    """Give the record back where it can be; raises WrongFieldError. Whoever makes records calls this."""
    if not _NAME.fullmatch(name_of(record)):
        raise WrongFieldError("name", f"{name_of(record)!r} must be of small letters, digits and hyphens")
    for field_name, text in _texts(record).items():
        if len(text) > TEXT_MAX or any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            raise WrongFieldError(field_name, f"must be one line of at most {TEXT_MAX} characters")
    for field_name, text in {"name": record.name, "source": record.source}.items():
        if not text:
            raise WrongFieldError(field_name, "is empty")
    if record.status not in STATUSES:
        raise WrongFieldError("status", f"is {record.status!r}, and must be one of {', '.join(STATUSES)}")
    if isinstance(record, Contact):
        _check_contact(record)
    elif isinstance(record, Amount):
        if record.unit not in UNITS:
            raise WrongFieldError("unit", f"is {record.unit!r}, and must be one of {', '.join(UNITS)}")
        if not YEARS[0] <= record.year <= YEARS[1]:
            raise WrongFieldError("year", f"is {record.year}, and must be from {YEARS[0]} to {YEARS[1]}")
    elif record.opens and record.closes and record.closes < record.opens:
        raise WrongFieldError("closes", f"is {record.closes}, before it opens")
    return record


def _texts(record: Record) -> dict[str, str]:
    texts = {"name": record.name, "source": record.source}
    if isinstance(record, Contact):
        texts |= {"address": record.address, "email": record.email, "hours": record.hours}
    return texts


def _check_contact(contact: Contact) -> None:
    try:
        told_hours(contact.hours)
    except ValueError as error:
        raise WrongFieldError("hours", str(error)) from error
    for phone in contact.phones:
        if not _PHONE.fullmatch(phone):
            raise WrongFieldError("phones", f"{phone!r} is no number: digits with spaces, perhaps a + before them")
    if contact.email and not _EMAIL.fullmatch(contact.email):
        raise WrongFieldError("email", f"{contact.email!r} is no address of e-mail")
    for code in contact.languages:
        if code not in KEPT:
            raise WrongFieldError("languages", f"{code!r} is none of {' '.join(KEPT)}")
