"""What was fitted on the knowledge base, by what it was fitted on: one process fits, the others read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, delete, select
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.metadata import Document, Moment, metadata

calibrations = Table(
    "calibrations",
    metadata,
    # SHA-256 of the phrases, the model and the version of the method.
    Column("digest", LargeBinary, primary_key=True),
    # The figures, with their reliability; see knowledge.calibration.
    Column("figures", Document, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
)

KEPT = 20


async def find(connection: Read, digest: bytes) -> dict[str, Any] | None:
    """Give the figures for a digest, or None."""
    result = await connection.execute(select(calibrations.c.figures).where(calibrations.c.digest == digest))
    found: dict[str, Any] | None = result.scalar_one_or_none()
    return found


async def newest(connection: Read) -> dict[str, Any] | None:
    """Give the figures fitted last, whatever they were fitted on, or None."""
    result = await connection.execute(
        select(calibrations.c.figures).order_by(calibrations.c.created_at.desc()).limit(1)
    )
    found: dict[str, Any] | None = result.scalar_one_or_none()
    return found


async def keep(connection: Write, digest: bytes, figures: dict[str, Any], *, now: datetime) -> None:
    """Keep figures, and drop the oldest ones."""
    await connection.execute(
        insert(calibrations).values(digest=digest, figures=figures, created_at=now).on_conflict_do_nothing()
    )
    old = select(calibrations.c.digest).order_by(calibrations.c.created_at.desc()).offset(KEPT)
    await connection.execute(delete(calibrations).where(calibrations.c.digest.in_(old)))
