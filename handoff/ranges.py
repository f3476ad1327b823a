"""Pieces of a file, as players of sound and film ask for them (RFC 9110, section 14). Pure."""

import re
from dataclasses import dataclass
from typing import Final

# One range only: whoever asks for several gets the whole, which is allowed. Digits enough for any file of ours.
_ONE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})[ \t]*-[ \t]*([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """From byte `first` to byte `last`, both included."""

    first: int
    last: int


class UnsatisfiableError(Exception):
    """The range begins behind the end of the file."""


def piece(asked: str | None, length: int) -> Piece | None:
    """Give the piece that a Range header asks for, None where the whole is to be given. Raises UnsatisfiableError.

    What cannot be read is passed over, as RFC 9110 says.
    """
    found = _ONE.fullmatch(asked or "")
    if found is None or found.group(1, 2) == ("", ""):
        return None
    first, last = found.group(1, 2)
    if not first:
        # The last so many bytes.
        wanted = int(last)
        if wanted == 0 or length == 0:
            raise UnsatisfiableError
        return Piece(max(length - wanted, 0), length - 1)
    begin = int(first)
    end = int(last) if last else length - 1
    if last and end < begin:
        return None
    if begin >= length:
        raise UnsatisfiableError
    return Piece(begin, min(end, length - 1))
