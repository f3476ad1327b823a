"""Entries, their translations, and every version a translation ever had."""

from collections.abc import Sequence
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
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from store.database import Read, Write
from store.metadata import Moment, metadata
from store.notify import Topic, notify
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
    # "machine draft" until a native speaker has read it, then "reviewed".
    Column("state", Text, nullable=False),
    # NULL: it came from a file.
    Column("author", ForeignKey("staff.id")),
    Column("restored_from", Integer),
    # Of question, answer, phrases and state: tells an unchanged file from a changed one.
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
    # 32-bit floats, little-endian.
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


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of one translation."""

    slug: str
    language: str
    revision: int
    question: str
    answer: str
    phrases: tuple[str, ...]
    state: str
    author: UUID | None
    author_name: str | None
    restored_from: int | None
    digest: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """What an editor or a file gives for one translation."""

    question: str
    answer: str
    phrases: tuple[str, ...]
    state: str
    digest: str


def _revision(row: Row[Any]) -> Revision:
    return Revision(
        slug=row.slug,
        language=row.language,
        revision=row.revision,
        question=row.question,
        answer=row.answer,
        phrases=tuple(row.phrases),
        state=row.state,
        author=row.author,
        author_name=row.author_name,
        restored_from=row.restored_from,
        digest=row.digest,
        created_at=row.created_at,
    )


_revision_columns = (*revisions.c, staff.c.name.label("author_name"))
_with_author = revisions.outerjoin(staff, staff.c.id == revisions.c.author)


async def all_entries(connection: Read) -> list[EntryRow]:
    """Give all entries by group and position."""
    rows = await connection.execute(select(entries).order_by(entries.c.group, entries.c.position, entries.c.slug))
    return [EntryRow(row.slug, row.group, row.position, row.status, row.review_by, list(row.sources)) for row in rows]


async def save_entry(connection: Write, entry: EntryRow) -> bool:
    """Add an entry or bring it up to date; True where anything changed."""
    values = {
        "group": entry.group,
        "position": entry.position,
        "status": entry.status,
        "review_by": entry.review_by,
        "sources": entry.sources,
    }
    statement = insert(entries).values(slug=entry.slug, **values)
    changed = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["slug"],
            set_=values,
            where=func.row(*(entries.c[name] for name in values)).is_distinct_from(
                func.row(*(statement.excluded[name] for name in values))
            ),
        ).returning(entries.c.slug)
    )
    return changed.scalar_one_or_none() is not None


async def published(connection: Read) -> list[Revision]:
    """Give what every reader sees now: the published version of every translation."""
    rows = await connection.execute(
        select(*_revision_columns).select_from(
            _with_author.join(
                translations,
                (translations.c.slug == revisions.c.slug)
                & (translations.c.language == revisions.c.language)
                & (translations.c.published == revisions.c.revision),
            )
        )
    )
    return [_revision(row) for row in rows]


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


async def publish(
    connection: Write,
    slug: str,
    language: str,
    content: Content,
    *,
    base: int,
    author: UUID | None,
    restored_from: int | None,
    now: datetime,
) -> int | None:
    """Add a version after `base` (0: there is none yet) and publish it; gives its number.

    None where another version was published since `base`: then nothing is changed.
    """
    number = base + 1
    added = await connection.execute(
        insert(revisions)
        .values(
            slug=slug,
            language=language,
            revision=number,
            question=content.question,
            answer=content.answer,
            phrases=list(content.phrases),
            state=content.state,
            author=author,
            restored_from=restored_from,
            digest=content.digest,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(revisions.c.revision)
    )
    if added.scalar_one_or_none() is None:
        return None
    await connection.execute(
        insert(translations)
        .values(slug=slug, language=language, published=number)
        .on_conflict_do_update(index_elements=["slug", "language"], set_={"published": number})
    )
    notify(connection, Topic.KNOWLEDGE)
    return number


async def stored_vectors(connection: Read, model: str) -> dict[bytes, bytes]:
    """Give all vectors made with a model, by digest."""
    rows = await connection.execute(select(embeddings.c.digest, embeddings.c.vector).where(embeddings.c.model == model))
    return {row.digest: row.vector for row in rows}


async def store_vectors(connection: Write, model: str, vectors: Sequence[tuple[bytes, bytes]]) -> None:
    """Keep vectors, by digest, for the next start and the other processes."""
    if vectors:
        await connection.execute(
            insert(embeddings).on_conflict_do_nothing(),
            [{"model": model, "digest": digest, "vector": vector} for digest, vector in vectors],
        )
