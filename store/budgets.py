"""What a platform still lets us write to a chat: until when, and how many messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from store.conversations import conversations
from store.database import Read, Write
from store.metadata import Moment, metadata

budgets = Table(
    "budgets",
    metadata,
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("until", Moment, nullable=False),
    Column("remaining", Integer),
    Column("reply_code", Text),
    Column("reply_code_until", Moment),
)

# A reply code lives for 20 seconds at WeCom (developer.work.weixin.qq.com, kf/send_msg_on_event): a little less here.
REPLY_CODE_LASTS: Final = timedelta(seconds=18)


class Allowance(StrEnum):
    """Whether one more message may go."""

    GIVEN = "given"
    CLOSED = "closed"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Spent:
    """The outcome of asking for one message; `reply_code` is to be used where there is one."""

    allowance: Allowance
    reply_code: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left for a chat; `remaining` is None where the platform counts no messages."""

    until: datetime
    remaining: int | None


async def renew(
    connection: Write,
    conversation_id: UUID,
    *,
    messages: int | None,
    until: datetime,
    reply_code: str | None,
    now: datetime,
    since: datetime | None = None,
) -> None:
    """Remember that the resident did something. Allowances do not add up: the larger one holds while both last.

    `since` is when it was done, where that is known: a reply code lives from then on, however late we hear of it.
    """
    code_until = None if reply_code is None else (since or now) + REPLY_CODE_LASTS
    added = insert(budgets).values(
        conversation_id=conversation_id,
        until=until,
        remaining=messages,
        reply_code=reply_code,
        reply_code_until=code_until,
    )
    over = budgets.c.until <= now
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={
                "remaining": case(
                    (over, added.excluded.remaining), else_=func.greatest(budgets.c.remaining, added.excluded.remaining)
                ),
                "until": func.greatest(budgets.c.until, added.excluded.until),
                "reply_code": added.excluded.reply_code,
                "reply_code_until": added.excluded.reply_code_until,
            },
        )
    )


async def spend(connection: Write, conversation_id: UUID, *, reserved: int, now: datetime) -> Spent:
    """Take one message from what is left, unless only `reserved` are left. A reply code costs nothing, once."""
    row = (
        await connection.execute(
            select(budgets).where(budgets.c.conversation_id == conversation_id).with_for_update(of=budgets)
        )
    ).one_or_none()
    if row is None:
        return Spent(Allowance.CLOSED)
    if row.reply_code is not None and row.reply_code_until > now:
        # Its end stays, for `give_back`.
        await _set(connection, conversation_id, reply_code=None)
        return Spent(Allowance.GIVEN, row.reply_code)
    if row.until <= now:
        return Spent(Allowance.CLOSED)
    if row.remaining is not None:
        if row.remaining <= reserved:
            return Spent(Allowance.EXHAUSTED)
        await _set(connection, conversation_id, remaining=row.remaining - 1)
    return Spent(Allowance.GIVEN)


async def give_back(connection: Write, conversation_id: UUID, *, reply_code: str | None = None) -> None:
    """Put back one message that is known not to have been sent, or the code that it was to be sent with."""
    of_chat = update(budgets).where(budgets.c.conversation_id == conversation_id)
    if reply_code is None:
        put_back = of_chat.where(budgets.c.remaining.is_not(None)).values(remaining=budgets.c.remaining + 1)
    else:
        # Unless the resident did something since: that took the code's end away, or brought another code.
        put_back = of_chat.where(budgets.c.reply_code.is_(None), budgets.c.reply_code_until.is_not(None)).values(
            reply_code=reply_code
        )
    await connection.execute(put_back)


async def exhaust(connection: Write, conversation_id: UUID) -> None:
    """Believe the platform that nothing is left, whatever we counted."""
    await connection.execute(
        update(budgets)
        .where(budgets.c.conversation_id == conversation_id, budgets.c.remaining.is_not(None))
        .values(remaining=0)
    )


async def close(
    connection: Write, conversation_id: UUID, *, now: datetime, unless_after: datetime | None = None
) -> None:
    """Believe the platform that the window is over, whatever we counted, unless it lasts longer than a moment."""
    over = update(budgets).where(budgets.c.conversation_id == conversation_id)
    if unless_after is not None:
        over = over.where(budgets.c.until <= unless_after)
    await connection.execute(over.values(until=now))


async def of(connection: Read, conversation_id: UUID) -> Budget | None:
    """Give what is left for a chat; None where its platform has no window."""
    row = (
        await connection.execute(
            select(budgets.c.until, budgets.c.remaining).where(budgets.c.conversation_id == conversation_id)
        )
    ).one_or_none()
    return None if row is None else Budget(row.until, row.remaining)


async def _set(connection: Write, conversation_id: UUID, **values: object) -> None:
    await connection.execute(update(budgets).where(budgets.c.conversation_id == conversation_id).values(**values))
