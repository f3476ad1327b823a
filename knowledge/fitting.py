"""Fitting a calibration on the phrases of the moment. Takes seconds, and no randomness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.calibration import Calibration, Fit, unfitted
from knowledge.folds import Asked, Told, ask, hidden_entries
from knowledge.labels import DANGERS, SIGNALS, TALKS
from knowledge.logistic import fit_logistic, sigmoid
from knowledge.search import Table, Vocabularies
from knowledge.weighing import DANGER_FEATURES, ENTRY_FEATURES, Masks, danger_features, entry_features

Array = NDArray[np.float64]

# What residents ask that no entry answers, as a share of all they ask.
OUT_OF_SCOPE: Final = 0.22
# And of these, the share that is about something else altogether, not about an entry that is hidden ...
BACKGROUND: Final = 0.85
# ... if the background is like what residents ask. Where more than half of it is recognised as background, it is easier
# than that, and counts less; at least so much of its share, as questions of no topic do come.
_LEAST_BACKGROUND: Final = 0.3
# How strongly the fits are drawn toward their starting points, in rows.
_CORRECT_STRENGTH: Final = 0.5
_ADJUSTMENT_STRENGTH: Final = 6.0
_BINS: Final = 10
# What a decision goes by; where the head tells probabilities, theirs alone: whatever else is fitted on hidden phrases
# fits these and not messages (CLINC150: docs/decisions/0051).
_USUAL: Final = frozenset(ENTRY_FEATURES) - {"share_of_all"}
_LIKELY: Final = frozenset({"share", "share_of_all", "one"})
_OVER_ELSEWHERE: Final = ENTRY_FEATURES.index("over_elsewhere")
# With fewer entries that can be asked for nothing can be fitted.
ENTRIES_FROM: Final = 8


@dataclass(frozen=True, slots=True)
class _Decisions:
    """Decisions about the best entry: described, right or wrong, how much each counts, and of which kind."""

    described: Array
    right: Array
    weights: Array
    kinds: tuple[str, ...]


def fit(told: Told, vocabularies: Vocabularies) -> Calibration:
    """Fit everything."""
    phrases, vectors = told.phrases, told.vectors
    if hidden_entries(phrases) < ENTRIES_FROM:
        return unfitted()
    asked, masks = ask(told, vocabularies)
    spelled = [Asked(one.phrase, one.evidence.spelled(), one.place) for one in asked]
    spelling, spelling_decisions = _fit_one(spelled, masks, by_meaning=False)
    meaning, decisions = (spelling, spelling_decisions)
    if vectors is not None:
        meaning, decisions = _fit_one(asked, masks, by_meaning=True)
    adjustments = _adjustments(decisions, meaning.correct)
    by_spelling = _adjustments(spelling_decisions, spelling.correct)
    reliability = {
        "fitted": True,
        "asked": len(asked),
        "by_meaning": _reliability(decisions, meaning.correct, adjustments),
        "by_spelling": _reliability(spelling_decisions, spelling.correct, by_spelling),
    }
    named = {f"{kind}, by spelling": values for kind, values in by_spelling.items()}
    likely = vectors is not None and asked[0].evidence.likely
    return Calibration(meaning, spelling, {**adjustments, **named}, reliability, likely)


def _fit_one(asked: Sequence[Asked], masks: Masks, *, by_meaning: bool) -> tuple[Fit, _Decisions]:
    scores = [one.evidence.scores(one.phrase.kind) for one in asked]
    decisions = _decisions(asked, scores, masks)
    likely = by_meaning and asked[0].evidence.likely
    used = [number for number, name in enumerate(ENTRY_FEATURES) if name in (_LIKELY if likely else _USUAL)]
    correct = np.zeros(len(ENTRY_FEATURES))
    correct[used] = fit_logistic(
        decisions.described[:, used],
        decisions.right,
        decisions.weights,
        toward=np.zeros(len(used)),
        strength=_CORRECT_STRENGTH,
    )
    return Fit(correct, _danger(asked, masks)), decisions


def _decisions(asked: Sequence[Asked], scored: Sequence[Array], masks: Masks) -> _Decisions:
    """Describe the decision for every asked phrase, and once more with its own entry taken away."""
    rows: list[tuple[Array, bool, str, str]] = []
    for one, scores in zip(asked, scored, strict=True):
        of_rows = masks.at(one.evidence.places)
        own = np.flatnonzero(one.evidence.places == one.place)
        entry = one.phrase.label not in SIGNALS
        if one.phrase.label in TALKS or one.phrase.label in DANGERS:
            continue
        described, best = _described(one.evidence.table, scores, of_rows)
        rows.append((described, entry and best in own, "entry" if entry else "background", one.phrase.kind))
        if entry and len(own):
            left = one.evidence.places != one.place
            described, _ = _described(one.evidence.table[left], scores[left], of_rows.without(int(own[0])))
            rows.append((described, False, "hidden", one.phrase.kind))
    sorts = np.array([row[2] for row in rows])
    outside = OUT_OF_SCOPE / (1 - OUT_OF_SCOPE) * (sorts == "entry").sum()
    background = background_share([row[0] for row in rows if row[2] == "background"])
    weights = np.ones(len(rows))
    for sort, share in (("background", background), ("hidden", 1 - background)):
        weights[sorts == sort] = outside * share / max((sorts == sort).sum(), 1)
    return _Decisions(
        np.stack([row[0] for row in rows]),
        np.array([float(row[1]) for row in rows]),
        weights,
        tuple(row[3] for row in rows),
    )


def background_share(described: Sequence[Array]) -> float:
    """Give how much of what is out of scope the background stands for, the hidden entries standing for the rest."""
    if not described:
        return 0.0
    entries_lead = float(np.mean([row[_OVER_ELSEWHERE] >= 0 for row in described]))
    return BACKGROUND * min(max(2 * entries_lead, _LEAST_BACKGROUND), 1.0)


def _described(table: Table, scores: Array, masks: Masks) -> tuple[Array, int]:
    places = np.flatnonzero(masks.entries)
    order = places[np.argsort(-scores[places], kind="stable")]
    second = int(order[1]) if len(order) > 1 else None
    return entry_features(table, scores, masks, best=int(order[0]), second=second), int(order[0])


def _danger(asked: Sequence[Asked], masks: Masks) -> Array:
    """Fit the probability of danger, both sides counting the same."""
    if not masks.dangers.any():
        return np.zeros(len(DANGER_FEATURES))
    rows = [
        (
            danger_features(one.evidence, one.evidence.danger_scores(one.phrase.kind), masks.at(one.evidence.places)),
            one.phrase.label in DANGERS,
        )
        for one in asked
    ]
    targets = np.array([float(danger) for _, danger in rows])
    weights = np.where(targets == 1, 0.5 / max(targets.sum(), 1), 0.5 / max((1 - targets).sum(), 1)) * len(rows)
    toward = np.zeros(len(DANGER_FEATURES))
    return fit_logistic(np.stack([row for row, _ in rows]), targets, weights, toward=toward, strength=1.0)


def _adjustments(decisions: _Decisions, correct: Array) -> dict[str, tuple[float, float]]:
    """Fit slope and offset of the log odds for each kind, drawn toward leaving them as they are."""
    odds = decisions.described @ correct
    found: dict[str, tuple[float, float]] = {}
    for kind in sorted(set(decisions.kinds)):
        of_kind = np.array([other == kind for other in decisions.kinds])
        inputs = np.column_stack([odds[of_kind], np.ones(of_kind.sum())])
        slope, offset = fit_logistic(
            inputs,
            decisions.right[of_kind],
            decisions.weights[of_kind],
            toward=np.array([1.0, 0.0]),
            strength=_ADJUSTMENT_STRENGTH,
        )
        found[kind] = (max(float(slope), 0.2), float(offset))
    return found


def _reliability(
    decisions: _Decisions, correct: Array, adjustments: dict[str, tuple[float, float]]
) -> dict[str, dict[str, float]]:
    """Tell for each kind, and for all, how many decisions there were, how many right, and the calibration error."""
    odds = decisions.described @ correct
    slopes = np.array([adjustments[kind][0] for kind in decisions.kinds])
    offsets = np.array([adjustments[kind][1] for kind in decisions.kinds])
    probabilities = sigmoid(slopes * odds + offsets)
    told: dict[str, dict[str, float]] = {}
    for kind in ("all", *sorted(set(decisions.kinds))):
        of_kind = np.array([kind in {"all", other} for other in decisions.kinds])
        told[kind] = {
            "n": int(of_kind.sum()),
            "right": round(float(np.average(decisions.right[of_kind], weights=decisions.weights[of_kind])), 4),
            "error": round(
                calibration_error(probabilities[of_kind], decisions.right[of_kind], decisions.weights[of_kind]), 4
            ),
        }
    return told


def calibration_error(probabilities: Array, right: Array, weights: Array) -> float:
    """Give the expected calibration error: the mean distance of promised and kept, over ten bins of equal width."""
    bins = np.minimum((probabilities * _BINS).astype(np.intp), _BINS - 1)
    total = 0.0
    for number in range(_BINS):
        inside = bins == number
        if inside.any():
            weight = weights[inside].sum()
            promised = np.average(probabilities[inside], weights=weights[inside])
            kept = np.average(right[inside], weights=weights[inside])
            total += weight * abs(promised - kept)
    return float(total / weights.sum())
