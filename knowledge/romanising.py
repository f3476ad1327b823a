"""Every script in Latin letters, and the consonants that are left when spelling is nobody's rule."""

import re
from typing import Final

from anyascii import anyascii

# Digits that stand for Arabic letters between letters, as people type them (7abibi, 3arabi, 9rib).
_ARABIZI: Final = re.compile(r"[a-z][23579]|[23579][a-z]")
_SILENT_DIGIT: Final = re.compile(r"(?<=[a-z])[23]|[23](?=[a-z])")
_DIGITS: Final = str.maketrans({"7": "h", "9": "k", "5": "k"})
# Aspirates and letters that are written for one another; longer ones first.
_ALIKE: Final = (
    *(("ph", "f"), ("sh", "s"), ("ch", "c"), ("kh", "k"), ("gh", "g"), ("th", "t"), ("dh", "d"), ("bh", "b")),
    *(("jh", "j"), ("v", "b"), ("w", "b"), ("z", "j"), ("q", "k"), ("x", "ks")),
)
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_WORD: Final = re.compile(r"[a-z0-9]+")
_SOFT: Final = re.compile(r"[aeiouhy]")
_DOUBLED: Final = re.compile(r"(.)\1+")


def in_latin(text: str) -> str:
    """Give a text in lower-case ASCII letters, whatever its script; marks and punctuation follow anyascii.

    Chinese comes twice, with its syllables joined and apart: people type pinyin either way.
    """
    latin = anyascii(text).lower()
    if _HAN.search(text):
        latin += " " + anyascii(_HAN.sub(r"\g<0> ", text)).lower()
    return latin


def pinyin_joined(latin: str) -> str:
    """Give typed pinyin as it is and with its syllables joined."""
    return f"{latin} {latin.replace(' ', '')}"


def skeleton(latin: str) -> str:
    """Give the consonants of each word of an `in_latin` text, as sounds that are spelt alike.

    "zindagi" and "jindagee" are both "jndg": romanised Urdu, Bengali, Punjabi and Arabic have no spelling,
    and their vowels vary most. The first letter of a word stays.
    """
    if _ARABIZI.search(latin):
        latin = _SILENT_DIGIT.sub("", latin).translate(_DIGITS)
    words = []
    for word in _WORD.findall(latin):
        plain = word
        for one, other in _ALIKE:
            plain = plain.replace(one, other)
        words.append(_DOUBLED.sub(r"\1", plain[0] + _SOFT.sub("", plain[1:])))
    return " ".join(words)
