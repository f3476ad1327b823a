"""How each channel is: when something last came in and went out, what went wrong last, and its heartbeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.metadata import Moment, metadata

channel_health = Table(
    "channel_health",
    metadata,
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("last_in_at", Moment),
    Column("last_out_at", Moment),
    Column("last_error", Text),
    Column("last_error_at", Moment),
    Column("heartbeat_at", Moment),
    PrimaryKeyConstraint("channel", "account"),
)

# A phone beats every two minutes: two beats may be missed.
SILENT_AFTER: Final = timedelta(minutes=5)
# Moments are written at most so often, so that the row of a channel holds nobody up.
COARSE: Final = timedelta(seconds=10)
_NOTED: Final = "sportello_health_noted"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A row of the table."""

    channel: str
    account: str
    last_in_at: datetime | None
    last_out_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    heartbeat_at: datetime | None


async def open_channel(connection: Write, *, channel: str, account: str) -> None:
    """Make the row of a channel, where it is missing."""
    await connection.execute(insert(channel_health).values(channel=channel, account=account).on_conflict_do_nothing())


async def came_in(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Remember that something came in."""
    await _touch(connection, "last_in_at", channel=channel, account=account, now=now)


async def went_out(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Remember that something went out."""
    await _touch(connection, "last_out_at", channel=channel, account=account, now=now)


async def beat(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Remember a sign of life of a phone."""
    await _touch(connection, "heartbeat_at", channel=channel, account=account, now=now)


async def went_wrong(connection: Write, *, channel: str, account: str, reason: str, now: datetime) -> None:
    """Remember what went wrong; `reason` quotes no message."""
    await connection.execute(
        update(channel_health)
        .where(channel_health.c.channel == channel, channel_health.c.account == account)
        .values(last_error=reason, last_error_at=now)
    )


async def _touch(connection: Write, column: str, *, channel: str, account: str, now: datetime) -> None:
    # Remembered with the connection, so that most messages cost no statement.
    noted: dict[tuple[str, str, str], datetime] = connection.info.setdefault(_NOTED, {})
    key = (column, channel, account)
    if key in noted and noted[key] <= now < noted[key] + COARSE:
        return
    noted[key] = now
    moment = channel_health.c[column]
    await connection.execute(
        update(channel_health)
        .where(
            channel_health.c.channel == channel,
            channel_health.c.account == account,
            or_(moment.is_(None), moment < now - COARSE),
        )
        .values({column: now})
    )


async def everything(connection: Read) -> list[ChannelHealth]:
    """Give all channels that ever ran, by name."""
    rows = await connection.execute(select(channel_health).order_by(channel_health.c.channel, channel_health.c.account))
    return [ChannelHealth(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to a row's columns


async def silent(connection: Read, *, channel: str, accounts: Sequence[str], now: datetime) -> list[ChannelHealth]:
    """Give those of the accounts whose heartbeat stopped, or never began, by name."""
    rows = await connection.execute(
        select(channel_health)
        .where(
            channel_health.c.channel == channel,
            channel_health.c.account.in_(accounts),
            or_(channel_health.c.heartbeat_at.is_(None), channel_health.c.heartbeat_at <= now - SILENT_AFTER),
        )
        .order_by(channel_health.c.account)
    )
    return [ChannelHealth(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to a row's columns
