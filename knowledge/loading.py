"""From the database to entries, vectors and an index."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from knowledge.cleaning import clean
from knowledge.embedding import Embedder, EmbedderUnavailableError, Vectors
from knowledge.entry import Entry, Translation
from knowledge.keeping import entry_of, record_of, translation_of
from knowledge.records import Records
from knowledge.search import Index, phrases_of
from store import entries as store
from store import records as record_store
from store.database import Database, Read

# Stored as they are made, so that an interrupted first start does not begin from nothing.
STORED_AT_ONCE = 64


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
    *,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Index:
    """Make the index, embedding only texts that nobody has embedded before.

    Where the model is away the index is made without it; `progress` hears how many texts are done.
    """
    texts = [clean(phrase.text) for phrase in phrases_of(entries)]
    try:
        vectors: Vectors | None = await _vectors(database, embedder, texts, progress)
    except EmbedderUnavailableError:
        vectors = None
    return await asyncio.to_thread(Index, entries, vectors)


async def _vectors(
    database: Database, embedder: Embedder, texts: Sequence[str], progress: Callable[[int, int], None]
) -> Vectors:
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    async with database.read() as connection:
        known = await store.stored_vectors(connection, embedder.model)
    missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
    todo = list(missing.items())
    for start in range(0, len(todo), STORED_AT_ONCE):
        batch = todo[start : start + STORED_AT_ONCE]
        made = await embedder.embed([text for _, text in batch])
        rows = [(digest, row.astype("<f4").tobytes()) for (digest, _), row in zip(batch, made, strict=True)]
        async with database.begin() as connection:
            await store.store_vectors(connection, embedder.model, rows)
        known.update(rows)
        progress(min(start + STORED_AT_ONCE, len(todo)), len(todo))
    joined = b"".join(known[digest] for digest in digests)
    return np.frombuffer(joined, dtype="<f4").reshape(len(digests), -1 if digests else 384).astype(np.float32)
