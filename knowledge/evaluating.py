"""How well messages are understood, on lines that say what each should be understood as.

The rules, so that nothing is right by accident:

- Every line is asked as the first message of a conversation of which nothing is known, and counts once.
- In scope is a line whose topic is not `out-of-scope` and not an emergency. `top1` and `top3` look at the ranking
  of entries, whatever is done with it; a line that an exact word or small talk decided has no ranking, and is wrong.
- `answered` are in-scope lines that an entry answered; `precision` is the share of them whose entry is right: the one
  that was shown, or was shown first of several. A right ranking that was only offered counts in `offered_right`,
  never as answered, and a right ranking behind a wrong answer counts for nothing.
- Out of scope, only an answer is wrong: offering, or saying that there is no answer, is right. Small talk is no answer.
- An emergency is found where the full card is shown, whichever kind is on it; what stands below the card counts
  nowhere. The gentle form is not the card. `kind` is the share of the found whose kind is right.
- A false alarm is the full card on any other line, except on entries that inform about violence and exploitation,
  whose askers may be in danger.
- `language` is right where the language is, romanised or not. `calibration_error` compares the probability with what
  was right, over in-scope and out-of-scope lines, in ten bins.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.events import Question, Verdict
from knowledge.deciding import INFORMING
from knowledge.fitting import calibration_error
from knowledge.scoring import FEATURES
from knowledge.scripts import LATIN, OWN_SCRIPT
from knowledge.understanding import Explanation, Understander

OUT_OF_SCOPE: Final = "out-of-scope"
EMERGENCY: Final = "emergency-"


class LinesError(ValueError):
    """A file of lines cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message, and what it should be understood as."""

    language: str
    script: str
    text: str
    topic: str

    @property
    def in_scope(self) -> bool:
        """Tell whether an entry should answer it."""
        return self.topic != OUT_OF_SCOPE and not self.emergency

    @property
    def emergency(self) -> bool:
        """Tell whether it is an emergency."""
        return self.topic.startswith(EMERGENCY)

    @property
    def keys(self) -> tuple[str, ...]:
        """Give under which names it counts: its language, and "ur-Latn" where it is romanised."""
        romanised = self.script == LATIN and self.language in OWN_SCRIPT
        return (self.language, f"{self.language}-{LATIN}") if romanised else (self.language,)


@dataclass(frozen=True, slots=True)
class Asked:
    """A line with what became of it; `ranked` are slugs, best first."""

    line: Line
    explained: Explanation
    ranked: tuple[str, ...]
    seconds: float

    @property
    def probability(self) -> float:
        """Give the probability that the first entry is right."""
        matches = self.explained.decision.matches
        judgement = self.explained.judgement
        return judgement.correct if judgement is not None else (matches[0].probability if matches else 0.0)

    @property
    def right(self) -> bool:
        """Tell whether the first entry is the right one."""
        return self.ranked[:1] == (self.line.topic,)

    @property
    def answers(self) -> tuple[str, ...]:
        """Give the entries that answered, one for each question of the message that has an answer."""
        decision = self.explained.decision
        questions = (Question(decision.verdict, decision.matches), *self.explained.understanding.others)
        return tuple(each.matches[0].slug for each in questions if each.verdict is Verdict.ANSWER and each.matches)

    @property
    def answered(self) -> bool:
        """Tell whether an entry answered."""
        return bool(self.answers)

    @property
    def alarmed(self) -> bool:
        """Tell whether the full card was shown."""
        return self.explained.decision.danger is not None and not self.explained.decision.gentle


def read_lines(path: Path) -> list[Line]:
    """Read a file of JSON lines with `lang`, `script`, `text` and `topic`. Raises LinesError and OSError."""
    try:
        # Some editors set a mark before the first line.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LinesError(f"{path.name} is no UTF-8: {error.reason} at byte {error.start}") from error
    # Not `splitlines`: it would cut within a text that holds U+2028, as JSON may.
    rows = [(number, row) for number, row in enumerate(text.split("\n"), 1) if row.strip()]
    if not rows:
        raise LinesError(f"{path.name} holds no lines")
    return [_line(f"{path.name}:{number}", row) for number, row in rows]


def _line(place: str, row: str) -> Line:
    """Read a line. Raises LinesError."""
    try:
        data = json.loads(row)
        line = Line(data["lang"], data.get("script") or "", data["text"], data["topic"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LinesError(f"{place}: is no line with lang, text and topic: {error}") from error
    if not all(isinstance(value, str) for value in (line.language, line.script, line.text, line.topic)):
        raise LinesError(f"{place}: lang, script, text and topic must be texts")
    return line


async def ask_all(understander: Understander, lines: Sequence[Line]) -> list[Asked]:
    """Ask every line, one after the other."""
    found: list[Asked] = []
    for line in lines:
        began = time.perf_counter()
        explained = await understander.explain(line.text, language="", hint=None)
        seconds = time.perf_counter() - began
        judgement = explained.judgement
        if judgement is not None:
            ranked = tuple(understander.reader.label(place) for place in judgement.ranked[:3])
        else:
            ranked = tuple(match.slug for match in explained.decision.matches)
        found.append(Asked(line, explained, ranked, seconds))
    return found


def measured(asked: Sequence[Asked]) -> dict[str, Any]:
    """Give all figures, shares from 0 to 1."""
    keys = sorted({key for one in asked for key in one.line.keys})
    outside = [one for one in asked if one.line.topic == OUT_OF_SCOPE]
    emergencies = [one for one in asked if one.line.emergency]
    found = [one for one in emergencies if one.alarmed]
    calm = [one for one in asked if not one.line.emergency and one.line.topic not in INFORMING]
    answerable = [one for one in asked if not one.line.emergency]
    times = np.array([one.seconds for one in asked] or [0.0]) * 1000
    return {
        "languages": {key: _of([one for one in asked if key in one.line.keys]) for key in keys},
        "all": _of(asked),
        "out_of_scope": {"n": len(outside), "answered": _share(one.answered for one in outside)},
        "emergency": {
            "n": len(emergencies),
            "recall": _share(one.alarmed for one in emergencies),
            "false_alarms": _share(one.alarmed for one in calm),
            "kind": _share(one.explained.decision.danger == one.line.topic for one in found),
        },
        "calibration_error": round(
            calibration_error(
                np.array([one.probability for one in answerable]),
                np.array([float(one.right and one.line.in_scope) for one in answerable]),
                np.ones(len(answerable)),
            ),
            4,
        )
        if answerable
        else 0.0,
        "ms": {"p50": round(float(np.quantile(times, 0.5)), 2), "p95": round(float(np.quantile(times, 0.95)), 2)},
    }


def _of(asked: Sequence[Asked]) -> dict[str, float]:
    inside = [one for one in asked if one.line.in_scope]
    answered = [one for one in inside if one.answered]
    return {
        "n": len(inside),
        "top1": _share(one.right for one in inside),
        "top3": _share(one.line.topic in one.ranked for one in inside),
        "answered": _share(one.answered for one in inside),
        "precision": _share(one.answers[0] == one.line.topic for one in answered),
        "offered_right": _share(
            not one.answered
            and one.explained.decision.verdict is Verdict.OFFER
            and one.line.topic in {match.slug for match in one.explained.decision.matches}
            for one in inside
        ),
        "language": _share(one.explained.identified.language == one.line.language for one in asked),
    }


def _share(those: Iterable[bool]) -> float:
    values = list(those)
    return round(sum(values) / len(values), 4) if values else 0.0


def misses(asked: Sequence[Asked], understander: Understander) -> list[str]:
    """Tell of each line that was understood otherwise what was chosen, and why."""
    told: list[str] = []
    for one in asked:
        decision = one.explained.decision
        if one.line.emergency:
            wrong = not one.alarmed
        elif one.line.topic == OUT_OF_SCOPE:
            wrong = one.answered or one.alarmed
        else:
            wrong = not one.right or (one.alarmed and one.line.topic not in INFORMING)
        if wrong:
            done = decision.danger or decision.talk or decision.verdict
            told.append(
                f"{one.line.language} {one.line.topic}: {one.line.text}\n"
                f"    {done.value}, P {one.probability:.2f}, by {one.explained.means.value}; {_why(one, understander)}"
            )
    return told


def _why(one: Asked, understander: Understander) -> str:
    judgement, evidence = one.explained.judgement, one.explained.evidence
    if judgement is None or evidence is None:
        return f"chose {', '.join(one.ranked) or 'nothing'}"
    best = judgement.scores.argsort()[::-1][:3].tolist()
    reasons = [
        f"{understander.reader.label(int(judgement.places[row]))} {judgement.scores[row]:.1f} "
        f"({' '.join(f'{name} {value:.2f}' for name, value in zip(FEATURES, evidence.table[row], strict=True))})"
        for row in best
    ]
    return f"danger {judgement.danger:.2f}; " + "; ".join(reasons)


def as_text(figures: dict[str, Any]) -> str:
    """Give the figures as a table for reading."""
    columns = ("n", "top1", "top3", "answered", "precision", "offered_right", "language")
    lines = ["          " + " ".join(f"{name:>13}" for name in columns)]
    for key, of_key in (*figures["languages"].items(), ("all", figures["all"])):
        cells = [f"{of_key['n']:>13}", *(f"{100 * of_key[name]:>12.1f}%" for name in columns[1:])]
        lines.append(f"{key:<10}" + " ".join(cells))
    outside, emergency, times = figures["out_of_scope"], figures["emergency"], figures["ms"]
    found, kind, false = (f"{100 * emergency[name]:.1f}%" for name in ("recall", "kind", "false_alarms"))
    lines += [
        f"out of scope: {outside['n']}, answered {100 * outside['answered']:.1f}%",
        f"emergencies: {emergency['n']}, found {found} (kind right {kind}), false alarms {false}",
        f"calibration error {figures['calibration_error']:.3f}",
        f"ms a message: median {times['p50']}, 95th {times['p95']}",
    ]
    return "\n".join(lines)
