"""What a turn leaves behind, all of it in one statement: most of what a turn costs is the way to the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN

from store.conversations import Address, Message
from store.database import Write, wakes_of
from store.metadata import Document, Moment
from store.notify import Topic, notify
from store.outbox import OutboxKind, Priority


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for a platform; `seq` is its place in the transcript."""

    kind: OutboxKind
    priority: Priority
    payload: dict[str, Any]
    seq: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a conversation stands after a turn, and what the turn adds.

    `inbox_ids` are the rows that it was about. The rows of the transcript have the numbers after the last one; the
    caller holds the conversation's row.
    """

    conversation_id: UUID
    address: Address
    state: dict[str, Any]
    language: str
    last_seq: int
    reachable: bool
    said: Sequence[Message]
    outgoing: Sequence[Outgoing]
    inbox_ids: Sequence[int]


# What was received is done: from here on only the transcript keeps what it said.
_KEEP: Final = text("""
WITH said AS (
    INSERT INTO messages (conversation_id, seq, author, staff_id, language, body, created_at)
    SELECT :conversation_id, seq, author, staff_id, language, body, :now
    FROM jsonb_to_recordset(:said) AS row (seq integer, author text, staff_id uuid, language text, body jsonb)
), outgoing AS (
    INSERT INTO outbox (conversation_id, channel, account, kind, priority, seq, payload, status, due_at, created_at)
    SELECT :conversation_id, :channel, :account, kind, priority, seq, payload, 'queued', :now, :now
    FROM jsonb_to_recordset(:outgoing) AS row (kind text, priority smallint, seq integer, payload jsonb)
    ORDER BY seq
), stands AS (
    UPDATE conversations
    SET state = :state, language = :language, last_seq = :last_seq, reachable = :reachable, updated_at = :now
    WHERE id = :conversation_id
), done AS (
    UPDATE inbox SET status = 'done', payload = NULL, error = NULL, finished_at = :now WHERE id = ANY (:inbox_ids)
)
SELECT pg_notify(topic, payload) FROM unnest(:topics, :payloads) AS wake (topic, payload)
""").bindparams(
    bindparam("conversation_id", type_=UUID_COLUMN(as_uuid=True)),
    bindparam("channel", type_=Text),
    bindparam("account", type_=Text),
    bindparam("said", type_=Document),
    bindparam("outgoing", type_=Document),
    bindparam("state", type_=Document),
    bindparam("language", type_=Text),
    bindparam("last_seq", type_=Integer),
    bindparam("reachable", type_=Boolean),
    bindparam("inbox_ids", type_=ARRAY(BigInteger)),
    bindparam("now", type_=Moment),
    bindparam("topics", type_=ARRAY(Text)),
    bindparam("payloads", type_=ARRAY(Text)),
)


async def keep(connection: Write, outcome: Outcome, *, now: datetime) -> None:
    """Store what a turn leaves behind, and wake, at the commit, whoever is to know of it."""
    if outcome.said:
        notify(connection, Topic.CONVERSATION, str(outcome.conversation_id))
    if outcome.outgoing:
        notify(connection, Topic.OUTBOX, outcome.address.channel)
    topics, payloads = wakes_of(connection)
    await connection.execute(
        _KEEP,
        {
            "conversation_id": outcome.conversation_id,
            "channel": outcome.address.channel,
            "account": outcome.address.account,
            "said": [_said(row) for row in outcome.said],
            "outgoing": [_outgoing(row) for row in outcome.outgoing],
            "state": outcome.state,
            "language": outcome.language,
            "last_seq": outcome.last_seq,
            "reachable": outcome.reachable,
            "inbox_ids": list(outcome.inbox_ids),
            "now": now,
            "topics": topics,
            "payloads": payloads,
        },
    )


def _said(row: Message) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "author": row.author.value,
        "staff_id": None if row.staff_id is None else str(row.staff_id),
        "language": row.language,
        "body": row.body,
    }


def _outgoing(row: Outgoing) -> dict[str, Any]:
    return {"kind": row.kind.value, "priority": row.priority.value, "seq": row.seq, "payload": row.payload}
