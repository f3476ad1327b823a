"""The development set by spelling alone, as when the model is away; with the model it takes minutes: `make measure`."""

from pathlib import Path

from knowledge import evaluating
from knowledge.evaluating import read_lines
from knowledge.understanding import Understander

DEVELOPMENT = Path(__file__).with_name("development.jsonl")


async def test_spelling_alone_reaches_its_floors(speller: Understander) -> None:
    figures = evaluating.measured(await evaluating.ask_all(speller, read_lines(DEVELOPMENT)))
    told = evaluating.as_text(figures)
    assert figures["all"]["top1"] >= 0.78, told
    assert figures["all"]["top3"] >= 0.90, told
    assert figures["all"]["precision"] >= 0.95, told
    assert figures["all"]["language"] >= 0.98, told
    assert figures["out_of_scope"]["answered"] <= 0.03, told
    assert figures["emergency"]["recall"] >= 0.92, told
    assert figures["emergency"]["false_alarms"] <= 0.05, told
