"""Counters for limits on what one session, address or sign-in name may do in a while."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, Table, Text, case, delete
from sqlalchemy.dialects.postgresql import insert

from store.database import Write
from store.metadata import Moment, metadata

limits = Table(
    "limits",
    metadata,
    # A keyed hash, never an address or a name.
    Column("key", Text, primary_key=True),
    Column("window_start", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    # Losing the counters in a crash is harmless, and saves the write-ahead log.
    prefixes=["UNLOGGED"],
)


async def hit(connection: Write, key: str, *, window: timedelta, now: datetime) -> int:
    """Count one more use of a key and give the number within its window, this one included."""
    expired = limits.c.window_start <= now - window
    statement = insert(limits).values(key=key, window_start=now, count=1)
    result = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "window_start": case((expired, now), else_=limits.c.window_start),
                "count": case((expired, 1), else_=limits.c.count + 1),
            },
        ).returning(limits.c.count)
    )
    count: int = result.scalar_one()
    return count


async def forget(connection: Write, key: str) -> None:
    """Drop a counter, as after a successful sign-in."""
    await connection.execute(delete(limits).where(limits.c.key == key))


async def sweep(connection: Write, *, before: datetime) -> None:
    """Drop counters whose window began before a moment."""
    await connection.execute(delete(limits).where(limits.c.window_start < before))
