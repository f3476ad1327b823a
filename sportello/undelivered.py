"""What a platform took and could not deliver: sent again, kept until the resident writes, or told to staff."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from bot.events import Event, Left
from channels.gathering import merged
from sportello.presenting import Presenter
from sportello.transcribing import Turn
from store import budgets, conversations
from store import undelivered as rows
from store.conversations import Author
from store.outbox import PARKED, OutboxStatus
from store.undelivered import Contradicted

# Where it is worth another try: after so long, each time twice as long. Later messages of the chat wait for it.
AGAIN_AFTER: Final = timedelta(minutes=1)
AGAIN_AT_MOST: Final = 3


class NotYetError(Exception):
    """A row speaks of something that is not stored yet: its turn comes a moment later."""


async def undelivered(turn: Turn, payload: dict[str, Any], presenter: Presenter) -> Event | None:
    """Decide, in this one place, what becomes of a message that did not arrive; gives the event that follows.

    Whoever refuses messages has left, as where the platform says so at once.
    """
    found = await rows.contradicted(turn.connection, turn.conversation.id, payload["message_id"])
    if found is None:
        if await rows.being_sent(turn.connection, turn.conversation.id):
            # The platform was faster than we are: it may speak of the message whose sending is not stored yet.
            raise NotYetError
        return None
    status, error = OutboxStatus(payload["payload"]), payload.get("text")
    if status is OutboxStatus.QUEUED and found.failed_before >= AGAIN_AT_MOST:
        status = OutboxStatus.NEEDS_PERSON
    text = await _said(turn, found, presenter) if status is OutboxStatus.QUEUED or status in PARKED else None
    if text is not None:
        await _keep(turn, found, status, error, text)
        return None
    ends_as = OutboxStatus.NEEDS_PERSON if status is OutboxStatus.QUEUED else status
    await rows.end(turn.connection, found, status=ends_as, error=error, now=turn.now)
    if status is not OutboxStatus.BLOCKED:
        return None
    turn.append(Author.SYSTEM, {"code": "left", "values": {}})
    return Left()


async def _keep(
    turn: Turn, found: Contradicted, status: OutboxStatus, error: str | None, payload: dict[str, Any]
) -> None:
    """Keep a message that may go later; where the resident did something since, it goes now, a few times at most."""
    due_at = turn.now
    if status is OutboxStatus.QUEUED:
        due_at += AGAIN_AFTER * 2**found.failed_before
    elif found.failed_before < AGAIN_AT_MOST and await _may_write(turn):
        status = OutboxStatus.QUEUED
    await rows.keep_for_later(
        turn.connection, found, status=status, error=error, payload=payload, due_at=due_at, now=turn.now
    )


async def _may_write(turn: Turn) -> bool:
    window = await budgets.of(turn.connection, turn.conversation.id)
    return window is not None and window.until > turn.now and window.remaining != 0


async def _said(turn: Turn, found: Contradicted, presenter: Presenter) -> dict[str, Any] | None:
    """Give what a row said, with what went along with it, from the transcript; None where it is not there any more."""
    messages = [
        await conversations.message(turn.connection, turn.conversation.id, seq) for seq in dict.fromkeys(found.seqs)
    ]
    said = [
        # In the language of then: in another, the text might be cut into other parts.
        presenter.outbound(_body(message.body), message.language or turn.state.language, message.seq)
        for message in messages
        if message is not None
    ]
    return replace(merged(said), halved_from=found.halved_from).to_json() if said else None


def _body(body: dict[str, Any]) -> dict[str, Any]:
    """Give the body of a row as one of the bot's: a mediator's is the text alone."""
    if "blocks" in body:
        return body
    return {"blocks": [{"kind": "text", "text": body["text"], "language": None}], "choices": []}
