"""Filling placeholders in: "{amount:permit-card}" becomes "30,46 €", as readers of the language write it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import get_day_names
from babel.numbers import format_currency, format_decimal, format_percent

from bot.actions import Wording
from bot.languages import CODES, DEFAULT, language
from bot.wording import Catalogue, isolate
from knowledge.hours import ALWAYS, Span, told_hours
from knowledge.records import Amount, Contact, Records, Window

PLACEHOLDER: Final = re.compile(r"\{(amount|year|phone|contact|window):([a-z0-9-]+)\}")
# Set around a phone number, whose groups would otherwise be turned round within a text from right to left.
_LEFT_TO_RIGHT_ISOLATE: Final = "\u2066"
_POP_ISOLATE: Final = "\u2069"
# How Babel writes the decimals of a pattern.
_CENTS: Final = ".00"


# Fills in a text of a language, with records, a day and a catalogue at hand.
Filler = Callable[[str, str], str]


def placeholders(text: str) -> list[tuple[str, str]]:
    """Give the placeholders of a text, kind and name, in their order."""
    return PLACEHOLDER.findall(text)


def known(kind: str, name: str, records: Records) -> bool:
    """Tell whether a placeholder can be filled in."""
    match kind:
        case "amount" | "year":
            return name in records.amounts
        case "phone":
            return bool(name in records.contacts and records.contacts[name].phones)
        case "contact":
            return name in records.contacts
        case _:
            return name in records.windows


def fill(text: str, language: str, records: Records, today: date, catalogue: Catalogue) -> str:
    """Give the text with every placeholder filled in. One that nobody knows asks the reader to ask at the desk.

    In a language that has no catalogue yet, dates and hours are told in Italian.
    """
    teller = _Teller(language if language in CODES else DEFAULT, today, catalogue)

    def filled(found: re.Match[str]) -> str:
        kind, name = found[1], found[2]
        if not known(kind, name, records):
            return catalogue.text("knowledge.ask_at_the_desk", teller.code)
        match kind:
            case "amount":
                return teller.amount(records.amounts[name])
            case "year":
                return str(records.amounts[name].year)
            case "phone":
                return teller.phones(records.contacts[name])
            case "contact":
                return teller.contact(records.contacts[name])
            case _:
                return teller.window(records.windows[name])

    return PLACEHOLDER.sub(filled, text)


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(language(code).tag, sep="-")


# What stands between the items of a list; CLDR's list patterns end in "and" in some of these languages.
_COMMAS: Final = {"zh": "，", "ur": "، ", "ar": "، "}


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells records in one language on one day."""

    code: str
    today: date
    catalogue: Catalogue

    @property
    def comma(self) -> str:
        return _COMMAS.get(self.code, ", ")

    def amount(self, amount: Amount) -> str:
        locale, value = _locale(self.code), amount.value
        if amount.unit == "percent":
            return format_percent(value / 100, locale=locale, decimal_quantization=False)
        if amount.unit == "number":
            return format_decimal(value, locale=locale, decimal_quantization=False)
        if value != value.to_integral_value():
            return format_currency(value, "EUR", locale=locale)
        # "40 €", not "40,00 €".
        pattern = locale.currency_formats["standard"].pattern.replace(_CENTS, "")
        return format_currency(value, "EUR", pattern, locale=locale, currency_digits=False)

    def phones(self, contact: Contact) -> str:
        return self.comma.join(f"{_LEFT_TO_RIGHT_ISOLATE}{phone}{_POP_ISOLATE}" for phone in contact.phones)

    def contact(self, contact: Contact) -> str:
        parts = [isolate(contact.name)]
        if contact.address:
            parts.append(isolate(contact.address))
        if contact.phones:
            parts.append(self.phones(contact))
        if contact.email:
            parts.append(isolate(contact.email))
        parts += self._hours(contact.hours)
        if contact.appointment:
            parts.append(self.catalogue.text("knowledge.by_appointment", self.code))
        return self.comma.join(parts)

    def window(self, window: Window) -> str:
        def told(message: str, day: date) -> str:
            return self.catalogue.text(Wording(message, (("day", day),)), self.code)

        if window.closes is not None and window.closes < self.today:
            return told("knowledge.window.closed_on", window.closes)
        if window.opens is not None and window.opens > self.today:
            return told("knowledge.window.opens_on", window.opens)
        if window.closes is not None:
            return told("knowledge.window.open_until", window.closes)
        which = "knowledge.window.not_announced" if window.opens is None else "knowledge.window.open"
        return self.catalogue.text(which, self.code)

    def _hours(self, hours: str) -> Iterator[str]:
        if hours.strip().lower() == ALWAYS:
            yield self.catalogue.text("knowledge.always", self.code)
        for span in told_hours(hours):
            values = (
                ("days", self._days(span)),
                ("start", f"{span.start:%H:%M}"),
                ("end", f"{span.end:%H:%M}"),
            )
            yield self.catalogue.text(Wording("knowledge.hours", values), self.code)

    def _days(self, span: Span) -> str:
        # Never Babel's "stand-alone" names: it gives those of whichever language asked for them first.
        names = get_day_names("wide", "format", _locale(self.code))
        return self.comma.join(
            names[first] if first == last else f"{names[first]} – {names[last]}" for first, last in span.days
        )
