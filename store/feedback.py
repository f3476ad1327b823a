"""Whether answers helped: counted by day, never by resident."""

from datetime import date

from sqlalchemy import Boolean, Column, Date, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import insert

from store.database import Write
from store.metadata import metadata

feedback = Table(
    "feedback",
    metadata,
    Column("slug", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("day", Date, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("slug", "language", "helpful", "day"),
)


async def count_feedback(connection: Write, slug: str, language: str, *, helpful: bool, day: date) -> None:
    """Count one reader's word on an answer."""
    statement = insert(feedback).values(slug=slug, language=language, helpful=helpful, day=day, count=1)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["slug", "language", "helpful", "day"], set_={"count": feedback.c.count + 1}
        )
    )
