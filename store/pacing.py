"""The pace of what goes out: which row of the outbox may be sent now, and what has to wait."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Row,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from store.conversations import Address, conversations
from store.database import Read, Write
from store.metadata import Moment, fixed, there_is_none, unguessed
from store.outbox import OutboxKind, OutboxStatus, Priority, outbox
from store.paces import accounts, chats

_MESSAGE: Final = fixed(OutboxKind.MESSAGE.value)
_QUEUED: Final = fixed(OutboxStatus.QUEUED.value)
_SENDING: Final = fixed(OutboxStatus.SENDING.value)
_UNDELIVERED: Final = (_QUEUED, _SENDING)


@dataclass(frozen=True, slots=True)
class Pace:
    """The least time between two messages, to one chat and over the whole account."""

    chat: timedelta
    account: timedelta


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that this process is to send now: `parts_sent` of its parts were sent before, `reply_code` may be used."""

    id: int
    conversation_id: UUID
    address: Address
    kind: OutboxKind
    priority: Priority
    seq: int | None
    payload: dict[str, Any]
    attempts: int
    parts_sent: int
    platform_ids: tuple[str, ...]
    created_at: datetime
    reply_code: str | None = None


async def open_account(connection: Write, *, channel: str, account: str, now: datetime) -> None:
    """Make the row that keeps an account's pace, where it is missing."""
    await connection.execute(
        insert(accounts).values(channel=channel, account=account, next_send_at=now).on_conflict_do_nothing()
    )


def _may_go(channel: BindParameter[Any], account: BindParameter[Any], now: BindParameter[Any]) -> ColumnElement[bool]:
    """Say when a message may be sent: its chat and its account rest no longer, and nothing of the chat goes before."""
    earlier = outbox.alias()
    nothing_before = there_is_none(
        earlier.c.conversation_id == outbox.c.conversation_id,
        earlier.c.id < outbox.c.id,
        earlier.c.status.in_(_UNDELIVERED),
        earlier.c.kind == _MESSAGE,
    )
    account_free = exists().where(
        accounts.c.channel == channel, accounts.c.account == account, unguessed(accounts.c.next_send_at <= now)
    )
    chat_free = there_is_none(
        chats.c.conversation_id == outbox.c.conversation_id, unguessed(chats.c.next_send_at > now)
    )
    return chat_free & account_free & nothing_before


def _lease() -> Executable:
    """Make the one statement that finds a row, takes its slots and marks it.

    Made once: it costs more to make than to run. Where another process took the account's slot first, the
    row stays queued. What is no message needs no slot.
    """
    channel, account = bindparam("of_channel", type_=Text), bindparam("of_account", type_=Text)
    now, chat_next = bindparam("now", type_=Moment), bindparam("chat_next", type_=Moment)
    account_next, until = bindparam("account_next", type_=Moment), bindparam("until", type_=Moment)
    is_message = outbox.c.kind == _MESSAGE
    found = (
        select(*(outbox.c[name] for name in ("id", "conversation_id", "kind", "channel", "account")))
        .add_columns(conversations.c.thread)
        .join(conversations, conversations.c.id == outbox.c.conversation_id)
        .where(
            outbox.c.status == _QUEUED,
            outbox.c.channel == channel,
            outbox.c.account == account,
            unguessed(outbox.c.due_at <= now),
            or_(~is_message, _may_go(channel, account, now)),
        )
        .order_by(outbox.c.priority, outbox.c.id)
        .limit(literal_column("1"))
        .with_for_update(of=outbox, skip_locked=True)
        .cte("found")
    )
    slot = (
        update(accounts)
        .where(
            accounts.c.channel == found.c.channel,
            accounts.c.account == found.c.account,
            unguessed(accounts.c.next_send_at <= now),
            found.c.kind == _MESSAGE,
        )
        .values(next_send_at=account_next)
        .returning(found.c.id)
        .cte("slot")
    )
    taken = insert(chats).from_select(
        ["conversation_id", "next_send_at"],
        select(found.c.conversation_id, chat_next).where(found.c.id == slot.c.id),
    )
    chat = taken.on_conflict_do_update(
        index_elements=["conversation_id"], set_={"next_send_at": taken.excluded.next_send_at}
    ).cte("chat")
    return (
        update(outbox)
        .where(
            outbox.c.id == found.c.id,
            or_(found.c.kind != _MESSAGE, exists().where(slot.c.id == found.c.id)),
        )
        .values(status=_SENDING, lease_until=until, attempts=outbox.c.attempts + literal_column("1"))
        .returning(*outbox.c, found.c.thread)
        .add_cte(chat)
    )


_LEASE: Final = _lease()


async def lease(
    connection: Write, *, channel: str, account: str, pace: Pace, lease_for: timedelta, now: datetime
) -> Leased | None:
    """Take the next row that may be sent now: the oldest undelivered of its conversation, within both paces.

    Marks it as being sent; where the process then dies, `doubt_expired` finds it.
    """
    moments = {
        "now": now,
        "chat_next": now + pace.chat,
        "account_next": now + pace.account,
        "until": now + lease_for,
    }
    given = {"of_channel": channel, "of_account": account, **moments}
    row = (await connection.execute(_LEASE, given)).one_or_none()
    if row is None:
        return None
    return _leased(row)


