"""Places elsewhere that a text names: a sign that an answer about Prato would be beside the point.

Cities are the sign (`places.yaml`); names of countries are not, because residents say with them where they come
from. Both together tell which entries are about places elsewhere, so that the sign means nothing for them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import regex
import yaml
from babel import Locale

from knowledge.entry import KEPT
from knowledge.labels import PHRASES_REMEMBERED

PATH: Final = Path(__file__).with_name("places.yaml")
# Who names it along with another city asks about here, as when moving.
_HERE: Final = ("prato", "普拉托", "پراتو", "پراٹو", "براتو", "প্রাতো", "প্রাটো", "ਪ੍ਰਾਤੋ", "ਪਰਾਤੋ", "прато")
_WORDS: Final = regex.compile(r"[\p{L}\p{M}'’-]+")
_HAN: Final = regex.compile(r"\p{Han}")
# Ukrainian and Bengali say "in" and "of" by endings: so many letters may follow a name of theirs.
_WITH_ENDINGS: Final = regex.compile(r"[\p{Cyrillic}\p{Bengali}]")
_ENDING: Final = 3
# An entry of which at least this share of the phrases names a city or country elsewhere is about such places.
_SHARE: Final = 0.04
# No countries elsewhere: Italy, San Marino, the Vatican; and what CLDR has beside countries.
_NO_COUNTRIES: Final = frozenset({"IT", "SM", "VA", "EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})


def _any_of(names: Iterable[str]) -> regex.Pattern[str]:
    return regex.compile("|".join(regex.escape(name) for name in sorted(names)))


class _Names:
    """Names, folded, by the way in which they are looked for."""

    def __init__(self, names: Iterable[str]) -> None:
        folded = {name.casefold() for name in names if name}
        self.words = {name for name in folded if " " not in name and not _HAN.search(name)}
        self.inside = _any_of(name for name in folded if _HAN.search(name))
        several = {name for name in folded if " " in name and not _HAN.search(name)}
        self.several = _any_of(f" {name} " for name in several)
        self.first = {name.partition(" ")[0] for name in several}
        self.ending = {name for name in self.words if _WITH_ENDINGS.search(name)}

    def found(self, folded: str) -> bool:
        """Tell whether one of the names stands in a folded text."""
        words = _WORDS.findall(folded)
        if not self.words.isdisjoint(words):
            return True
        if _HAN.search(folded) and self.inside.search(folded):
            return True
        if not self.first.isdisjoint(words) and self.several.search(f" {' '.join(words)} "):
            return True
        return any(word[:-letters] in self.ending for word in words for letters in range(1, _ENDING + 1))


@lru_cache(maxsize=1)
def _cities() -> _Names:
    read: Mapping[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    names = {name for italian, others in read["others"].items() for name in (italian, *others)}
    for code in KEPT:
        zones = Locale.parse(code).time_zones
        # Where CLDR leaves a name out, it is that of the zone.
        names |= {zones.get(zone, {}).get("city", zone.rpartition("/")[2].replace("_", " ")) for zone in read["cldr"]}
    return _Names({name.casefold() for name in names} - set(read["never"]))


@lru_cache(maxsize=1)
def _countries() -> _Names:
    return _Names(
        name
        for code in KEPT
        for territory, name in Locale.parse(code).territories.items()
        # Two letters are countries; numbers are continents.
        if territory.isalpha() and territory not in _NO_COUNTRIES
    )


def names_city_elsewhere(text: str) -> bool:
    """Tell whether a cleaned text names a city outside Tuscany, and does not name Prato."""
    folded = text.casefold()
    return not any(here in folded for here in _HERE) and _cities().found(folded)


@lru_cache(maxsize=PHRASES_REMEMBERED)
def _names_elsewhere(phrase: str) -> bool:
    """Tell whether a phrase names a city or country elsewhere; remembered, because an edit changes few of them."""
    folded = phrase.casefold()
    return _cities().found(folded) or _countries().found(folded)


def about_elsewhere(phrases: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the labels that are about places elsewhere, of phrases given as label and text."""
    all_of: Counter[str] = Counter()
    naming: Counter[str] = Counter()
    for label, text in phrases:
        all_of[label] += 1
        naming[label] += _names_elsewhere(text)
    return frozenset(label for label, number in naming.items() if number >= _SHARE * all_of[label])
