"""What may be sent now: taken from the outbox for one sender at a time, and from when there is more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningUpdate

from store.conversations import conversations
from store.database import Read, Write
from store.metadata import Document, Moment, fixed, there_is_none, unguessed
from store.outbox import IDS, OutboxKind, OutboxStatus, outbox
from store.paces import accounts, chats
from store.pacing import Leased, Pace, leased_of

_MESSAGE: Final = fixed(OutboxKind.MESSAGE.value)
_QUEUED: Final = fixed(OutboxStatus.QUEUED.value)
_SENDING: Final = fixed(OutboxStatus.SENDING.value)

# All statements here are made once: they cost more to make than to run.
_CHANNEL: Final = bindparam("of_channel", type_=Text)
_ACCOUNT: Final = bindparam("of_account", type_=Text)
_NOW: Final = bindparam("now", type_=Moment)
_CHAT_NEXT: Final = bindparam("chat_next", type_=Moment)
_ACCOUNT_NEXT: Final = bindparam("account_next", type_=Moment)
_UNTIL: Final = bindparam("until", type_=Moment)
# A row that the same statement ends: it counts as ended, though the statement still sees it as it was. Ids begin at 1.
_ENDED: Final = bindparam("ended", type_=BigInteger)
_NO_ROW: Final = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A row that was sent to its end, with the platform's ids of its parts."""

    id: int
    platform_ids: list[str | None]


@dataclass(frozen=True, slots=True)
class Following:
    """What comes next for a sender: a row that it has now, or the moment from which one may go; neither: none waits."""

    leased: Leased | None = None
    due: datetime | None = None


def _may_go(ended: BindParameter[int] | None) -> ColumnElement[bool]:
    """Say when a message may be sent: its chat and its account rest no longer, and nothing of the chat goes before."""
    earlier = outbox.alias()
    nothing_before = there_is_none(
        earlier.c.conversation_id == outbox.c.conversation_id,
        earlier.c.id < outbox.c.id,
        earlier.c.status.in_((_QUEUED, _SENDING)),
        earlier.c.kind == _MESSAGE,
        true() if ended is None else earlier.c.id != ended,
    )
    account_free = exists().where(
        accounts.c.channel == _CHANNEL, accounts.c.account == _ACCOUNT, unguessed(accounts.c.next_send_at <= _NOW)
    )
    chat_free = there_is_none(
        chats.c.conversation_id == outbox.c.conversation_id, unguessed(chats.c.next_send_at > _NOW)
    )
    return chat_free & account_free & nothing_before


def _lease(ended: BindParameter[int] | None = None) -> tuple[ReturningUpdate[Any], CTE]:
    """Make the one statement that finds a row and marks it, and the part of it that takes its slots.

    Where another process took the account's slot first, the row stays queued. What is no message needs no slot.
    """
    is_message = outbox.c.kind == _MESSAGE
    found = (
        select(*(outbox.c[name] for name in ("id", "conversation_id", "kind", "channel", "account")))
        .add_columns(conversations.c.thread)
        .join(conversations, conversations.c.id == outbox.c.conversation_id)
        .where(
            outbox.c.status == _QUEUED,
            outbox.c.channel == _CHANNEL,
            outbox.c.account == _ACCOUNT,
            unguessed(outbox.c.due_at <= _NOW),
            or_(~is_message, _may_go(ended)),
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
            unguessed(accounts.c.next_send_at <= _NOW),
            found.c.kind == _MESSAGE,
        )
        .values(next_send_at=_ACCOUNT_NEXT)
        .returning(found.c.id)
        .cte("slot")
    )
    taken = insert(chats).from_select(
        ["conversation_id", "next_send_at"],
        select(found.c.conversation_id, _CHAT_NEXT).where(found.c.id == slot.c.id),
    )
    chat = taken.on_conflict_do_update(
        index_elements=["conversation_id"], set_={"next_send_at": taken.excluded.next_send_at}
    ).cte("chat")
    marked = (
        update(outbox)
        .where(
            outbox.c.id == found.c.id,
            or_(found.c.kind != _MESSAGE, exists().where(slot.c.id == found.c.id)),
        )
        .values(status=_SENDING, lease_until=_UNTIL, attempts=outbox.c.attempts + literal_column("1"))
        .returning(*outbox.c, found.c.thread)
    )
    return marked, chat


