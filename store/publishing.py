"""Publishing: facts of entries, and versions of their translations, which are only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.entries import EntryRow, entries, revisions, translations
from store.notify import Topic, notify


@dataclass(frozen=True, slots=True)
class Content:
    """What an editor or a file gives for one translation."""

    question: str
    answer: str
    phrases: tuple[str, ...]
    cases: Mapping[str, Mapping[str, str]]
    source_version: int | None
    state: str
    digest: str
    reviewed_by: str | None = None
    reviewed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A version to publish after `base` (0: there is none yet). Without an author it comes from a file."""

    slug: str
    language: str
    content: Content
    base: int
    author: UUID | None = None
    restored_from: int | None = None


async def save_entry(connection: Write, entry: EntryRow) -> bool:
    """Add an entry or bring its facts up to date; True where anything changed."""
    values = {
        "group": entry.group,
        "position": entry.position,
        "status": entry.status,
        "review_by": entry.review_by,
        "sources": entry.sources,
        "facets": list(entry.facets),
        "section": entry.section,
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
    if changed.scalar_one_or_none() is None:
        return False
    notify(connection, Topic.KNOWLEDGE)
    return True


async def imported(connection: Read) -> dict[tuple[str, str], str]:
    """Give, by slug and language, the digest of the version that came last from a file."""
    key = (revisions.c.slug, revisions.c.language)
    last = (
        select(*key, func.max(revisions.c.revision).label("revision"))
        .where(revisions.c.author.is_(None))
        .group_by(*key)
        .subquery()
    )
    rows = await connection.execute(
        select(*key, revisions.c.digest).join(
            last,
            (last.c.slug == revisions.c.slug)
            & (last.c.language == revisions.c.language)
            & (last.c.revision == revisions.c.revision),
        )
    )
    return {(row.slug, row.language): row.digest for row in rows}


async def publish(connection: Write, publications: Sequence[Publication], *, now: datetime) -> set[tuple[str, str]]:
    """Add versions and publish them; gives slug and language of those that were.

    One is missing where another version was published since its base: then nothing of it is changed.
    """
    if not publications:
        return set()
    added = await connection.execute(
        insert(revisions).on_conflict_do_nothing().returning(revisions.c.slug, revisions.c.language),
        [
            {
                "slug": publication.slug,
                "language": publication.language,
                "revision": publication.base + 1,
                "question": publication.content.question,
                "answer": publication.content.answer,
                "phrases": list(publication.content.phrases),
                "cases": {facet: dict(case) for facet, case in publication.content.cases.items()},
                "source_version": publication.content.source_version,
                "state": publication.content.state,
                "reviewed_by": publication.content.reviewed_by,
                "reviewed_on": publication.content.reviewed_on,
                "author": publication.author,
                "restored_from": publication.restored_from,
                "digest": publication.content.digest,
                "created_at": now,
            }
            for publication in publications
        ],
    )
    done = {(row.slug, row.language) for row in added}
    pointing = [
        {"slug": publication.slug, "language": publication.language, "published": publication.base + 1}
        for publication in publications
        if (publication.slug, publication.language) in done
    ]
    if pointing:
        statement = insert(translations)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["slug", "language"], set_={"published": statement.excluded.published}
            ),
            pointing,
        )
        notify(connection, Topic.KNOWLEDGE)
    return done
