"""What comes in to a chat that is known, stored in one statement: of all that happens here, this happens most often."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, bindparam, text

from store.conversations import Address
from store.database import Write
from store.metadata import Document, Moment
from store.notify import Topic

# As `inbox.receive`, with the wake-up in it, for a conversation that is found by its address.
_RECEIVE_FROM_KNOWN: Final = text("""
WITH known AS (
    SELECT id FROM conversations WHERE channel = :channel AND account = :account AND thread = :thread
), added AS (
    INSERT INTO inbox
        (channel, account, event_key, conversation_id, payload, status, not_before, received_at)
    SELECT :channel, :account, :event_key, known.id, :payload, 'waiting', :not_before, :now FROM known
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT known.id, added.id IS NOT NULL AS is_new, CASE WHEN added.id IS NOT NULL THEN pg_notify(:topic, '') END
FROM known LEFT JOIN added ON true
""").bindparams(
    *(bindparam(name, type_=Text) for name in ("channel", "account", "thread", "event_key", "topic")),
    bindparam("payload", type_=Document),
    *(bindparam(name, type_=Moment) for name in ("not_before", "now")),
)


async def receive_from_known(
    connection: Write,
    address: Address,
    *,
    event_key: str,
    payload: dict[str, Any],
    now: datetime,
    not_before: datetime,
) -> tuple[UUID, bool] | None:
    """Add what came in to the chat at an address, as `inbox.receive` does, in one statement that may stand alone.

    Gives the conversation and whether the row is new; None, with nothing done, where there is no conversation yet.
    """
    given = {
        "channel": address.channel,
        "account": address.account,
        "thread": address.thread,
        "event_key": event_key,
        "topic": Topic.INBOX.value,
        "payload": payload,
        "not_before": not_before,
        "now": now,
    }
    row = (await connection.execute(_RECEIVE_FROM_KNOWN, given)).one_or_none()
    return None if row is None else (row.id, row.is_new)
