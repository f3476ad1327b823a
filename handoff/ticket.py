"""What a mediator does with a conversation. Everything goes through the inbox: the engine alone changes state."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot.actions import Outcome
from store import inbox, tickets
from store.database import Write
from store.staff import StaffMember
from store.tickets import Ticket, TicketStatus
from web.forms import typed

CHANNEL: Final = "desk"
ACCOUNT: Final = "desk"
TEXT_MAX: Final = 4000
# How a mediator can close a conversation.
OUTCOMES: Final = (Outcome.SOLVED, Outcome.REFERRED, Outcome.NO_REPLY)


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, or was done before with the same key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed; `message` is an id of the catalogue, `changed` that it is not the member's any more."""

    message: str
    changed: bool = False


Result = Done | Refused


async def tell(connection: Write, conversation_id: UUID, payload: dict[str, Any], *, key: UUID, now: datetime) -> bool:
    """Put something of the desk into the inbox; False where its key was seen before."""
    return await inbox.receive(
        connection,
        channel=CHANNEL,
        account=ACCOUNT,
        event_key=str(key),
        conversation_id=conversation_id,
        payload=payload,
        now=now,
    )


async def reply(
    connection: Write, ticket_id: UUID, member: StaffMember, text: str, *, key: UUID, now: datetime
) -> Result:
    """Write to the resident; only who holds the conversation may."""
    text = _storable(text)
    ticket = await tickets.get(connection, ticket_id)
    refused = _refused_text(text) or _refused_holder(ticket, member)
    if refused is not None or ticket is None:
        return refused or Refused("desk.problem.closed")
    payload = {"kind": "mediator-replied", "ticket": str(ticket_id), "text": text, "staff": str(member.id)}
    await tell(connection, ticket.conversation_id, payload, key=key, now=now)
    return Done()


async def note(
    connection: Write, ticket_id: UUID, member: StaffMember, text: str, *, key: UUID, now: datetime
) -> Result:
    """Leave a note for the staff; every mediator may, whoever holds the conversation, until the resident erases it."""
    text = _storable(text)
    ticket = await tickets.get(connection, ticket_id)
    refused = _refused_text(text)
    if refused is not None or ticket is None or ticket.outcome == Outcome.ERASED:
        return refused or Refused("desk.problem.closed")
    payload = {"kind": "note", "ticket": str(ticket_id), "text": text, "staff": str(member.id)}
    await tell(connection, ticket.conversation_id, payload, key=key, now=now)
    return Done()


async def close(
    connection: Write,
    ticket_id: UUID,
    member: StaffMember,
    outcome: str,
    *,
    key: UUID,
    now: datetime,
    seen: int | None = None,
) -> Result:
    """Close the conversation with an outcome. `seen` is the last row that the mediator saw, where that is known."""
    if outcome not in OUTCOMES:
        return Refused("desk.problem.outcome")
    payload = {"kind": "mediator-closed", "ticket": str(ticket_id), "outcome": outcome, "seen": seen}
    return await _end(connection, ticket_id, member, outcome, payload, key=key, now=now)


async def give_back(
    connection: Write, ticket_id: UUID, member: StaffMember, *, key: UUID, now: datetime, seen: int | None = None
) -> Result:
    """Give the conversation back to the bot; `seen` as with `close`."""
    payload = {"kind": "mediator-gave-back", "ticket": str(ticket_id), "seen": seen}
    return await _end(connection, ticket_id, member, Outcome.GIVEN_BACK.value, payload, key=key, now=now)


async def give_back_all(connection: Write, member: StaffMember, *, new_id: Callable[[], UUID], now: datetime) -> None:
    """Give back all that a member holds: nobody else could answer, and the resident would wait for ever."""
    for held in await tickets.claimed(connection):
        if held.claimed_by == member.id:
            await give_back(connection, held.id, member, key=new_id(), now=now)


async def _end(
    connection: Write,
    ticket_id: UUID,
    member: StaffMember,
    outcome: str,
    payload: dict[str, Any],
    *,
    key: UUID,
    now: datetime,
) -> Result:
    ticket = await tickets.get(connection, ticket_id)
    if ticket is None:
        return Refused("desk.problem.closed")
    if not await tickets.close_held(connection, ticket_id, member.id, outcome=outcome, now=now):
        ended_so_before = ticket.claimed_by == member.id and ticket.outcome == outcome
        return Done() if ended_so_before else (_refused_holder(ticket, member) or Refused("desk.problem.closed"))
    await tell(connection, ticket.conversation_id, payload, key=key, now=now)
    return Done()


def _storable(text: str) -> str:
    """Give a text that PostgreSQL can keep: without NUL and without lone surrogates."""
    return typed(text.replace("\0", "").encode("utf-8", "replace").decode())


def _refused_text(text: str) -> Refused | None:
    if not text:
        return Refused("desk.problem.empty")
    if len(text) > TEXT_MAX:
        return Refused("desk.problem.too_long")
    return None


def _refused_holder(ticket: Ticket | None, member: StaffMember) -> Refused | None:
    if ticket is None or ticket.status is TicketStatus.CLOSED:
        return Refused("desk.problem.closed", changed=True)
    if ticket.claimed_by != member.id:
        return Refused("desk.problem.not_yours", changed=True)
    return None
