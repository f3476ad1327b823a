"""Every text the service says: message id, values and language in, text out."""

import gettext
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta, match_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.actions import Value, Wording
from bot.languages import CODES, language

LOCALES: Final = Path(__file__).resolve().parent / "locale"
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_ISOLATE: Final = "\u2069"
_ISOLATES: Final = frozenset("\u2066\u2067\u2068\u2069")
# Babel goes over to a larger unit at so many times of it.
_NEVER_LARGER: Final = {"day": 10_000, "hour": 1}


def isolate(text: str) -> str:
    """Set a text apart, so that its writing direction disturbs nothing around it (Unicode TR 9, FSI and PDI).

    Marks in it that would end this too early, or leave it open, are dropped or closed.
    """
    return f"{_FIRST_STRONG_ISOLATE}{_paired(text)}{_POP_ISOLATE}"


def _paired(text: str) -> str:
    if _ISOLATES.isdisjoint(text):
        return text
    kept: list[str] = []
    depth = 0
    for character in text:
        if character == _POP_ISOLATE:
            if not depth:
                continue
            depth -= 1
        elif character in _ISOLATES:
            depth += 1
        kept.append(character)
    return "".join(kept) + _POP_ISOLATE * depth


def _locale(code: str) -> str:
    """Give the name under which Babel knows a language; English is that of Europe, where the day comes first."""
    return "en_GB" if code == "en" else language(code).tag.replace("-", "_")


def catalogue_files(code: str) -> list[Path]:
    """Give the catalogues of a language: one for each room that speaks."""
    return sorted((LOCALES / code).glob("*.po"))


def read_catalogue(path: Path) -> Catalog:
    """Read a catalogue as it is written."""
    with path.open("rb") as file:
        return read_po(file, locale=_locale(path.parent.name))


class Catalogue:
    """All texts in all languages. Made once; nothing in it changes."""

    def __init__(self, zone: tzinfo, constants: Mapping[str, str]) -> None:
        """Read the catalogues; moments are told in the time of `zone`, and any text may use the `constants`."""
        self._zone = zone
        self._constants = dict(constants)
        self._texts = {code: _compiled(code) for code in CODES}

    def text(self, wording: Wording | str, code: str) -> str:
        """Give the text of a wording in a language, its values filled in."""
        if isinstance(wording, str):
            wording = Wording(wording)
        translations = self._texts[code]
        if wording.count is None:
            pattern = translations.gettext(wording.id)
        else:
            pattern = translations.ngettext(wording.id, wording.id, wording.count)
        if "{" not in pattern:
            return pattern
        given = {name: self._value(value, code) for name, value in wording.values}
        return pattern.format_map({**self._constants, "count": str(wording.count), **given})

    def moment(self, moment: datetime, code: str) -> str:
        """Tell a moment with weekday, day and time, as readers of the language write it."""
        day = format_datetime(moment, _weekday_and_day(code), tzinfo=self._zone, locale=_locale(code))
        return f"{day}, {self.clock(moment, code)}"

    def clock(self, moment: datetime, code: str) -> str:
        """Tell the time of a moment."""
        return format_time(moment, "HH:mm", tzinfo=self._zone, locale=_locale(code))

    def day(self, day: date, code: str) -> str:
        """Tell a day of a year."""
        return format_date(day, "long", locale=_locale(code))

    def days(self, span: timedelta, code: str) -> str:
        """Tell a time in whole days, in the plural form that the number wants; what is less than a day in hours."""
        least: Literal["day", "hour"] = "day" if span >= timedelta(days=1) else "hour"
        return str(format_timedelta(span, granularity=least, threshold=_NEVER_LARGER[least], locale=_locale(code)))

    def language_name(self, named: str, code: str) -> str:
        """Give the name of a language in another language, as it stands within a sentence."""
        name: str = Locale.parse(_locale(code)).languages[Locale.parse(_locale(named)).language]
        return name

    def _value(self, value: Value, code: str) -> str:
        if isinstance(value, datetime):
            return isolate(self.moment(value, code))
        if isinstance(value, date):
            return isolate(self.day(value, code))
        if isinstance(value, timedelta):
            return self.days(value, code)
        return str(value) if isinstance(value, int) else isolate(value)


@cache
def _weekday_and_day(code: str) -> str:
    """Give the pattern that a language has for them, which takes Babel a hundred times as long as following it."""
    skeletons = Locale.parse(_locale(code)).datetime_skeletons
    return str(skeletons[match_skeleton("MMMMEEEEd", skeletons)].pattern)


@cache
def _compiled(code: str) -> gettext.GNUTranslations:
    """Make one catalogue of several; an id stands in one of them only, which a test watches over."""
    all_of_them: list[gettext.GNUTranslations] = []
    for path in catalogue_files(code):
        file = BytesIO()
        write_mo(file, read_catalogue(path))
        file.seek(0)
        all_of_them.append(gettext.GNUTranslations(file))
    first, *others = all_of_them
    for other in others:
        first.add_fallback(other)
    return first
