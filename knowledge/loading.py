"""From the database to entries, vectors and an index."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import structlog

from knowledge import words
from knowledge.beside import beside
from knowledge.calibration import VERSION, Calibration
from knowledge.directions import Directions
from knowledge.embedding import DIMENSIONS, Embedder, EmbedderUnavailableError, Vectors
from knowledge.entry import Entry, Translation
from knowledge.keeping import entry_of, record_of, translation_of
from knowledge.labels import Phrase, all_phrases
from knowledge.reader import Reader, digest_of
from knowledge.records import Records
from knowledge.search import Vocabularies
from store import calibrations
from store import entries as store
from store import records as record_store
from store.database import Database, Read

log = structlog.get_logger(__name__)

# Stored as they are made, so that an interrupted first start does not begin from nothing.
STORED_AT_ONCE = 64
# What stands for the model where there is none.
SPELLING_ALONE = "none"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that answers are made of: the published entries by group and position, and the records they name."""

    entries: tuple[Entry, ...] = ()
    records: Records = field(default_factory=Records)


async def load(connection: Read) -> Knowledge:
    """Give all published entries, and all records."""
    translations: dict[str, dict[str, Translation]] = defaultdict(dict)
    for row in await store.published(connection):
        translations[row.slug][row.language] = translation_of(row)
    entries = tuple(
        entry_of(row, translations[row.slug]) for row in await store.all_entries(connection) if row.slug in translations
    )
    records = Records.of([record_of(row) for row in await record_store.everything(connection)])
    return Knowledge(entries, records)


async def build(
    database: Database,
    embedder: Embedder,
    entries: Sequence[Entry],
    vocabularies: Vocabularies,
    *,
    at_most: int | None = None,
) -> Reader:
    """Make a reader, embedding only texts that nobody has embedded before.

    Where the model is away, or more than `at_most` texts would have to be embedded, it is made without the model.
    Its calibration is the one that was fitted on the same phrases, else the newest there is.
    """
    phrases = all_phrases(entries)
    vectors, tokens = await _read(database, embedder, phrases, at_most=at_most)
    digest = digest_of(phrases, embedder.model if vectors is not None else SPELLING_ALONE)
    async with database.read() as connection:
        own = await calibrations.find(connection, digest)
        figures = own or await calibrations.newest(connection)
    calibration = None if figures is None or figures["version"] != VERSION else Calibration.from_json(figures)
    calibrated = own is not None and calibration is not None
    return await beside(
        lambda: Reader.of(entries, phrases, vectors, vocabularies, calibration, calibrated=calibrated, words=tokens)
    )


async def calibrate(database: Database, embedder: Embedder, reader: Reader, *, now: datetime) -> Reader:
    """Fit a calibration on a reader's own phrases and keep it for the other processes; takes seconds."""
    calibration = await beside(reader.fitted)
    digest = digest_of(reader.phrases, embedder.model if reader.by_meaning else SPELLING_ALONE)
    async with database.begin() as connection:
        await calibrations.keep(connection, digest, calibration.to_json(), now=now)
    return reader.with_calibration(calibration)


async def _read(
    database: Database, embedder: Embedder, phrases: Sequence[Phrase], *, at_most: int | None
) -> tuple[Vectors | None, list[Directions] | None]:
    """Give one row a phrase, zeros where it is not embedded, and the tokens of each where words are looked at.

    Both are None where there are none to be had now.
    """
    if not embedder.has_model:
        return None, None
    digests = [hashlib.sha256(phrase.text.encode()).digest() for phrase in phrases]
    texts = {digest: phrase.text for digest, phrase in zip(digests, phrases, strict=True) if phrase.embedded}
    by_words = embedder.has_words and words.wanted(phrases)
    names = [embedder.model, f"{embedder.model}/words"] if by_words else [embedder.model]
    async with database.read() as connection:
        known = [await store.stored_vectors(connection, name) for name in names]
    _leave_out_damaged(embedder, known)
    missing = [digest for digest in texts if any(digest not in of_name for of_name in known)]
    if at_most is not None and len(missing) > at_most:
        return None, None
    for start in range(0, len(missing), STORED_AT_ONCE):
        batch = missing[start : start + STORED_AT_ONCE]
        try:
            made = await _made(embedder, [texts[digest] for digest in batch], by_words=by_words)
        except EmbedderUnavailableError:
            return None, None
        async with database.begin() as connection:
            for name, of_name, rows in zip(names, known, made, strict=True):
                pairs = list(zip(batch, rows, strict=True))
                await store.store_vectors(connection, name, pairs)
                of_name.update(pairs)
    vectors = _joined(digests, {digest: known[0][digest] for digest in texts})
    if vectors is None:
        log.error("embedder_changed", model=embedder.model)
        return None, None
    return vectors, [_tokens(known[1].get(digest, b"")) for digest in digests] if by_words else None


def _leave_out_damaged(embedder: Embedder, known: Sequence[dict[bytes, bytes]]) -> None:
    """Forget what is of a length that the model never makes: it is made anew. Of a server's vectors nobody can tell."""
    vectors, *of_words = known
    damaged = {digest for digest, row in vectors.items() if embedder.dimensions and len(row) != 4 * embedder.dimensions}
    # Every text has a token, and were it the space before it.
    damaged |= {digest for each in of_words for digest, rows in each.items() if not rows or len(rows) % DIMENSIONS}
    if damaged:
        log.warning("stored_vectors_damaged", number=len(damaged), model=embedder.model)
    for each in known:
        for digest in damaged:
            each.pop(digest, None)


async def _made(embedder: Embedder, texts: Sequence[str], *, by_words: bool) -> list[list[bytes]]:
    """Give what is to be stored of each text: its vector, and its tokens where they are asked for."""
    if not by_words:
        return [[row.astype("<f4").tobytes() for row in await embedder.embed(texts)]]
    embedded = await embedder.embed_words(texts)
    return [[row.astype("<f4").tobytes() for row in embedded.vectors], [rows.tobytes() for rows in embedded.words]]


def _joined(digests: Sequence[bytes], known: dict[bytes, bytes]) -> Vectors | None:
    """Give one row for each digest, zeros where nothing is known; None where the rows are of several lengths.

    That is so with a server that has another model now under the old name: which are still good, nobody can tell.
    """
    lengths = {len(vector) for vector in known.values()} or {0}
    if len(lengths) > 1:
        return None
    (length,) = lengths
    nothing = bytes(length)
    joined = b"".join(known.get(digest, nothing) for digest in digests)
    return np.frombuffer(joined, dtype="<f4").reshape(len(digests), length // 4).astype(np.float32)


def _tokens(stored: bytes) -> Directions:
    return np.frombuffer(stored, dtype=np.int8).reshape(-1, DIMENSIONS)
