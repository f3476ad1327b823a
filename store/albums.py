"""Albums: media that were sent together and come in one by one. One turn takes all that are there."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from store.database import Read
from store.inbox import InboxStatus, Waiting, inbox


@dataclass(frozen=True, slots=True)
class Part:
    """A further row that a turn handles with the one it has taken."""

    id: int
    payload: dict[str, Any]


async def parts(connection: Read, taken: Waiting) -> tuple[Part, ...]:
    """Give the other waiting rows of the album of a row, however long they are to rest: they are one message."""
    album = taken.payload.get("album")
    if album is None:
        return ()
    rows = await connection.execute(
        select(inbox.c.id, inbox.c.payload)
        .where(
            inbox.c.conversation_id == taken.conversation.id,
            inbox.c.status == InboxStatus.WAITING.value,
            inbox.c.id > taken.id,
            inbox.c.payload["album"].astext == album,
        )
        .order_by(inbox.c.id)
    )
    return tuple(Part(row.id, row.payload) for row in rows)
