"""Who is at the desk: whoever had its console open a moment ago."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from store import staff
from store.database import Read, Write

# A console is asked for a sign of life every 15 seconds: three may be missed.
ON_DUTY: Final = timedelta(seconds=60)


async def seen(connection: Write, staff_id: UUID, *, now: datetime) -> None:
    """Remember that a mediator's console is open."""
    await staff.seen(connection, staff_id, now=now)


async def on_duty(connection: Read, *, now: datetime) -> int:
    """Count the mediators at the desk."""
    return await staff.on_duty(connection, since=now - ON_DUTY)
