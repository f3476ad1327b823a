"""Who did what at the relay desk: pasted a message, marked an answer, decided over one in quarantine."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert

from store.conversations import conversations
from store.database import Read, Write
from store.metadata import Moment, metadata
from store.staff import staff

relay_acts = Table(
    "relay_acts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), index=True),
    Column("staff_id", ForeignKey(staff.c.id), nullable=False),
    Column("act", Text, nullable=False),
    # What it was done to: the key of an inbox row, or the number of a row in the outbox or the quarantine.
    Column("object", Text, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)


class Act(StrEnum):
    """What an operator can do."""

    PASTED = "pasted"
    SENT = "sent"
    FAILED = "failed"
    ASSIGNED = "assigned"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Done:
    """One act, with the name of who did it."""

    act: Act
    name: str
    at: datetime


async def remember(
    connection: Write, act: Act, *, staff_id: UUID, of: str, conversation_id: UUID | None, now: datetime
) -> None:
    """Remember an act; `of` is what it was done to, and never a text."""
    await connection.execute(
        insert(relay_acts).values(conversation_id=conversation_id, staff_id=staff_id, act=act.value, object=of, at=now)
    )


async def of_conversation(connection: Read, conversation_id: UUID) -> list[Done]:
    """Give the acts of a conversation, the newest first."""
    rows = await connection.execute(
        select(relay_acts.c.act, staff.c.name, relay_acts.c.at)
        .join(staff, staff.c.id == relay_acts.c.staff_id)
        .where(relay_acts.c.conversation_id == conversation_id)
        .order_by(relay_acts.c.id.desc())
    )
    return [Done(Act(row.act), row.name, row.at) for row in rows]


async def sweep(connection: Write, *, before: datetime) -> None:
    """Delete the acts of before a moment that belong to no conversation; the others go with theirs."""
    await connection.execute(delete(relay_acts).where(relay_acts.c.conversation_id.is_(None), relay_acts.c.at < before))
