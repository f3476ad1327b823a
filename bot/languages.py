"""The languages Sportello speaks, in the order in which they are offered."""

from dataclasses import dataclass
from typing import Final, Literal

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the service.

    `code` is the key used everywhere in Sportello, `tag` the BCP 47 tag for HTML, `autonym` the name
    its speakers give it.
    """

    code: str
    tag: str
    autonym: str
    direction: Direction = "ltr"


LANGUAGES: Final[tuple[Language, ...]] = (
    Language("it", "it", "Italiano"),
    Language("en", "en", "English"),
    Language("zh", "zh-Hans", "中文"),
    Language("ur", "ur", "اردو", "rtl"),
    Language("bn", "bn", "বাংলা"),
    Language("pa", "pa", "ਪੰਜਾਬੀ"),
    Language("ar", "ar", "العربية", "rtl"),
    Language("sq", "sq", "Shqip"),
    Language("ro", "ro", "Română"),
    Language("fr", "fr", "Français"),
    Language("es", "es", "Español"),
    Language("uk", "uk", "Українська"),
)
CODES: Final[tuple[str, ...]] = tuple(language.code for language in LANGUAGES)
DEFAULT: Final = "it"
_BY_CODE: Final = {language.code: language for language in LANGUAGES}


def language(code: str) -> Language:
    """Give the language of a code of `CODES`; raises KeyError for any other."""
    return _BY_CODE[code]


def closest(tag: str | None) -> str | None:
    """Give the code for a language tag such as `zh-hans-CN` or `bn_BD`, or None where there is none."""
    if not tag:
        return None
    primary = tag.replace("_", "-").split("-", 1)[0].lower()
    return primary if primary in _BY_CODE else None
