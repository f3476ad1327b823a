"""Fitting a calibration on the phrases of the moment. Takes seconds, and no randomness."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.calibration import Calibration, Fit, unfitted
from knowledge.directions import Directions
from knowledge.embedding import Vectors
from knowledge.labels import DANGERS, SIGNALS, TALKS, Phrase, are_few
from knowledge.logistic import fit_logistic, sigmoid
from knowledge.search import Evidence, Index, Table, Vocabularies
from knowledge.weighing import DANGER_FEATURES, ENTRY_FEATURES, Masks, danger_features, entry_features

Array = NDArray[np.float64]

# How many hidden phrases are asked: of entries for each kind of text (more where there are few kinds), and of
# signals for each label.
ASKED: Final = 1800
ASKED_PER_KIND: Final = 120
ASKED_PER_SIGNAL: Final = 110
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
# In how many parts the phrases are hidden, one after the other; more where there are few, so that what is left is like
# the whole.
_PARTS: Final = 3
_MORE_PARTS: Final = 5
# What a decision goes by; where the head tells probabilities, theirs alone: whatever else is fitted on hidden phrases
# fits these and not messages (CLINC150: docs/decisions/0051).
_USUAL: Final = frozenset(ENTRY_FEATURES) - {"share_of_all"}
_LIKELY: Final = frozenset({"share", "share_of_all", "one"})
_OVER_ELSEWHERE: Final = ENTRY_FEATURES.index("over_elsewhere")
# With fewer entries nothing can be fitted.
ENTRIES_FROM: Final = 8


@dataclass(frozen=True, slots=True)
class _Asked:
    """A hidden phrase asked as a message: the evidence it found, and which label it is of (-1: of none)."""

    phrase: Phrase
    evidence: Evidence
    place: int


@dataclass(frozen=True, slots=True)
class _Decisions:
    """Decisions about the best entry: described, right or wrong, how much each counts, and of which kind."""

    described: Array
    right: Array
    weights: Array
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a calibration is fitted on: the phrases of entries and signals, and what a model says of each, if it does.

    `vectors` has a row, and `words` the tokens, for each phrase; of any content where it is not embedded.
    """

    phrases: Sequence[Phrase]
    vectors: Vectors | None
    words: Sequence[Directions] | None

    def at(self, places: Sequence[int]) -> "Told":
        """Give some of them."""
        return Told(
            [self.phrases[place] for place in places],
            None if self.vectors is None else self.vectors[places],
            None if self.words is None else [self.words[place] for place in places],
        )


def fit(told: Told, vocabularies: Vocabularies) -> Calibration:
    """Fit everything."""
    phrases, vectors = told.phrases, told.vectors
    if len({phrase.label for phrase in phrases} - set(SIGNALS)) < ENTRIES_FROM:
        return unfitted()
    asked, masks = _ask(told, vocabularies)
    spelled = [_Asked(one.phrase, one.evidence.spelled(), one.place) for one in asked]
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
    return Calibration(meaning, spelling, {**adjustments, **named}, reliability)


def _ask(told: Told, vocabularies: Vocabularies) -> tuple[list[_Asked], Masks]:
    """Hide each part of the phrases in turn, and ask a share of them."""
    phrases = told.phrases
    parts = _MORE_PARTS if are_few(phrases) else _PARTS
    seen: dict[tuple[str, str], int] = defaultdict(int)
    fold = np.zeros(len(phrases), dtype=np.intp)
    for place, phrase in enumerate(phrases):
        # Embedded ones by themselves, so that every label keeps some of them in each part.
        key = (phrase.label, f"{phrase.kind} {phrase.embedded}")
        fold[place] = seen[key] % parts
        seen[key] += 1
    chosen = _chosen(phrases)
    asked: list[_Asked] = []
    for hidden in range(parts):
        kept = np.flatnonzero(fold != hidden).tolist()
        to_ask = [place for place in np.flatnonzero(fold == hidden).tolist() if place in chosen]
        of_part, masks = _ask_part(told.at(kept), told.at(to_ask), vocabularies)
        asked += of_part
    return asked, masks


def _ask_part(kept: Told, hidden: Told, vocabularies: Vocabularies) -> tuple[list[_Asked], Masks]:
    """Ask phrases of an index of others, which is gone afterwards: there is never more than one."""
    index = Index(kept.phrases, kept.vectors, vocabularies, words=kept.words)
    places = {label: place for place, label in enumerate(index.labels)}
    asked: list[_Asked] = []
    for number, phrase in enumerate(hidden.phrases):
        vector = None if hidden.vectors is None else hidden.vectors[number]
        words = None if hidden.words is None else hidden.words[number]
        evidence = index.evidence(phrase.text, phrase.kind, vector, words).leading(phrase.kind)
        asked.append(_Asked(phrase, evidence, places.get(phrase.label, -1)))
    return asked, Masks.of(index.labels)


def _chosen(phrases: Sequence[Phrase]) -> frozenset[int]:
    """Choose the phrases to ask: evenly over what there is of each kind, and of each signal."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, phrase in enumerate(phrases):
        if not phrase.embedded:
            continue
        groups[phrase.label if phrase.label in SIGNALS else f"kind {phrase.kind}"].append(place)
    chosen: set[int] = set()
    kinds = sum(group.startswith("kind ") for group in groups)
    per_kind = max(ASKED_PER_KIND, ASKED // max(kinds, 1))
    for group, places in groups.items():
        most = per_kind if group.startswith("kind ") else ASKED_PER_SIGNAL
        step = max(len(places) / most, 1.0)
        chosen.update(places[int(number * step)] for number in range(int(len(places) / step)))
    return frozenset(chosen)


def _fit_one(asked: Sequence[_Asked], masks: Masks, *, by_meaning: bool) -> tuple[Fit, _Decisions]:
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


def _decisions(asked: Sequence[_Asked], scored: Sequence[Array], masks: Masks) -> _Decisions:
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


def _danger(asked: Sequence[_Asked], masks: Masks) -> Array:
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
