"""Evidence from single words: how well those of a message are found again in a phrase, whichever language both are in.

Late interaction (ColBERT: Khattab and Zaharia, SIGIR 2020): every token of one text is compared with every token of
the other, as a middle layer of the model sees it in its sentence; the best match of each counts, of both texts. That
two texts say the same word for word shows in it better than in one vector for the whole, above all across languages.
Where entries have many phrases it brings nothing, and is left out (docs/decisions/0051).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Directions, Row, narrow, unit
from knowledge.heads import blocks
from knowledge.labels import SIGNALS, Phrase, are_few

Places = NDArray[np.intp]

# So many entries are compared word by word, those for which most speaks without it; fewer where their phrases have more
# tokens than may be looked at for a message.
COMPARED: Final = 64
TOKENS_COMPARED: Final = 7000
# Tokens of all phrases of entries: more would take more than 50 MB.
MOST_TOKENS: Final = 2**17
# How much the first of two ways to match counts; see `Words.behind`. Chosen on CLINC150 and XQuAD.
_OF_MESSAGE: Final = 0.75
# How many tokens a phrase has, roughly: whether words are wanted has to be known before they are there.
_TOKENS: Final = 12


def wanted(phrases: Sequence[Phrase]) -> bool:
    """Tell whether entries have so few phrases that words bring something, and all together fit into memory."""
    embedded = sum(phrase.embedded and phrase.label not in SIGNALS for phrase in phrases)
    return are_few(phrases) and embedded * _TOKENS <= MOST_TOKENS


class Words:
    """The tokens of phrases, in eight bits each number, with the mean of all taken away."""

    def __init__(self, owners: Places, tokens: Sequence[Directions]) -> None:
        """`owners` names the label of each phrase, rising; `tokens` are those of each."""
        # A text of no words still has a row; it is like no other.
        held = [rows if len(rows) else np.zeros((1, rows.shape[1]), dtype=np.int8) for rows in tokens]
        self._owners = owners
        self._lengths = np.array([len(rows) for rows in held], dtype=np.intp)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._of_label = np.bincount(owners, weights=self._lengths)
        self._rows = np.concatenate(held)
        total = np.zeros(self._rows.shape[1])
        for block in blocks(len(self._rows)):
            total += _lengthened(self._rows[block]).sum(axis=0, dtype=np.float64)
        self._mean: Row = (total / len(self._rows)).astype(np.float32)
        self._sizes = np.empty(len(self._rows), dtype=np.float32)
        for block in blocks(len(self._rows)):
            self._rows[block] = narrow(self._centred(self._rows[block]))
            self._sizes[block] = np.linalg.norm(self._rows[block].astype(np.float32), axis=1)

    def affordable(self, ranked: Places) -> Places:
        """Give those of some labels, best first, that may be compared: the first at least."""
        within = int(np.searchsorted(np.cumsum(self._of_label[ranked[:COMPARED]]), TOKENS_COMPARED, side="right"))
        return ranked[: max(within, 1)]

    def behind(self, asked: Directions, labels: Places) -> Row:
        """Tell for some labels, rising, how much less they match a text word by word than the best of them; 0 at most.

        In two ways: how well the words of the text are found in phrases of the label, each in any of them, and how well
        those of one phrase are found in the text.
        """
        if not len(asked):
            return np.zeros(len(labels), dtype=np.float32)
        phrases = np.flatnonzero(np.isin(self._owners, labels))
        lengths = self._lengths[phrases]
        firsts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(self._starts[phrases] - firsts, lengths)
        alike = self._centred(asked) @ self._rows[rows].astype(np.float32).T / np.maximum(self._sizes[rows], 1)
        starts = np.searchsorted(self._owners[phrases], labels)
        of_text = np.maximum.reduceat(alike, firsts[starts], axis=1).mean(axis=0)
        of_phrase = np.maximum.reduceat(np.add.reduceat(alike.max(axis=0), firsts) / lengths, starts)
        matched = _OF_MESSAGE * of_text + (1 - _OF_MESSAGE) * of_phrase
        behind: Row = (matched - matched.max()).astype(np.float32)
        return behind

    def _centred(self, rows: Directions) -> Row:
        return unit(_lengthened(rows) - self._mean)


def _lengthened(rows: Directions) -> Row:
    return unit(rows.astype(np.float32))
