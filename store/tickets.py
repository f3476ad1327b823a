"""Tickets: a resident's wait for a person, and the person's hold on the conversation."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Row, Table, Text, false, func, select, text, update
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Author, conversations, messages
from store.database import Read, Write
from store.metadata import Moment, metadata
from store.notify import Topic, notify
from store.staff import staff

tickets = Table(
    "tickets",
    metadata,
    Column("id", UUID_COLUMN(as_uuid=True), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # Somebody is in danger: comes before all that are not urgent.
    Column("urgent", Boolean, nullable=False, server_default="false"),
    # Place of the question in the transcript; the text itself stays there, to be deleted on time.
    Column("question_seq", Integer),
    Column("opened_at", Moment, nullable=False),
    Column("claimed_by", ForeignKey("staff.id")),
    Column("claimed_at", Moment),
    Column("closed_at", Moment),
    Column("outcome", Text),
    Index(
        "uq_tickets_open_of_conversation",
        "conversation_id",
        unique=True,
        postgresql_where=text("status <> 'closed'"),
    ),
    Index("ix_tickets_waiting", "urgent", "opened_at", "id", postgresql_where=text("status = 'waiting'")),
    Index("ix_tickets_claimed_by", "claimed_by", postgresql_where=text("status = 'claimed'")),
    Index("ix_tickets_closed_at", "closed_at"),
)


class TicketStatus(StrEnum):
    """The life of a ticket: waiting, then claimed, then closed; it may be closed while waiting."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket with what the queue shows of it. `question` is None where the text is gone.

    `unanswered` tells whether the resident has written since a person last wrote to them.
    """

    id: UUID
    conversation_id: UUID
    status: TicketStatus
    channel: str
    language: str
    reason: str
    urgent: bool
    question: str | None
    unanswered: bool
    opened_at: datetime
    claimed_by: UUID | None
    claimed_by_name: str | None
    claimed_at: datetime | None
    outcome: str | None

    def held_by(self, member: UUID) -> bool:
        """Tell whether a member of the staff answers it now."""
        return self.status is TicketStatus.CLAIMED and self.claimed_by == member


_said = messages.alias("said")
# Who of the two people wrote last; what the bot says in between answers nobody.
_last_author = (
    select(_said.c.author)
    .where(
        _said.c.conversation_id == tickets.c.conversation_id,
        _said.c.author.in_([Author.RESIDENT.value, Author.MEDIATOR.value]),
    )
    .order_by(_said.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_columns = (
    *tickets.c,
    conversations.c.channel,
    staff.c.name.label("claimed_by_name"),
    messages.c.body["text"].astext.label("question"),
    func.coalesce(_last_author == Author.RESIDENT.value, false()).label("unanswered"),
)
_joined = (
    tickets.join(conversations, conversations.c.id == tickets.c.conversation_id)
    .outerjoin(staff, staff.c.id == tickets.c.claimed_by)
    .outerjoin(
        messages,
        (messages.c.conversation_id == tickets.c.conversation_id) & (messages.c.seq == tickets.c.question_seq),
    )
)


def _ticket(row: Row[Any]) -> Ticket:
    named = {each.name: getattr(row, each.name) for each in fields(Ticket)}
    return Ticket(**named | {"status": TicketStatus(row.status)})


async def open_ticket(
    connection: Write,
    *,
    new_id: UUID,
    conversation_id: UUID,
    language: str,
    reason: str,
    question_seq: int | None,
    now: datetime,
    urgent: bool = False,
) -> UUID:
    """Open a ticket, or give the one that is open already, which becomes urgent where this one is."""
    added = await connection.execute(
        insert(tickets)
        .values(
            id=new_id,
            conversation_id=conversation_id,
            status=TicketStatus.WAITING.value,
            language=language,
            reason=reason,
            urgent=urgent,
            question_seq=question_seq,
            opened_at=now,
        )
        .on_conflict_do_nothing()
        .returning(tickets.c.id)
    )
    ticket_id: UUID | None = added.scalar_one_or_none()
    if ticket_id is None:
        existing = await connection.execute(
            select(tickets.c.id).where(
                tickets.c.conversation_id == conversation_id, tickets.c.status != TicketStatus.CLOSED.value
            )
        )
        open_already: UUID = existing.scalar_one()
        if urgent:
            await make_urgent(connection, open_already)
        return open_already
    notify(connection, Topic.QUEUE)
    return ticket_id


async def make_urgent(connection: Write, ticket_id: UUID) -> bool:
    """Let an open ticket come before all that are not urgent; False where it did already, or is closed."""
    result = await connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.status != TicketStatus.CLOSED.value, ~tickets.c.urgent)
        .values(urgent=True)
        .returning(tickets.c.id)
    )
    if result.first() is None:
        return False
    notify(connection, Topic.QUEUE)
    return True


async def get(connection: Read, ticket_id: UUID) -> Ticket | None:
    """Give a ticket, or None."""
    row = (await connection.execute(select(*_columns).select_from(_joined).where(tickets.c.id == ticket_id))).first()
    return None if row is None else _ticket(row)


async def waiting(connection: Read) -> list[Ticket]:
    """Give the queue: the urgent ones first, then the oldest."""
    rows = await connection.execute(
        select(*_columns)
        .select_from(_joined)
        .where(tickets.c.status == TicketStatus.WAITING.value)
        .order_by(tickets.c.urgent.desc(), tickets.c.opened_at, tickets.c.id)
    )
    return [_ticket(row) for row in rows]


async def claimed(connection: Read) -> list[Ticket]:
    """Give all conversations that are with a mediator, oldest claim first."""
    rows = await connection.execute(
        select(*_columns)
        .select_from(_joined)
        .where(tickets.c.status == TicketStatus.CLAIMED.value)
        .order_by(tickets.c.claimed_at, tickets.c.id)
    )
    return [_ticket(row) for row in rows]


async def place(connection: Read, ticket_id: UUID) -> int | None:
    """Give the place in the queue, counted from 1, or None where the ticket is not waiting."""
    mine = tickets.alias()
    found = await connection.execute(
        select(mine.c.urgent, mine.c.opened_at).where(
            mine.c.id == ticket_id, mine.c.status == TicketStatus.WAITING.value
        )
    )
    row = found.first()
    if row is None:
        return None
    as_old = tickets.c.opened_at == row.opened_at
    before = (tickets.c.opened_at < row.opened_at) | (as_old & (tickets.c.id < ticket_id))
    ahead = await connection.execute(
        select(func.count())
        .select_from(tickets)
        .where(
            tickets.c.status == TicketStatus.WAITING.value,
            (tickets.c.urgent & before) if row.urgent else (tickets.c.urgent | before),
        )
    )
    return ahead.scalar_one() + 1


async def lock_mediator(connection: Write, staff_id: UUID) -> int | None:
    """Lock a mediator's row, so that two claims cannot both count; gives the capacity, None where inactive."""
    result = await connection.execute(
        select(staff.c.capacity).where(staff.c.id == staff_id, staff.c.active).with_for_update(key_share=True)
    )
    return result.scalar_one_or_none()


