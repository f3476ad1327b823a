"""Who a notification is from: what a phone shows is a name, and a name may be anybody's. Pure.

What counts as too weak to answer by machine stands in docs/decisions/0033-weak-identities.md.
"""

import unicodedata
from enum import StrEnum
from typing import Final

import regex

# An app that shows the number of everybody whom the phone does not know by name.
SHOWS_NUMBERS: Final = frozenset({"com.whatsapp", "com.whatsapp.w4b"})
# Marks that steer the writing direction or join nothing: they tell no two people apart.
_UNSEEN: Final = regex.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Cc}]+")
_BLANKS: Final = regex.compile(r"[\s\u00a0]+")
_NOT_OF_A_NAME: Final = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_NUMBER: Final = regex.compile(r"\+?[0-9][0-9 ().\-/]{5,24}")
_LEAST_DIGITS: Final = 7
# Headings of collected notifications, in the two languages to which docs/gateway.md asks to set the phone.
_COLLECTED: Final = regex.compile(
    r"(imo|whatsapp|wechat|messenger)"
    r"|\d+ (new |unread |nuovi |nuovo )?(messages?|chats?|messaggi|messaggio|conversations?|conversazioni)\b.*",
    regex.IGNORECASE,
)


class Weakness(StrEnum):
    """Why a machine must not answer: see docs/decisions/0033-weak-identities.md."""

    NO_NUMBER = "no-number"
    NO_PERSON = "no-person"
    COLLISION = "collision"


def cleaned(sender: str) -> str:
    """Give a name as a person sees it: without marks that nobody sees, blanks as one."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFC", sender))
    return _BLANKS.sub(" ", seen).strip()


def number_of(sender: str) -> str | None:
    """Give a telephone number by its digits, with its plus; None where a name is none."""
    if _NUMBER.fullmatch(sender) is None:
        return None
    digits = "".join(each for each in sender if each.isdecimal())
    if len(digits) < _LEAST_DIGITS:
        return None
    return f"+{digits}" if sender.startswith("+") else digits


def thread_of(sender: str) -> str:
    """Give what stands for a sender: the number, or the letters of the name whatever their case.

    Names that differ in nothing else have one thread, so that the second of them is noticed.
    """
    number = number_of(sender)
    if number is not None:
        return number
    letters = _NOT_OF_A_NAME.sub("", unicodedata.normalize("NFKC", sender).casefold())
    return letters or sender


def weakness(package: str, sender: str, known_as: str | None) -> Weakness | None:
    """Tell why a sender may be somebody else, or None.

    `known_as` is the name under which the thread began, None where it is new.
    """
    if _COLLECTED.fullmatch(sender):
        return Weakness.NO_PERSON
    if number_of(sender) is not None:
        return None
    if package in SHOWS_NUMBERS:
        return Weakness.NO_NUMBER
    if known_as is not None and known_as != sender:
        return Weakness.COLLISION
    return None
