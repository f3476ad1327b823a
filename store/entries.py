"""Entries, their translations, and every version a translation ever had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from store.database import Read, Write
from store.metadata import Moment, metadata
from store.staff import staff

entries = Table(
    "entries",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("position", Integer, nullable=False),
    # "verified" or "to verify": whether somebody has checked the facts at their source.
    Column("status", Text, nullable=False),
    Column("review_by", Date, nullable=False),
    # A list of objects with name, url (or null) and checked_on (an ISO date).
    Column("sources", JSONB, nullable=False),
    # The cases by which the answer differs, in the order of their buttons; none for most entries.
    Column("facets", ARRAY(Text), nullable=False),
    # The part of its group under which it is listed; empty: none.
    Column("section", Text, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("slug", ForeignKey("entries.slug"), nullable=False),
    Column("language", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("phrases", ARRAY(Text), nullable=False),
    # By facet, an object with label and answer.
    Column("cases", JSONB, nullable=False),
    # Of the Italian: its version. Of the others: the version of the Italian that they say, NULL where nobody knows.
    Column("source_version", Integer),
    # "machine draft" until a native speaker has read it, then "reviewed".
    Column("state", Text, nullable=False),
    # Who read what is reviewed, and when; NULL where nobody knows.
    Column("reviewed_by", Text),
    Column("reviewed_on", Date),
    # NULL: it came from a file.
    Column("author", ForeignKey("staff.id")),
    Column("restored_from", Integer),
    # Of all the content: tells an unchanged file from a changed one.
    Column("digest", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("slug", "language", "revision"),
)

translations = Table(
    "translations",
    metadata,
    Column("slug", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("published", Integer, nullable=False),
    PrimaryKeyConstraint("slug", "language"),
    ForeignKeyConstraint(
        ["slug", "language", "published"], ["revisions.slug", "revisions.language", "revisions.revision"]
    ),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("model", Text, nullable=False),
    # SHA-256 of the text as it was embedded.
    Column("digest", LargeBinary, nullable=False),
    # 32-bit floats, little-endian; of a model of words, one byte a number.
    Column("vector", LargeBinary, nullable=False),
    PrimaryKeyConstraint("model", "digest"),
)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """What is the same for all translations of an entry."""

    slug: str
    group: str
    position: int
    status: str
    review_by: date
    sources: list[dict[str, Any]]
    facets: tuple[str, ...]
    section: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of one translation."""

    slug: str
    language: str
    revision: int
    question: str
    answer: str
    phrases: tuple[str, ...]
    cases: Mapping[str, Mapping[str, str]]
    source_version: int | None
    state: str
    author: UUID | None
    author_name: str | None
    restored_from: int | None
    digest: str
    created_at: datetime
    reviewed_by: str | None = None
    reviewed_on: date | None = None


def _revision(row: Row[Any]) -> Revision:
    return Revision(
        slug=row.slug,
        language=row.language,
        revision=row.revision,
        question=row.question,
        answer=row.answer,
        phrases=tuple(row.phrases),
        cases=row.cases,
        source_version=row.source_version,
        state=row.state,
        author=row.author,
        author_name=row.author_name,
        restored_from=row.restored_from,
        digest=row.digest,
        created_at=row.created_at,
        reviewed_by=row.reviewed_by,
        reviewed_on=row.reviewed_on,
    )


_revision_columns = (*revisions.c, staff.c.name.label("author_name"))
_with_author = revisions.outerjoin(staff, staff.c.id == revisions.c.author)


async def all_entries(connection: Read) -> list[EntryRow]:
    """Give all entries by group and position."""
    rows = await connection.execute(select(entries).order_by(entries.c.group, entries.c.position, entries.c.slug))
    return [_entry(row) for row in rows]


async def entry(connection: Read, slug: str) -> EntryRow | None:
    """Give one entry, or None."""
    row = (await connection.execute(select(entries).where(entries.c.slug == slug))).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: Row[Any]) -> EntryRow:
    facts = (row.slug, row.group, row.position, row.status, row.review_by, list(row.sources))
    return EntryRow(*facts, tuple(row.facets), row.section)


_published = (
    select(*_revision_columns)
    .select_from(
        _with_author.join(
            translations,
            (translations.c.slug == revisions.c.slug)
            & (translations.c.language == revisions.c.language)
            & (translations.c.published == revisions.c.revision),
        )
    )
    .order_by(revisions.c.slug, revisions.c.language)
)


async def published(connection: Read) -> list[Revision]:
    """Give what every reader sees now: the published version of every translation."""
    return [_revision(row) for row in await connection.execute(_published)]


async def published_of_entry(connection: Read, slug: str) -> list[Revision]:
    """Give the published version of every translation of one entry."""
    return [_revision(row) for row in await connection.execute(_published.where(revisions.c.slug == slug))]


async def published_of(connection: Read, slug: str, language: str) -> Revision | None:
    """Give the published version of one translation, or None."""
    found = await connection.execute(
        select(translations.c.published).where(translations.c.slug == slug, translations.c.language == language)
    )
    number = found.scalar_one_or_none()
    return None if number is None else await revision(connection, slug, language, number)


async def revision(connection: Read, slug: str, language: str, number: int) -> Revision | None:
    """Give one version, or None."""
    row = (
        await connection.execute(
            select(*_revision_columns)
            .select_from(_with_author)
            .where(revisions.c.slug == slug, revisions.c.language == language, revisions.c.revision == number)
        )
    ).one_or_none()
    return None if row is None else _revision(row)


async def history(connection: Read, slug: str, language: str) -> list[Revision]:
    """Give every version of one translation, newest first."""
    rows = await connection.execute(
        select(*_revision_columns)
        .select_from(_with_author)
        .where(revisions.c.slug == slug, revisions.c.language == language)
        .order_by(revisions.c.revision.desc())
    )
    return [_revision(row) for row in rows]


async def stored_vectors(connection: Read, model: str) -> dict[bytes, bytes]:
    """Give all vectors made with a model, by digest."""
    rows = await connection.execute(select(embeddings.c.digest, embeddings.c.vector).where(embeddings.c.model == model))
    return {row.digest: row.vector for row in rows}


async def store_vectors(connection: Write, model: str, vectors: Sequence[tuple[bytes, bytes]]) -> None:
    """Keep vectors, by digest, for the next start and the other processes, in the place of any that were damaged."""
    if vectors:
        statement = insert(embeddings)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["model", "digest"], set_={"vector": statement.excluded.vector}
            ),
            [{"model": model, "digest": digest, "vector": vector} for digest, vector in vectors],
        )
