"""Deleting on time what residents wrote."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update

from store import quarantine, relay_acts
from store.conversations import conversations
from store.database import Write
from store.inbox import InboxStatus, inbox
from store.outbox import PARKED, OutboxStatus, outbox
from store.staff import staff_sessions
from store.tickets import TicketStatus, tickets


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things are kept.

    `chat`: conversations without a ticket, counted from the last turn. `ticket`: conversations with a
    ticket, counted from its closing. `keys`: the dedupe keys of what came in and the traces of what
    went out; Telegram's update ids may start anew after a week of silence, so at least 8 days.
    """

    chat: timedelta
    ticket: timedelta
    keys: timedelta


async def sweep(connection: Write, terms: Terms, *, now: datetime) -> int:
    """Delete what is past its time; gives the number of conversations deleted.

    A conversation goes as a whole, transcript, state and tickets, once no ticket of it is open, the
    last one was closed longer than `terms.ticket` ago and nothing happened for `terms.chat`.
    """
    kept_by_ticket = exists().where(
        tickets.c.conversation_id == conversations.c.id,
        (tickets.c.status != TicketStatus.CLOSED.value) | (tickets.c.closed_at >= now - terms.ticket),
    )
    waiting = exists().where(inbox.c.conversation_id == conversations.c.id, inbox.c.status == InboxStatus.WAITING.value)
    undelivered = exists().where(
        outbox.c.conversation_id == conversations.c.id,
        outbox.c.status.in_([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value]),
    )
    past = (
        select(conversations.c.id)
        .where(conversations.c.updated_at < now - terms.chat, ~kept_by_ticket, ~waiting, ~undelivered)
        .with_for_update(skip_locked=True)
    )
    locked = list((await connection.execute(past)).scalars())
    # Looked at again now that they are locked: a message may have come in between, and from here on none can.
    doomed = list(
        (
            await connection.execute(
                select(conversations.c.id).where(conversations.c.id.in_(locked), ~waiting, ~undelivered)
            )
        ).scalars()
    )
    # The dedupe keys outlive the conversation, or a late repetition would start it again.
    await connection.execute(
        update(inbox).where(inbox.c.conversation_id.in_(doomed)).values(conversation_id=None, payload=None)
    )
    await connection.execute(delete(conversations).where(conversations.c.id.in_(doomed)))
    # What could not be parsed belongs to no conversation, and is past its time like any other text.
    await connection.execute(
        update(inbox)
        .where(inbox.c.status == InboxStatus.SET_ASIDE.value, inbox.c.finished_at < now - terms.chat)
        .values(payload=None)
    )
    await connection.execute(
        delete(inbox).where(inbox.c.status != InboxStatus.WAITING.value, inbox.c.finished_at < now - terms.keys)
    )
    await quarantine.sweep(connection, texts_before=now - terms.chat, keys_before=now - terms.keys)
    await relay_acts.sweep(connection, before=now - terms.keys)
    # What is parked is to be sent as soon as the resident writes: it goes with its conversation, and not before.
    parked = outbox.c.status.in_([status.value for status in PARKED]) & outbox.c.payload.is_not(None)
    await connection.execute(delete(outbox).where(outbox.c.finished_at < now - terms.keys, ~parked))
    await connection.execute(delete(staff_sessions).where(staff_sessions.c.expires_at < now))
    return len(doomed)
