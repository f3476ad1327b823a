"""What the commands do that measure understanding, and what spoils it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.languages import CODES
from knowledge import collisions, evaluating, loading, public
from knowledge.collisions import Collisions
from knowledge.directions import Row
from knowledge.embedding import Embedder
from knowledge.evaluating import OUT_OF_SCOPE, LinesError
from knowledge.labels import DANGERS, SIGNALS
from knowledge.reader import Reader
from knowledge.search import Vocabularies
from knowledge.understanding import Understander
from sportello import clock
from sportello.commands import open_database
from sportello.opening import Refusal
from sportello.program import embedder, thresholds
from sportello.settings import Settings


@asynccontextmanager
async def _understander(settings: Settings) -> AsyncIterator[Understander]:
    """Give an understander of the published entries, embedded and calibrated."""
    model = embedder(settings)
    try:
        async with open_database(settings) as database:
            async with database.read() as connection:
                knowledge = await loading.load(connection)
            reader = await loading.build(database, model, knowledge.entries, Vocabularies())
            if not reader.calibrated:
                reader = await loading.calibrate(database, model, reader, now=clock.now())
        understander = Understander(model, thresholds(settings))
        understander.adopt(reader)
        yield understander
    finally:
        await model.close()


async def evaluate(settings: Settings, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Give the figures for a file of lines, and a word on each miss."""
    try:
        lines = evaluating.read_lines(path)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}") from error
    except LinesError as error:
        raise Refusal(str(error)) from error
    async with _understander(settings) as understander:
        known = {phrase.label for phrase in understander.reader.phrases if phrase.label not in SIGNALS}
        strange = sorted({line.topic for line in lines} - known - DANGERS - {OUT_OF_SCOPE})
        if strange:
            raise Refusal(f"{path}: no entry has the topic {', '.join(strange)}")
        asked = await evaluating.ask_all(understander, lines)
        return evaluating.measured(asked), evaluating.misses(asked, understander)


async def evaluate_public(settings: Settings, folder: Path) -> dict[str, Any]:
    """Give the figures on the public sets in a folder; no database is needed."""
    model = embedder(settings)
    try:
        return await public.everything(folder, model)
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be read: {error.strerror}") from error
    finally:
        await model.close()


async def find_collisions(settings: Settings, language: str | None) -> Collisions:
    """Give the phrases of the published entries, of one language or of all, that are nearer to another entry."""
    if language is not None and language not in CODES:
        raise Refusal(f"--language {language}: must be one of {', '.join(CODES)}")
    model = embedder(settings)
    try:
        async with open_database(settings) as database:
            async with database.read() as connection:
                knowledge = await loading.load(connection)
            reader = await loading.build(database, model, knowledge.entries, Vocabularies())
        places = collisions.places_of(reader, language)
        return collisions.find(reader, places, await _vectors(reader, model, places))
    finally:
        await model.close()


async def _vectors(reader: Reader, model: Embedder, places: list[int]) -> dict[int, Row]:
    """Give the vectors of phrases by place: the stored ones, and those of phrases that are matched by spelling only.

    These are not stored: a message's vector would not be either.
    """
    if reader.vectors is None:
        return {}
    others = [place for place in places if not reader.phrases[place].embedded]
    made = await model.embed([reader.phrases[place].text for place in others])
    stored = {place: reader.vectors[place] for place in places if reader.phrases[place].embedded}
    return stored | dict(zip(others, made, strict=True))
