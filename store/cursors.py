"""Cursors of platforms that only ring: where to go on fetching, kept together with what was fetched."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.metadata import Moment, metadata
from store.notify import Topic, notify

cursors = Table(
    "cursors",
    metadata,
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("cursor", Text, nullable=False, server_default=""),
    Column("token", Text, nullable=False, server_default=""),
    Column("due_at", Moment, nullable=False),
    Column("rung_at", Moment),
    Column("lease_until", Moment),
    PrimaryKeyConstraint("channel", "account"),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on, with the token that the last ring brought; `rung_at` is when it did."""

    cursor: str
    token: str
    rung_at: datetime | None


async def ring(connection: Write, *, channel: str, account: str, token: str, now: datetime) -> None:
    """Remember that there is something to fetch, and wake who fetches."""
    added = insert(cursors).values(channel=channel, account=account, token=token, due_at=now, rung_at=now)
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=["channel", "account"], set_={"token": token, "due_at": now, "rung_at": now}
        )
    )
    notify(connection, Topic.PULL)


async def open_account(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Make the row of an account, where it is missing, and look at once."""
    await connection.execute(
        insert(cursors).values(channel=channel, account=account, due_at=now).on_conflict_do_nothing()
    )


async def take(connection: Write, *, channel: str, account: str, lease_for: timedelta, now: datetime) -> Cursor | None:
    """Take the right to fetch from where the cursor stands; None where nothing is due or another has it."""
    row = (
        await connection.execute(
            update(cursors)
            .where(
                cursors.c.channel == channel,
                cursors.c.account == account,
                cursors.c.due_at <= now,
                or_(cursors.c.lease_until.is_(None), cursors.c.lease_until < now),
            )
            .values(lease_until=now + lease_for)
            .returning(cursors.c.cursor, cursors.c.token, cursors.c.rung_at)
        )
    ).one_or_none()
    return None if row is None else Cursor(row.cursor, row.token, row.rung_at)


async def keep(connection: Write, taken: Cursor, *, channel: str, account: str, cursor: str, due_at: datetime) -> None:
    """Store where to go on, and when; a ring that came meanwhile makes it due at once."""
    await connection.execute(
        update(cursors)
        .where(cursors.c.channel == channel, cursors.c.account == account)
        .values(
            cursor=cursor,
            lease_until=None,
            due_at=case((cursors.c.rung_at.is_distinct_from(taken.rung_at), cursors.c.due_at), else_=due_at),
        )
    )


async def rung_at(connection: Read, *, channel: str, account: str) -> datetime | None:
    """Give when the platform last said that there is something to fetch."""
    result = await connection.execute(
        select(cursors.c.rung_at).where(cursors.c.channel == channel, cursors.c.account == account)
    )
    moment: datetime | None = result.scalar_one_or_none()
    return moment


async def next_due(connection: Read, *, channel: str, account: str) -> datetime | None:
    """Give the moment from which there is something to fetch."""
    result = await connection.execute(
        select(cursors.c.due_at).where(cursors.c.channel == channel, cursors.c.account == account)
    )
    moment: datetime | None = result.scalar_one_or_none()
    return moment
