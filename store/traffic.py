"""What stands between a channel and its residents, counted: on its way, waiting, in doubt, refused, not understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from store.budgets import budgets
from store.conversations import conversations
from store.database import Read
from store.inbox import InboxStatus, inbox
from store.outbox import PARKED, OutboxStatus, outbox

_PARKED = [status.value for status in PARKED]
_UNHANDLED = [InboxStatus.SET_ASIDE.value, InboxStatus.FAILED.value]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts of one account.

    `queued` is on its way, `parked` waits for the resident, `unknown` may have arrived, `refused` did not,
    `unhandled` came in and was set aside. `open_chats` may be written to now, `spent_chats` of them have no
    message left.
    """

    queued: int = 0
    parked: int = 0
    unknown: int = 0
    refused: int = 0
    unhandled: int = 0
    open_chats: int = 0
    spent_chats: int = 0


NONE = Traffic()


async def everything(connection: Read, *, now: datetime) -> Mapping[tuple[str, str], Traffic]:
    """Count by channel and account, as far as traces are kept."""
    status = outbox.c.status
    out = await connection.execute(
        select(
            outbox.c.channel,
            outbox.c.account,
            func.count().filter(status.in_([OutboxStatus.QUEUED.value, OutboxStatus.SENDING.value])).label("queued"),
            func.count().filter(status.in_(_PARKED)).label("parked"),
            func.count().filter(status == OutboxStatus.UNKNOWN.value).label("unknown"),
            func.count()
            .filter(status.in_([OutboxStatus.NEEDS_PERSON.value, OutboxStatus.TOO_LONG.value]))
            .label("refused"),
        ).group_by(outbox.c.channel, outbox.c.account)
    )
    came = await connection.execute(
        select(inbox.c.channel, inbox.c.account, func.count().label("unhandled"))
        .where(inbox.c.status.in_(_UNHANDLED))
        .group_by(inbox.c.channel, inbox.c.account)
    )
    open_now = await connection.execute(
        select(
            conversations.c.channel,
            conversations.c.account,
            func.count().label("open_chats"),
            func.count().filter(budgets.c.remaining <= 0).label("spent_chats"),
        )
        .join(budgets, budgets.c.conversation_id == conversations.c.id)
        .where(budgets.c.until > now)
        .group_by(conversations.c.channel, conversations.c.account)
    )
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for row in [*out, *came, *open_now]:
        channel, account, *_ = row
        named = {name: count for name, count in row._mapping.items() if name not in {"channel", "account"}}  # noqa: SLF001 - the documented way to a row's columns
        counted.setdefault((channel, account), {}).update(named)
    return {key: Traffic(**counts) for key, counts in counted.items()}


async def in_doubt(connection: Read, *, since: datetime) -> frozenset[tuple[str, str]]:
    """Give the accounts, by channel, of which a message sent since a moment may or may not have arrived."""
    rows = await connection.execute(
        select(outbox.c.channel, outbox.c.account)
        .where(outbox.c.status == OutboxStatus.UNKNOWN.value, outbox.c.finished_at >= since)
        .distinct()
    )
    return frozenset((channel, account) for channel, account in rows)
