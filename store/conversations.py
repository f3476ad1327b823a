"""Conversations and their transcripts: one row a message, numbered without gaps within its conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
)
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN
from sqlalchemy.dialects.postgresql import insert

from store.database import Read, Write
from store.metadata import Document, Moment, metadata
from store.notify import Topic, notify

conversations = Table(
    "conversations",
    metadata,
    Column("id", UUID_COLUMN(as_uuid=True), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("user_ref", Text, nullable=False),
    Column("language_hint", Text),
    Column("language", Text),
    Column("state", Document),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("reachable", Boolean, nullable=False, server_default="true"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("channel", "account", "thread"),
)

messages = Table(
    "messages",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("staff_id", ForeignKey("staff.id")),
    Column("language", Text),
    Column("body", Document, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
)


class Author(StrEnum):
    """Who wrote a row of the transcript. `NOTE` and `SYSTEM` rows are for the staff only."""

    RESIDENT = "resident"
    BOT = "bot"
    MEDIATOR = "mediator"
    NOTE = "note"
    SYSTEM = "system"


# The highest place that a column of this kind holds (PostgreSQL: integer, 32 bits).
PLACE_MAX: Final = 2**31 - 1

VISIBLE_TO_RESIDENT = (Author.RESIDENT, Author.BOT, Author.MEDIATOR)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation takes place: platform, account of ours on it, and thread within the account."""

    channel: str
    account: str
    thread: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as stored; `state` is the engine's JSON, None before the first turn."""

    id: UUID
    address: Address
    language_hint: str | None
    language: str | None
    state: dict[str, Any] | None
    last_seq: int
    reachable: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the transcript. The shape of `body` depends on the author; see `docs/architecture.md`."""

    conversation_id: UUID
    seq: int
    author: Author
    staff_id: UUID | None
    language: str | None
    body: dict[str, Any]
    created_at: datetime


async def find_or_add(
    connection: Write, *, new_id: UUID, address: Address, user_ref: str, language_hint: str | None, now: datetime
) -> UUID:
    """Give the id of the conversation at an address, adding it with `new_id` where there is none.

    An existing row is not locked, so that receiving never waits for a turn.
    """
    found = await find(connection, address)
    if found is not None:
        return found
    await connection.execute(
        insert(conversations)
        .values(
            id=new_id,
            channel=address.channel,
            account=address.account,
            thread=address.thread,
            user_ref=user_ref,
            language_hint=language_hint,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )
    found = await find(connection, address)
    if found is None:  # pragma: no cover - READ COMMITTED shows what made the insert a conflict
        raise LookupError("the conversation vanished while it was being added")
    return found


async def find(connection: Read, address: Address) -> UUID | None:
    """Give the id of the conversation at an address, or None."""
    result = await connection.execute(
        select(conversations.c.id).where(
            conversations.c.channel == address.channel,
            conversations.c.account == address.account,
            conversations.c.thread == address.thread,
        )
    )
    return result.scalar_one_or_none()


async def known_as(connection: Read, address: Address) -> str | None:
    """Give the name under which a conversation began, as its platform tells it; None where there is none."""
    result = await connection.execute(
        select(conversations.c.user_ref).where(
            conversations.c.channel == address.channel,
            conversations.c.account == address.account,
            conversations.c.thread == address.thread,
        )
    )
    return result.scalar_one_or_none()


async def get(connection: Read, conversation_id: UUID) -> Conversation | None:
    """Give a conversation, or None."""
    row = (await connection.execute(select(conversations).where(conversations.c.id == conversation_id))).one_or_none()
    return None if row is None else from_row(row)


def from_row(row: Row[Any]) -> Conversation:
    """Read a row that has all columns of the table."""
    return Conversation(
        id=row.id,
        address=Address(row.channel, row.account, row.thread),
        language_hint=row.language_hint,
        language=row.language,
        state=row.state,
        last_seq=row.last_seq,
        reachable=row.reachable,
    )


async def transcript(
    connection: Read, conversation_id: UUID, *, since: int = 0, authors: Sequence[Author] = tuple(Author)
) -> list[Message]:
    """Give the rows after `since`, in their order, of the authors named."""
    rows = await connection.execute(
        select(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.seq > since,
            messages.c.author.in_([author.value for author in authors]),
        )
        .order_by(messages.c.seq)
    )
    return [_message(row) for row in rows]


async def message(connection: Read, conversation_id: UUID, seq: int) -> Message | None:
    """Give one row of a transcript, or None where it was deleted."""
    row = (
        await connection.execute(
            select(messages).where(messages.c.conversation_id == conversation_id, messages.c.seq == seq)
        )
    ).one_or_none()
    return None if row is None else _message(row)


async def is_gone(connection: Read, conversation_id: UUID, seq: int) -> bool:
    """Tell whether a row that a page shows was deleted meanwhile; 0 is no row."""
    return seq > 0 and await message(connection, conversation_id, seq) is None


async def said_in(connection: Read, conversation_id: UUID, message_id: str) -> Message | None:
    """Give the newest row that keeps a message by the platform's id of it, or None."""
    named = messages.c.body["message_ids"].contains([message_id])
    return await _first(connection, conversation_id, named, messages.c.seq.desc())


async def last_written(connection: Read, address: Address) -> str | None:
    """Give the platform's id of what a resident wrote last, of what is still there and has one."""
    conversation_id = await find(connection, address)
    if conversation_id is None:
        return None
    named = (messages.c.author == Author.RESIDENT.value) & messages.c.body.has_key("message_ids")
    newest = await _first(connection, conversation_id, named, messages.c.seq.desc())
    return None if newest is None else str(newest.body["message_ids"][-1])


async def album(connection: Read, conversation_id: UUID, name: str) -> Message | None:
    """Give the row that keeps an album, by the platform's name of it, or None."""
    return await _first(connection, conversation_id, messages.c.body["album"].astext == name, messages.c.seq)


async def _first(
    connection: Read, conversation_id: UUID, wanted: ColumnElement[bool], order: ColumnElement[int]
) -> Message | None:
    row = (
        await connection.execute(
            select(messages)
            .where(messages.c.conversation_id == conversation_id, messages.c.author == Author.RESIDENT.value, wanted)
            .order_by(order)
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else _message(row)


def _message(row: Row[Any]) -> Message:
    return Message(
        conversation_id=row.conversation_id,
        seq=row.seq,
        author=Author(row.author),
        staff_id=row.staff_id,
        language=row.language,
        body=row.body,
        created_at=row.created_at,
    )


async def erase_messages(connection: Write, conversation_id: UUID) -> None:
    """Delete the whole transcript of a conversation; its numbers go on from where they were."""
    await connection.execute(delete(messages).where(messages.c.conversation_id == conversation_id))
    notify(connection, Topic.CONVERSATION, str(conversation_id))