async def load(connection: Read, staff_id: UUID) -> int:
    """Count the conversations that a mediator holds."""
    result = await connection.execute(
        select(func.count())
        .select_from(tickets)
        .where(tickets.c.claimed_by == staff_id, tickets.c.status == TicketStatus.CLAIMED.value)
    )
    return result.scalar_one()


async def claim(connection: Write, ticket_id: UUID, staff_id: UUID, *, now: datetime) -> bool:
    """Give a waiting ticket to a mediator; False where it is not waiting any more."""
    result = await connection.execute(
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.status == TicketStatus.WAITING.value)
        .values(status=TicketStatus.CLAIMED.value, claimed_by=staff_id, claimed_at=now)
        .returning(tickets.c.id)
    )
    if result.scalar_one_or_none() is None:
        return False
    notify(connection, Topic.QUEUE)
    return True


async def close_held(connection: Write, ticket_id: UUID, staff_id: UUID, *, outcome: str, now: datetime) -> bool:
    """Close a ticket that this mediator holds; False where they do not hold it."""
    return await _close(
        connection,
        (tickets.c.id == ticket_id)
        & (tickets.c.status == TicketStatus.CLAIMED.value)
        & (tickets.c.claimed_by == staff_id),
        outcome=outcome,
        now=now,
    )


async def close(connection: Write, ticket_id: UUID, *, outcome: str, now: datetime) -> bool:
    """Close a ticket from the resident's side; False where it was closed before."""
    return await _close(
        connection,
        (tickets.c.id == ticket_id) & (tickets.c.status != TicketStatus.CLOSED.value),
        outcome=outcome,
        now=now,
    )


async def _close(connection: Write, condition: Any, *, outcome: str, now: datetime) -> bool:
    result = await connection.execute(
        update(tickets)
        .where(condition)
        .values(status=TicketStatus.CLOSED.value, outcome=outcome, closed_at=now)
        .returning(tickets.c.id)
    )
    if result.first() is None:
        return False
    notify(connection, Topic.QUEUE)
    return True


async def forget_question(connection: Write, conversation_id: UUID) -> None:
    """Cut the tickets of a conversation off from its erased transcript."""
    await connection.execute(
        update(tickets).where(tickets.c.conversation_id == conversation_id).values(question_seq=None)
    )
