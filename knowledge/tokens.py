"""From a text to the numbers of its pieces, as the model was trained on them: the likeliest way to cut it.

The method is the unigram model of SentencePiece (Kudo, ACL 2018): each piece has a logarithm of a probability, and
of all ways to cut a text the one with the highest sum is taken. A library for this exists (tokenizers of Hugging
Face); for the 250,000 pieces of this model it takes more memory than all the rest of the process.
"""

import re
from array import array
from functools import lru_cache
from itertools import chain, islice
from typing import Final
from zlib import crc32

from knowledge.weights import Pieces

_SPACES: Final = re.compile(" {2,}")
# Stands for a space, and at the beginning (SentencePiece).
_SPACE: Final = "\u2581"
# How much less likely than the rarest piece a character is that no piece has.
_UNKNOWN: Final = 10.0
_IMPOSSIBLE: Final = -1e30
# Words of which is remembered, in the memory of this process alone, how they are cut: to cut one takes a while, and
# most of what people write is made of few.
_WORDS: Final = 2**13


class Tokeniser:
    """Cuts texts. The pieces stay bytes in one block, found by a table of their checksums."""

    def __init__(self, pieces: Pieces) -> None:
        """Enter a quarter of a million pieces into the table: some tenths of a second."""
        self._pieces = pieces
        self._starts = array("L", pieces.starts.tolist())
        self._scores = array("d", pieces.scores.tolist())
        self._unknown_score = min(self._scores) - _UNKNOWN
        self._mask = (1 << (2 * len(self._scores)).bit_length()) - 1
        self._table = array("i", bytes(4 * (self._mask + 1)))
        self._longest = 0
        for number, (start, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            self._longest = max(self._longest, end - start)
            place = crc32(pieces.blob[start:end]) & self._mask
            while self._table[place]:
                place = (place + 1) & self._mask
            self._table[place] = number + 1
        self._cut_word = lru_cache(_WORDS)(self._cut)

    def tokens(self, text: str, *, most: int) -> list[int]:
        """Give the numbers of the pieces of a text between the marks of beginning and end, at most `most` in all."""
        text = _SPACES.sub(" ", text.translate(self._pieces.replaced))
        if not text.startswith(" "):
            text = f" {text}"
        # No piece goes over the beginning of a word: so the likeliest cut of a text is that of each of its words.
        words = text.replace(" ", _SPACE).split(_SPACE)[1:]
        cut = chain.from_iterable(map(self._cut_word, words))
        return [self._pieces.begin, *islice(cut, most - 2), self._pieces.end]

    def _cut(self, word: str) -> tuple[int, ...]:
        letters = [letter.encode("utf-8", "replace") for letter in _SPACE + word]
        scores, unknown = self._scores, self._pieces.unknown
        best = [0.0] + [_IMPOSSIBLE] * len(letters)
        came: list[tuple[int, int]] = [(0, unknown)] * len(best)
        for start in range(len(letters)):
            so_far, piece = best[start], b""
            for end in range(start + 1, len(best)):
                piece += letters[end - 1]
                if len(piece) > self._longest:
                    break
                number = self._find(piece)
                if number >= 0 and number != unknown and so_far + scores[number] > best[end]:
                    best[end], came[end] = so_far + scores[number], (start, number)
            if so_far + self._unknown_score > best[start + 1]:
                best[start + 1], came[start + 1] = so_far + self._unknown_score, (start, unknown)
        cut: list[int] = []
        place = len(letters)
        while place:
            place, number = came[place]
            cut.append(number)
        return tuple(reversed(cut))

    def _find(self, piece: bytes) -> int:
        """Give the number of a piece, -1 where there is none."""
        place = crc32(piece) & self._mask
        while number := self._table[place]:
            if self._pieces.blob[self._starts[number - 1] : self._starts[number]] == piece:
                return number - 1
            place = (place + 1) & self._mask
        return -1
