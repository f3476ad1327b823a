"""From evidence to scores and features: the pieces that calibration fits and understanding uses. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.labels import DANGERS, ELSEWHERE, SIGNALS, TALKS
from knowledge.scoring import Column
from knowledge.search import Evidence, Table

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Of a decision about the best entry, and of one about danger; a constant 1 comes last.
ENTRY_FEATURES: Final = (
    "score",
    "ahead",
    "share",
    "over_signals",
    "over_elsewhere",
    "centroid",
    "agreeing",
    "share_of_all",
    "one",
)
DANGER_FEATURES: Final = ("over_others", "share", "fit", "meant", "spelled", "one")
_MEANING: Final = frozenset(Column) - {Column.LETTERS, Column.FIT, Column.CONSONANTS}


@dataclass(frozen=True, slots=True)
class Masks:
    """Which labels are entries, dangers, small talk, and what no entry answers."""

    entries: Mask
    dangers: Mask
    talks: Mask
    elsewhere: Mask

    @classmethod
    def of(cls, labels: Sequence[str]) -> "Masks":
        """Tell the labels of an index apart."""
        return cls(
            np.array([label not in SIGNALS for label in labels], dtype=np.bool_),
            np.array([label in DANGERS for label in labels], dtype=np.bool_),
            np.array([label in TALKS for label in labels], dtype=np.bool_),
            np.array([label == ELSEWHERE for label in labels], dtype=np.bool_),
        )

    def at(self, places: NDArray[np.intp]) -> "Masks":
        """Give the masks of some of the labels."""
        return Masks(self.entries[places], self.dangers[places], self.talks[places], self.elsewhere[places])

    def without(self, place: int) -> "Masks":
        """Give the masks as they are where one label is taken away."""
        left = np.arange(len(self.entries)) != place
        return Masks(self.entries[left], self.dangers[left], self.talks[left], self.elsewhere[left])


def shares(scores: Array) -> Array:
    """Give the softmax of scores."""
    raised: Array = np.exp(scores - scores.max())
    portions: Array = raised / raised.sum()
    return portions


def entry_features(table: Table, scores: Array, masks: Masks, *, best: int, second: int | None) -> Array:
    """Describe the decision for the entry at place `best` against all else."""
    signals = scores[~masks.entries]
    elsewhere = scores[masks.elsewhere]
    entries = np.where(masks.entries[:, None], table, -np.inf)
    # What was not looked at is zero for all, and agrees with nobody.
    columns = [column for column in Column if column not in _MEANING or table[:, column].any()]
    agreeing = sum(int(entries[:, column].argmax()) == best for column in columns)
    places = np.flatnonzero(masks.entries)
    share = shares(scores[places])[int(np.searchsorted(places, best))]
    return np.array(
        [
            scores[best],
            scores[best] - (scores[second] if second is not None else 0.0),
            np.log(share + 1e-9),
            scores[best] - (signals.max() if len(signals) else 0.0),
            scores[best] - (elsewhere.max() if len(elsewhere) else 0.0),
            table[best, Column.CENTROID] / 0.1,
            agreeing / len(columns),
            np.log(shares(scores)[best] + 1e-9),
            1.0,
        ]
    )


def danger_features(evidence: Evidence, scores: Array, masks: Masks) -> Array:
    """Describe how the kinds of danger stand against everything else."""
    dangers, others = scores[masks.dangers], scores[~masks.dangers]
    share = float(shares(scores)[masks.dangers].sum())

    def ahead(column: Column) -> float:
        values = evidence.table[:, column]
        return float(values[masks.dangers].max() - values[~masks.dangers].max())

    return np.array(
        [
            dangers.max() - others.max(),
            np.log((share + 1e-6) / (1 - share + 1e-6)),
            ahead(Column.FIT),
            *evidence.alarm,
            1.0,
        ]
    )
