"""Access tokens of platforms: kept once for all processes, fetched by one of them at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.metadata import Moment, metadata

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("token", Text),
    Column("fetched_at", Moment),
    Column("expires_at", Moment),
    Column("fetching_until", Moment),
    PrimaryKeyConstraint("channel", "account"),
)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token and its times."""

    token: str
    fetched_at: datetime
    expires_at: datetime


async def read(connection: Read, *, channel: str, account: str) -> StoredToken | None:
    """Give the token of an account, expired or not; None where there never was one."""
    row = (
        await connection.execute(
            select(access_tokens.c.token, access_tokens.c.fetched_at, access_tokens.c.expires_at).where(
                access_tokens.c.channel == channel, access_tokens.c.account == account
            )
        )
    ).one_or_none()
    return None if row is None or row.token is None else StoredToken(row.token, row.fetched_at, row.expires_at)


async def claim(connection: Write, *, channel: str, account: str, lease_for: timedelta, now: datetime) -> bool:
    """Take the right to fetch a new token; False where another process has it."""
    await connection.execute(insert(access_tokens).values(channel=channel, account=account).on_conflict_do_nothing())
    fetching = access_tokens.c.fetching_until
    taken = await connection.execute(
        update(access_tokens)
        .where(
            access_tokens.c.channel == channel,
            access_tokens.c.account == account,
            or_(fetching.is_(None), fetching < now),
        )
        .values(fetching_until=now + lease_for)
        .returning(access_tokens.c.channel)
    )
    return taken.one_or_none() is not None


async def keep(
    connection: Write, *, channel: str, account: str, token: str, expires_at: datetime, now: datetime
) -> None:
    """Store what was fetched, and give the right to fetch back."""
    await _set(connection, channel, account, token=token, fetched_at=now, expires_at=expires_at, fetching_until=None)


async def give_up(connection: Write, *, channel: str, account: str) -> None:
    """Give the right to fetch back without a token."""
    await _set(connection, channel, account, fetching_until=None)


async def refuse(connection: Write, *, channel: str, account: str, token: str, now: datetime) -> None:
    """Remember that the platform refused a token; where a newer one is there already, nothing happens."""
    await connection.execute(
        update(access_tokens)
        .where(
            access_tokens.c.channel == channel,
            access_tokens.c.account == account,
            access_tokens.c.token == token,
            access_tokens.c.expires_at > now,
        )
        .values(expires_at=now)
    )


async def _set(connection: Write, channel: str, account: str, **values: object) -> None:
    await connection.execute(
        update(access_tokens)
        .where(access_tokens.c.channel == channel, access_tokens.c.account == account)
        .values(**values)
    )
