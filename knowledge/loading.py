"""From the database to entries, vectors and an index."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np

from knowledge.cleaning import clean
from knowledge.embedding import Embedder, EmbedderUnavailableError, Vectors
from knowledge.entry import Entry, Source, Translation
from knowledge.search import Index, phrases_of
from store import entries as store
from store.database import Database, Read

# Stored as they are made, so that an interrupted first start does not begin from nothing.
STORED_AT_ONCE = 64


async def load(connection: Read) -> tuple[Entry, ...]:
    """Give all published entries, by group and position."""
    translations: dict[str, dict[str, Translation]] = defaultdict(dict)
    for row in await store.published(connection):
        translations[row.slug][row.language] = Translation(
            slug=row.slug,
            language=row.language,
            revision=row.revision,
            question=row.question,
            answer=row.answer,
            phrases=row.phrases,
            state=row.state,
        )
    return tuple(
        Entry(
            slug=row.slug,
            group=row.group,
            position=row.position,
            status=row.status,
            review_by=row.review_by,
            sources=tuple(
                Source(source["name"], source["url"], date.fromisoformat(source["checked_on"]))
                for source in row.sources
            ),
            translations=translations[row.slug],
        )
        for row in await store.all_entries(connection)
        if row.slug in translations
    )


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
