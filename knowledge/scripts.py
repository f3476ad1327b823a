"""Scripts, and the kinds of text: a language in its own script, or written in another one."""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

LATIN: Final = "Latn"
PINYIN: Final = "zh-Latn"
ARABIC: Final = "Arab"
_NAMES: Final = {
    "LATIN": LATIN,
    "CJK": "Hani",
    "BENGALI": "Beng",
    "ARABIC": ARABIC,
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "GURMUKHI": "Guru",
}
# The script in which a language that is not written in Latin letters is written at school.
OWN_SCRIPT: Final = {"zh": "Hani", "ur": ARABIC, "bn": "Beng", "pa": "Guru", "ar": ARABIC, "uk": "Cyrl"}
# What a script alone tells. Latin and Arabic letters are shared by several languages of the service.
BY_SCRIPT: Final = {"Hani": "zh", "Beng": "bn", "Guru": "pa", "Cyrl": "uk"}


def script_of(text: str) -> str | None:
    """Give the script that most letters of a text are in, as ISO 15924 names it; None where there are none."""
    counts: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            # Latin letters without marks are by far the most, and need no look-up.
            counts[LATIN if character.isascii() else _script_of_letter(character)] += 1
    return counts.most_common(1)[0][0] if counts else None


@lru_cache(maxsize=8192)
def _script_of_letter(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return _NAMES.get(name, name)


def kind_of(language: str, text: str) -> str:
    """Give the kind of a text of a known language: the language, or "ur-Latn" where it is written otherwise."""
    own = OWN_SCRIPT.get(language)
    script = script_of(text)
    if own is None or script == own or script not in {LATIN, ARABIC}:
        return language
    return f"{language}-{script}"


def language_of(kind: str) -> str:
    """Give the language of a kind."""
    return kind.partition("-")[0]


def is_romanised(kind: str) -> bool:
    """Tell whether a kind is a language written in Latin letters though that is not its script."""
    return kind.endswith(f"-{LATIN}")
