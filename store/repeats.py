"""Repetitions where a platform gives its messages no ids: the same words again within a while are the same message."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, union_all

from store.database import Write
from store.inbox import inbox
from store.quarantine import quarantine

_KEPT_IN: Final = (inbox, quarantine)


async def key_for(connection: Write, said: str, *, channel: str, account: str, window: timedelta, now: datetime) -> str:
    """Give the key of what was said: that of the same words where they came within the window, else a new one.

    `said` is a digest of sender and words. The window begins with the first of them and does not move, so whoever
    goes on repeating themselves is heard again. Whoever says the same at the same moment waits for this transaction.
    """
    await connection.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"{channel} {account} {said}", 0)))
    )
    # Windows side by side: what lies within one window of now stands under this one's key or the one before.
    number = int(now.timestamp() // window.total_seconds())
    current = f"{said}:{number}"
    rows = await connection.execute(
        union_all(
            *(
                select(table.c.event_key).where(
                    table.c.channel == channel,
                    table.c.account == account,
                    table.c.event_key.in_([current, f"{said}:{number - 1}"]),
                    table.c.received_at > now - window,
                )
                for table in _KEPT_IN
            )
        )
    )
    found: str | None = rows.scalars().first()
    return found or current
