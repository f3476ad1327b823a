"""How sure to be: weights and probabilities fitted on the knowledge base alone, without a word of any resident.

Half of the phrases are hidden in turn and asked as messages. Where the right entry comes first, that is a
success; where its entry is hidden altogether, or the phrase is of no entry, any answer would be wrong. From
these follow the weights of the evidence, the probability that the best entry is right, with an adjustment for
each kind of text, and the probability of danger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge.logistic import sigmoid
from knowledge.search import Evidence
from knowledge.weighing import DANGER_FEATURES, ENTRY_FEATURES, Masks, danger_features, entry_features

Array = NDArray[np.float64]
Places = NDArray[np.intp]

# Whatever changes the meaning of the figures changes this number, and they are fitted anew.
VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted for one way of looking, with the model or by spelling alone: right entries, and danger."""

    correct: Array
    danger: Array

    def to_json(self) -> dict[str, list[float]]:
        """Write the figures."""
        return {"correct": self.correct.tolist(), "danger": self.danger.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(np.array(data["correct"], dtype=np.float64), np.array(data["danger"], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence says: the places of entries, best first, and two probabilities.

    `scores` has one number for each row of the evidence, and `places` says which label each is of, rising.
    """

    ranked: tuple[int, ...]
    scores: Array
    places: Places
    correct: float
    danger: float

    @property
    def leading(self) -> int:
        """Give the place of the label with the highest score, entry or not."""
        return int(self.places[self.scores.argmax()])

    def scores_at(self, places: Sequence[int]) -> Array:
        """Give the scores of some of the labels that were weighed."""
        scores: Array = self.scores[np.searchsorted(self.places, places)]
        return scores


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything fitted on a knowledge base. `adjustments` holds slope and offset for each kind of text.

    `likely`: `meaning` is of evidence whose head tells logs of probabilities; of other evidence it says nothing.
    """

    meaning: Fit
    spelling: Fit
    adjustments: Mapping[str, tuple[float, float]]
    reliability: Mapping[str, Any]
    likely: bool = False

    def judge(self, evidence: Evidence, masks: Masks, *, kind: str) -> Judgement:
        """Judge the evidence for a message of a kind; `masks` are those of all labels."""
        masks = masks.at(evidence.places)
        fit, adjustments = self._of(evidence)
        scores = evidence.scores(kind)
        places = np.flatnonzero(masks.entries)
        ranked = places[np.argsort(-scores[places], kind="stable")]
        correct = 0.0
        if len(ranked):
            second = int(ranked[1]) if len(ranked) > 1 else None
            described = entry_features(evidence.table, scores, masks, best=int(ranked[0]), second=second)
            odds = float(described @ fit.correct)
            slope, offset = adjustments.get(kind if evidence.by_meaning else f"{kind}, by spelling", (1.0, 0.0))
            correct = float(sigmoid(np.array(slope * odds + offset)))
        danger = 0.0
        if masks.dangers.any():
            danger = float(
                sigmoid(np.array(danger_features(evidence, evidence.danger_scores(kind), masks) @ fit.danger))
            )
        return Judgement(tuple(evidence.places[ranked].tolist()), scores, evidence.places, correct, danger)

    def _of(self, evidence: Evidence) -> tuple[Fit, Mapping[str, tuple[float, float]]]:
        """Give what suits the evidence: figures of phrases before, or after, an edit may be of another head."""
        if not evidence.by_meaning:
            return self.spelling, self.adjustments
        if evidence.likely != self.likely:
            return _rough(likely=evidence.likely), {}
        return self.meaning, self.adjustments

    def to_json(self) -> dict[str, Any]:
        """Write the figures as JSON values, for the database."""
        return {
            "version": VERSION,
            "likely": self.likely,
            "meaning": self.meaning.to_json(),
            "spelling": self.spelling.to_json(),
            "adjustments": {kind: list(values) for kind, values in self.adjustments.items()},
            "reliability": dict(self.reliability),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; raises KeyError or TypeError on anything else."""
        return cls(
            Fit.from_json(data["meaning"]),
            Fit.from_json(data["spelling"]),
            {kind: (float(slope), float(offset)) for kind, (slope, offset) in data["adjustments"].items()},
            data["reliability"],
            data["likely"],
        )


def unfitted() -> Calibration:
    """Give rough figures for a knowledge base that is too small to fit any: it offers, and seldom answers."""
    rough = _rough(likely=False)
    return Calibration(rough, rough, {}, {"fitted": False})


def _rough(*, likely: bool) -> Fit:
    correct = np.zeros(len(ENTRY_FEATURES))
    if likely:
        correct[[2, 7, -1]] = (2.0, 0.3, 1.0)
    else:
        correct[[0, 1, -1]] = (0.3, 0.4, -5.0)
    danger = np.zeros(len(DANGER_FEATURES))
    danger[[0, 1, -1]] = (1.0, 0.3, 0.5)
    return Fit(correct, danger)
