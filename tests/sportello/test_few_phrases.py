"""The commands on a base with nothing but questions, in two languages: words are compared, and residents answered."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge import exchange
from knowledge.entry import Entry
from knowledge.own_model import GraphEmbedder
from knowledge.scoring import FEATURES
from sportello import asking, evaluation
from sportello.settings import Settings
from store.database import Database
from tests.conftest import START
from tests.counted import only_signals_in
from tests.sportello.desk import settings_for
from tests.starter import starter

ENTRIES = 16


def questions(one: Entry) -> Entry:
    translations = {code: replace(one.translations[code], phrases=()) for code in ("it", "en")}
    return replace(one, translations=translations)


@pytest.fixture
async def settings(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> Settings:
    only_signals_in(monkeypatch, "it")
    folder = Path(pytestconfig.cache.mkdir("vectors"))
    for module in (asking, evaluation):
        monkeypatch.setattr(module, "embedder", lambda _settings: GraphEmbedder(folder, timeout=60))
    async with database.begin() as connection:
        await exchange.import_entries(connection, chosen(), overwrite=False, now=START)
    return settings_for(database.url, tmp_path)


def chosen() -> list[Entry]:
    return [questions(one) for one in starter()[:ENTRIES]]


async def test_ask_shows_the_words_and_the_question_is_found_in_a_third_language(settings: Settings) -> None:
    told = await asking.ask(settings, starter()[1].translations["ar"].question, None)
    assert told["by"] == "meaning"
    assert told["verdict"] != "abstain"
    best = told["candidates"][0]
    assert set(FEATURES) <= set(best)
    assert best["label"] == starter()[1].slug
    assert best["words"] == 0
    assert min(one["words"] for one in told["candidates"]) < 0
    assert json.loads(json.dumps(told)) == told
    assert "words 0.000" in asking.as_text(told)


async def test_questions_in_other_languages_are_answered(settings: Settings, tmp_path: Path) -> None:
    lines = [
        {"text": one.translations[code].question, "lang": code, "topic": one.slug}
        for one in starter()[:ENTRIES]
        for code in ("es", "ro", "fr")
    ]
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    figures, misses = await evaluation.evaluate(settings, path)
    assert figures["all"]["top1"] > 0.9
    # Their own questions alone, each hidden in turn, tell how sure to be: before, none was ever answered.
    assert figures["all"]["answered"] > 0.7
    assert len(misses) < len(lines) / 4


async def test_collisions_are_looked_for_by_meaning(settings: Settings) -> None:
    found = await evaluation.find_collisions(settings, None)
    assert found.by_meaning
    assert found.asked == 2 * ENTRIES
    assert json.loads(json.dumps(found.to_json()))["asked"] == found.asked
    assert "by meaning and spelling" in found.as_text()


async def test_a_message_does_not_wait_for_words(settings: Settings) -> None:
    """A bound ten times what it takes, for a machine that others use too."""
    async with evaluation._understander(settings) as understander:
        assert understander.reader.by_words
        await understander.explain("una domanda per cominciare", language="it")
        began = time.perf_counter()
        for number in range(5):
            await understander.explain(f"Quanto si aspetta per avere la carta numero {number}", language="it")
        assert (time.perf_counter() - began) / 5 < 0.5