def _leased(row: Row[Any]) -> Leased:
    return Leased(
        id=row.id,
        conversation_id=row.conversation_id,
        address=Address(row.channel, row.account, row.thread),
        kind=OutboxKind(row.kind),
        priority=Priority(row.priority),
        seq=row.seq,
        payload=row.payload,
        attempts=row.attempts,
        parts_sent=row.parts_sent,
        platform_ids=tuple((row.platform_ids or {}).get("ids", ())),
        created_at=row.created_at,
    )


async def lease_reply(
    connection: Write, conversation_id: UUID, *, lease_for: timedelta, now: datetime
) -> Leased | None:
    """Take the oldest message that waits for a chat, whatever the pace: it goes with the platform's own request.

    None where nothing waits, or something is being sent already.
    """
    open_now = (
        select(outbox.c.id, outbox.c.status)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.status.in_([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value]),
            outbox.c.kind == OutboxKind.MESSAGE.value,
        )
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update()
    )
    first = (await connection.execute(open_now)).one_or_none()
    if first is None or first.status != OutboxStatus.QUEUED.value:
        return None
    row = (
        await connection.execute(
            update(outbox)
            .where(outbox.c.id == first.id, conversations.c.id == outbox.c.conversation_id)
            .values(status=OutboxStatus.SENDING.value, lease_until=now + lease_for, attempts=outbox.c.attempts + 1)
            .returning(*outbox.c, conversations.c.thread)
        )
    ).one()
    return _leased(row)


async def companions(connection: Write, leased: Leased) -> list[tuple[int, dict[str, Any]]]:
    """Give the rows that wait behind a leased one for the same chat, from the same kind of author, and lock them."""
    rows = await connection.execute(
        select(outbox.c.id, outbox.c.payload, outbox.c.priority)
        .where(
            outbox.c.conversation_id == leased.conversation_id,
            outbox.c.status == OutboxStatus.QUEUED.value,
            outbox.c.kind == OutboxKind.MESSAGE.value,
            outbox.c.id > leased.id,
        )
        .order_by(outbox.c.id)
        .with_for_update(skip_locked=True)
    )
    alike = itertools.takewhile(lambda row: row.priority == leased.priority, rows)
    return [(row.id, row.payload) for row in alike]


def _next_due() -> Executable:
    """Make the statement of `next_due`. Made once: it costs more to make than to run."""
    channel, account = bindparam("of_channel", type_=Text), bindparam("of_account", type_=Text)
    # One row for each conversation of which something is being sent: they are few, whatever waits.
    being_sent = (
        select(outbox.c.conversation_id, func.min(outbox.c.id).label("id"))
        .where(outbox.c.status == _SENDING, outbox.c.kind == _MESSAGE)
        .group_by(outbox.c.conversation_id)
        .subquery()
    )
    is_message = outbox.c.kind == _MESSAGE
    nothing_before = or_(being_sent.c.id.is_(None), being_sent.c.id > outbox.c.id)
    paced = func.greatest(outbox.c.due_at, chats.c.next_send_at, accounts.c.next_send_at)
    return (
        select(func.min(case((is_message, paced), else_=outbox.c.due_at)))
        .outerjoin(chats, chats.c.conversation_id == outbox.c.conversation_id)
        .outerjoin(being_sent, being_sent.c.conversation_id == outbox.c.conversation_id)
        .join(accounts, (accounts.c.channel == outbox.c.channel) & (accounts.c.account == outbox.c.account))
        .where(
            outbox.c.status == _QUEUED,
            outbox.c.channel == channel,
            outbox.c.account == account,
            or_(~is_message, nothing_before),
        )
    )


_NEXT_DUE: Final = _next_due()


async def next_due(connection: Read, *, channel: str, account: str) -> datetime | None:
    """Give the moment from which the next queued row may go, or None where nothing is queued.

    What waits for an earlier message of its conversation that is being sent does not count: its turn comes
    when that one has ended. The acknowledgement of a tap waits for no pace.
    """
    result = await connection.execute(_NEXT_DUE, {"of_channel": channel, "of_account": account})
    moment: datetime | None = result.scalar_one()
    return moment


async def pause_account(connection: Write, *, channel: str, account: str, until: datetime) -> None:
    """Hold back all messages of an account until a moment."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.channel == channel, accounts.c.account == account)
        .values(next_send_at=func.greatest(accounts.c.next_send_at, until))
    )


async def pause_chat(connection: Write, conversation_id: UUID, *, until: datetime) -> None:
    """Hold back all messages to one chat until a moment."""
    paused = insert(chats).values(conversation_id=conversation_id, next_send_at=until)
    await connection.execute(
        paused.on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={"next_send_at": func.greatest(chats.c.next_send_at, paused.excluded.next_send_at)},
        )
    )


async def release_chat(connection: Write, conversation_id: UUID, *, now: datetime) -> None:
    """Let messages to one chat go again."""
    await connection.execute(update(chats).where(chats.c.conversation_id == conversation_id).values(next_send_at=now))
