"""Pieces of a file: what a Range header asks for, whatever stands in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.ranges import Piece, UnsatisfiableError, piece


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bytes=0-1", Piece(0, 1)),
        ("bytes=0-", Piece(0, 9)),
        ("bytes=4-6", Piece(4, 6)),
        ("Bytes=9-9", Piece(9, 9)),
        ("bytes=4-999", Piece(4, 9)),
        ("bytes=-3", Piece(7, 9)),
        ("bytes=-999", Piece(0, 9)),
        ("bytes= 2 - 3 ", Piece(2, 3)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=٢-٣", None),
        ("bytes=0-" + "9" * 19, None),
    ],
)
def test_one_piece_or_the_whole(asked: str | None, found: Piece | None) -> None:
    assert piece(asked, 10) == found


@pytest.mark.parametrize(
    ("asked", "length"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)]
)
def test_what_begins_behind_the_end_cannot_be_given(asked: str, length: int) -> None:
    with pytest.raises(UnsatisfiableError):
        piece(asked, length)


@given(asked=st.text() | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True), length=st.integers(0, 50))
def test_whatever_is_asked_for_lies_within_the_file(asked: str, length: int) -> None:
    try:
        found = piece(asked, length)
    except UnsatisfiableError:
        return
    assert found is None or 0 <= found.first <= found.last < length
