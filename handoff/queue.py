"""The queue: where a resident stands, and the one operation by which a mediator takes a conversation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.events import Queued
from handoff import presence
from handoff.hours import DeskHours
from handoff.ticket import tell
from store import tickets
from store.database import Read, Write
from store.staff import StaffMember
from store.tickets import TicketStatus


@dataclass(frozen=True, slots=True)
class Claimed:
    """The mediator has the conversation."""


@dataclass(frozen=True, slots=True)
class TakenBy:
    """Somebody was faster."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AtCapacity:
    """The mediator holds as many conversations as they can."""

    load: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The ticket is closed, or was never there."""


ClaimResult = Claimed | TakenBy | AtCapacity | Gone


async def claim(
    connection: Write, ticket_id: UUID, member: StaffMember, *, new_id: Callable[[], UUID], now: datetime
) -> ClaimResult:
    """Give a waiting ticket to a mediator: the only way in which anybody ever gets one.

    The mediator's row is locked first, so that two claims of one mediator count one after the other;
    then the ticket changes hands only while it is still waiting. The engine hears of it in the same
    transaction.
    """
    capacity = await tickets.lock_mediator(connection, member.id)
    if capacity is None:
        return Gone()
    ticket = await tickets.get(connection, ticket_id)
    if ticket is None:
        return Gone()
    if ticket.status is TicketStatus.CLAIMED and ticket.claimed_by == member.id:
        # The same mediator again: a double click, or a resent form.
        return Claimed()
    load = await tickets.load(connection, member.id)
    if ticket.status is TicketStatus.WAITING and load >= capacity:
        return AtCapacity(load, capacity)
    if await tickets.claim(connection, ticket_id, member.id, now=now):
        payload = {"kind": "mediator-joined", "ticket": str(ticket_id)}
        await tell(connection, ticket.conversation_id, payload, key=new_id(), now=now)
        return Claimed()
    ticket = await tickets.get(connection, ticket_id)
    if ticket is None or ticket.status is not TicketStatus.CLAIMED or ticket.claimed_at is None:
        return Gone()
    return TakenBy(ticket.claimed_by_name or "", ticket.claimed_at)


async def situation(connection: Read, ticket_id: UUID, hours: DeskHours, now: datetime) -> Queued | None:
    """Tell where a waiting resident stands; None where the ticket does not wait any more."""
    place = await tickets.place(connection, ticket_id)
    if place is None:
        return None
    somebody = await presence.on_duty(connection, now=now) > 0
    return Queued(str(ticket_id), place, somebody, None if somebody else hours.opens_at(now))