def _next_due(ended: BindParameter[int] | None = None) -> Select[Any]:
    ours = (outbox.c.channel == _CHANNEL, outbox.c.account == _ACCOUNT)
    # The first message of each conversation: whatever is behind it waits for it, also where it was put off.
    first = (
        select(outbox.c.conversation_id, outbox.c.status, outbox.c.due_at)
        # As text: the two versions of SQLAlchemy that we allow have no way to say it in common.
        .prefix_with(text("DISTINCT ON (outbox.conversation_id)"))
        .where(*ours, outbox.c.status.in_((_QUEUED, _SENDING)), outbox.c.kind == _MESSAGE)
        .where(true() if ended is None else outbox.c.id != ended)
        .order_by(outbox.c.conversation_id, outbox.c.id)
        .subquery()
    )
    of_messages = (
        select(func.min(func.greatest(first.c.due_at, chats.c.next_send_at, accounts.c.next_send_at)))
        .select_from(first)
        .outerjoin(chats, chats.c.conversation_id == first.c.conversation_id)
        .join(accounts, (accounts.c.channel == _CHANNEL) & (accounts.c.account == _ACCOUNT))
        .where(first.c.status == _QUEUED)
    )
    of_others = select(func.min(outbox.c.due_at)).where(*ours, outbox.c.status == _QUEUED, outbox.c.kind != _MESSAGE)
    return select(func.least(of_messages.scalar_subquery(), of_others.scalar_subquery()))


def _go_on() -> Executable:
    """Make the statement that ends a row as sent, leases the next one, or tells from when there is one."""
    ending = (
        update(outbox)
        .where(outbox.c.id == _ENDED)
        .values(
            status=fixed(OutboxStatus.SENT.value),
            platform_ids=func.coalesce(outbox.c.platform_ids, literal_column("'{}'", Document)).op("||")(
                bindparam("of_parts", type_=Document)
            ),
            finished_at=_NOW,
            payload=null(),
            error=null(),
            lease_until=null(),
        )
        .cte("ending")
    )
    marked, chat = _lease(_ENDED)
    taken = marked.cte("taken")
    always = select(literal_column("1")).subquery("always")
    due = case((taken.c.id.is_(None), _next_due(_ENDED).scalar_subquery())).label("due")
    return select(*taken.c, due).select_from(always.outerjoin(taken, true())).add_cte(ending, chat)


def _lease_alone() -> Executable:
    marked, chat = _lease()
    return marked.add_cte(chat)


_LEASE: Final = _lease_alone()
_NEXT_DUE: Final = _next_due()
_GO_ON: Final = _go_on()


async def lease(
    connection: Write, *, channel: str, account: str, pace: Pace, lease_for: timedelta, now: datetime
) -> Leased | None:
    """Take the next row that may be sent now: the oldest undelivered of its conversation, within both paces.

    Marks it as being sent; where the process then dies, `doubt_expired` finds it.
    """
    given = _given(channel, account, pace, lease_for, now)
    row = (await connection.execute(_LEASE, given)).one_or_none()
    return None if row is None else leased_of(row)


async def go_on(
    connection: Write,
    sent: Sent | None,
    *,
    channel: str,
    account: str,
    pace: Pace,
    lease_for: timedelta,
    now: datetime,
) -> Following:
    """End a row that was sent, if any, and take the next one as `lease` does, else tell what `next_due` does.

    One statement, which needs no transaction around it.
    """
    given = _given(channel, account, pace, lease_for, now)
    given["ended"] = _NO_ROW if sent is None else sent.id
    given["of_parts"] = None if sent is None else {IDS: sent.platform_ids}
    row = (await connection.execute(_GO_ON, given)).one()
    return Following(due=row.due) if row.id is None else Following(leased_of(row))


def _given(channel: str, account: str, pace: Pace, lease_for: timedelta, now: datetime) -> dict[str, Any]:
    return {
        "of_channel": channel,
        "of_account": account,
        "now": now,
        "chat_next": now + pace.chat,
        "account_next": now + pace.account,
        "until": now + lease_for,
    }


async def next_due(connection: Read, *, channel: str, account: str) -> datetime | None:
    """Give the moment from which the next queued row may go, or None where nothing is queued.

    What waits for an earlier message of its conversation does not count: its turn comes when that one has ended.
    The acknowledgement of a tap waits for no pace.
    """
    result = await connection.execute(_NEXT_DUE, {"of_channel": channel, "of_account": account})
    moment: datetime | None = result.scalar_one()
    return moment
