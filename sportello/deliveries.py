"""Deliveries: what is in the outbox goes out through its platform, and the result decides what happens next."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

import structlog

from channels.adapter import Adapter, KnockingAdapter, Outbound
from channels.gathering import gathered
from channels.rendering import render
from channels.results import (
    Blocked,
    NeedsPerson,
    QuotaExhausted,
    RetryAfter,
    SendResult,
    Sent,
    TooLong,
    Unknown,
    WindowClosed,
)
from sportello.counting import Counts
from sportello.halving import halve
from store import budgets, health, inbox, leasing, outbox, pacing
from store.budgets import Allowance, Spent
from store.database import Database, Write
from store.leasing import Following
from store.leasing import Sent as WasSent
from store.outbox import OutboxKind, OutboxStatus, Priority
from store.pacing import Leased, Pace

log = structlog.get_logger(__name__)

# Longer than an adapter may take: after it, the sender is taken for dead.
LEASE: Final = timedelta(seconds=90)
# With delays that double up to five minutes, this is about a day and a half.
ATTEMPTS_AT_MOST: Final = 450
LONGEST_DELAY: Final = timedelta(minutes=5)

_ENDINGS: Final[dict[type[SendResult], OutboxStatus]] = {
    Sent: OutboxStatus.SENT,
    Blocked: OutboxStatus.BLOCKED,
    WindowClosed: OutboxStatus.WINDOW_CLOSED,
    QuotaExhausted: OutboxStatus.QUOTA_EXHAUSTED,
    TooLong: OutboxStatus.TOO_LONG,
    Unknown: OutboxStatus.UNKNOWN,
    NeedsPerson: OutboxStatus.NEEDS_PERSON,
}
_PARKED: Final = {
    Allowance.CLOSED: OutboxStatus.WINDOW_CLOSED,
    Allowance.EXHAUSTED: OutboxStatus.QUOTA_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Sends for one platform. Any number may do so at once, in any number of processes."""

    database: Database
    adapter: Adapter
    clock: Callable[[], datetime]
    counts: Counts

    @property
    def pace(self) -> Pace:
        """Give the platform's pace."""
        return Pace(self.adapter.capabilities.chat_interval, self.adapter.capabilities.account_interval)

    async def open(self) -> None:
        """Make sure that the account's pace has a row to be kept in."""
        async with self.database.begin() as connection:
            channel, account = self.adapter.channel, self.adapter.account
            await pacing.open_account(connection, channel=channel, account=account, now=self.clock())
            await health.open_channel(connection, channel=channel, account=account)

    async def deliver(self, go_on: Callable[[], bool] = lambda: False) -> bool:
        """Send the next message that may be sent now, and others after it as long as `go_on` says so.

        False where there was none. How a message ended and the taking of the next one are one transaction.
        """
        sent_any, _ = await self._round(go_on)
        return sent_any

    async def send_due(self, go_on: Callable[[], bool]) -> datetime | None:
        """Send as `deliver` does; gives the moment from which more may be sent, or None where nothing waits."""
        _, due = await self._round(go_on)
        return due

    async def _round(self, go_on: Callable[[], bool]) -> tuple[bool, datetime | None]:
        async with self._connection() as connection:
            following = await self._next(connection, None)
        sent_any = following.leased is not None
        while (leased := following.leased) is not None:
            result, parts = await self._send(leased)
            following = await self._after(leased, result, parts=parts, more=go_on())
            self._count(leased, result)
        return sent_any, following.due

    @property
    def _plain(self) -> bool:
        """Tell whether one statement is enough to take a row: the platform sets no windows and wants nothing merged."""
        can = self.adapter.capabilities
        return can.after_text is None and not can.merges

    def _connection(self) -> AbstractAsyncContextManager[Write]:
        return self.database.at_once() if self._plain else self.database.begin()

    async def _after(self, leased: Leased, result: SendResult, *, parts: int, more: bool) -> Following:
        """Store how a message ended, and take the next one where there is to be `more`."""
        if more and self._plain and isinstance(result, Sent) and not _goes_on(leased, parts):
            async with self.database.at_once() as connection:
                await self._note(connection, leased, result)
                return await self._next(connection, WasSent(leased.id, _named(leased, result, parts)))
        async with self.database.begin() as connection:
            await self._settle(connection, leased, result, parts=parts)
            await self._note(connection, leased, result)
            return await self._next(connection, None) if more else Following()

    async def _next(self, connection: Write, sent: WasSent | None) -> Following:
        channel, account = self.adapter.channel, self.adapter.account
        if self._plain:
            return await leasing.go_on(
                connection,
                sent,
                channel=channel,
                account=account,
                pace=self.pace,
                lease_for=LEASE,
                now=self.clock(),
            )
        leased = await self._lease(connection)
        if leased is not None:
            return Following(leased)
        return Following(due=await leasing.next_due(connection, channel=channel, account=account))

    async def _lease(self, connection: Write) -> Leased | None:
        """Take the next row that its chat's window has room for; the others are parked until the resident writes."""
        while True:
            now = self.clock()
            leased = await leasing.lease(
                connection,
                channel=self.adapter.channel,
                account=self.adapter.account,
                pace=self.pace,
                lease_for=LEASE,
                now=now,
            )
            if leased is None or leased.kind is not OutboxKind.MESSAGE:
                return leased
            spent = await self._spend(connection, leased, now=now)
            if spent.allowance is Allowance.GIVEN:
                leased = await gathered(connection, leased, self.adapter.capabilities, now=now)
                return replace(leased, reply_code=spent.reply_code)
            await self._park(connection, leased, _PARKED[spent.allowance], now=now)
            self.counts.deliveries.labels(channel=self.adapter.channel, result=spent.allowance.value).inc()

    async def _spend(self, connection: Write, leased: Leased, *, now: datetime) -> Spent:
        """Take one message from what the platform lets us send; some of it is kept for mediators."""
        can = self.adapter.capabilities
        if can.after_text is None:
            return Spent(Allowance.GIVEN)
        reserved = 0 if leased.priority is Priority.MEDIATOR else can.reserved
        return await budgets.spend(connection, leased.conversation_id, reserved=reserved, now=now)

    async def _note(self, connection: Write, leased: Leased, result: SendResult) -> None:
        """Keep the channel's health: what concerns one resident alone says nothing about it."""
        address, now = leased.address, self.clock()
        if isinstance(result, Sent):
            await health.went_out(connection, channel=address.channel, account=address.account, now=now)
        elif isinstance(result, RetryAfter | Unknown | NeedsPerson):
            reason = result.reason or type(result).__name__
            await health.went_wrong(
                connection, channel=address.channel, account=address.account, reason=reason, now=now
            )

    def _count(self, leased: Leased, result: SendResult) -> None:
        self.counts.deliveries.labels(channel=self.adapter.channel, result=type(result).__name__).inc()
        if isinstance(result, Sent):
            seconds = (self.clock() - leased.created_at).total_seconds()
            self.counts.delivery_seconds.labels(channel=self.adapter.channel).observe(seconds)

    async def _send(self, leased: Leased) -> tuple[SendResult, int]:
        """Send one row, or the next part of a long one; gives the number of its parts with the result."""
        if leased.kind is OutboxKind.ACKNOWLEDGE:
            return await self.adapter.acknowledge(leased.payload["reference"]), 1
        if leased.kind is OutboxKind.KNOCK:
            return await cast("KnockingAdapter", self.adapter).knock(
                leased.address.thread, leased.payload["language"]
            ), 1
        wire = render(Outbound.from_json(leased.payload), self.adapter.capabilities)
        number, *_ = leased.left(len(wire))
        part = replace(wire[number], key=leased.key(number), reply_code=leased.reply_code)
        return await self.adapter.send(leased.address.thread, part), len(wire)

    async def _settle(self, connection: Write, leased: Leased, result: SendResult, *, parts: int) -> None:
        """Decide, in this one place, what a result leads to."""
        now = self.clock()
        if isinstance(result, RetryAfter) and leased.attempts < ATTEMPTS_AT_MOST:
            await self._put_off(connection, leased, result, now=now)
            return
        if isinstance(result, TooLong) and await halve(connection, leased, self.adapter.capabilities, now=now):
            return
        sent_ids = _named(leased, result, parts) if isinstance(result, Sent) else list(leased.platform_ids)
        if isinstance(result, Sent) and _goes_on(leased, parts):
            # The rest goes as soon as the chat's pace allows.
            await outbox.part_sent(connection, leased.id, platform_ids=sent_ids)
            await outbox.postpone(connection, leased.id, until=now, error="")
            return
        status = _ENDINGS.get(type(result), OutboxStatus.NEEDS_PERSON)
        reason = getattr(result, "reason", None)
        if isinstance(result, WindowClosed | QuotaExhausted) and leased.kind is OutboxKind.MESSAGE:
            await self._believe(connection, leased, result, now=now)
            await self._park(connection, leased, status, now=now)
        else:
            await outbox.finish(connection, leased.id, status=status, error=reason, platform_ids=sent_ids, now=now)
        if not isinstance(result, Sent):
            log.warning("delivery_refused", outbox=leased.id, result=status.value, reason=reason)
        if isinstance(result, Blocked) and leased.kind is OutboxKind.MESSAGE:
            # The engine alone changes a conversation: it hears of it as of everything else.
            await inbox.receive(
                connection,
                channel="sportello",
                account="sportello",
                event_key=f"blocked:{leased.id}",
                conversation_id=leased.conversation_id,
                payload={"kind": "left"},
                now=now,
            )

    async def _park(self, connection: Write, leased: Leased, status: OutboxStatus, *, now: datetime) -> None:
        """Keep a message until the resident writes, and ask for that once, where the platform lets us."""
        waits = await outbox.park(connection, leased.id, status=status, error=None, now=now)
        if not waits or status is not OutboxStatus.WINDOW_CLOSED or not self.adapter.capabilities.knocks:
            return
        window = await budgets.of(connection, leased.conversation_id)
        if await outbox.knocked(connection, leased.conversation_id, since=None if window is None else window.until):
            return
        await outbox.queue(
            connection,
            conversation_id=leased.conversation_id,
            address=leased.address,
            kind=OutboxKind.KNOCK,
            priority=leased.priority,
            payload={"language": leased.payload["language"]},
            seq=None,
            now=now,
        )

    async def _believe(
        self, connection: Write, leased: Leased, result: WindowClosed | QuotaExhausted, *, now: datetime
    ) -> None:
        """Set our count of the chat's window to what the platform says."""
        if isinstance(result, WindowClosed):
            await budgets.close(connection, leased.conversation_id, now=now)
        else:
            await budgets.exhaust(connection, leased.conversation_id)

    async def _put_off(self, connection: Write, leased: Leased, result: RetryAfter, *, now: datetime) -> None:
        until = now + max(result.delay, self._backed_off(leased, result))
        if leased.kind is OutboxKind.MESSAGE:
            await budgets.give_back(connection, leased.conversation_id, reply_code=leased.reply_code)
        if result.scope == "account":
            await pacing.pause_account(
                connection, channel=self.adapter.channel, account=self.adapter.account, until=until
            )
        elif result.scope == "chat":
            await pacing.pause_chat(connection, leased.conversation_id, until=until)
        await outbox.postpone(connection, leased.id, until=until, error=result.reason)
        log.info("delivery_put_off", outbox=leased.id, scope=result.scope, reason=result.reason)

    def _backed_off(self, leased: Leased, result: RetryAfter) -> timedelta:
        """Double the delay with every attempt, up to five minutes."""
        doublings = min(leased.attempts - 1, 10)
        longest: timedelta = min(result.delay * 2**doublings, LONGEST_DELAY)
        return longest


def _goes_on(leased: Leased, parts: int) -> bool:
    """Tell whether a message has parts left when this one was sent."""
    return leased.kind is OutboxKind.MESSAGE and len(leased.left(parts)) > 1


def _named(leased: Leased, result: Sent, parts: int) -> list[str | None]:
    """Give the platform's ids of a row's parts, with that of the one that was sent now."""
    number, *_ = leased.left(parts)
    return leased.named({number: result.id})


async def doubt(database: Database, now: datetime) -> int:
    """End the rows whose sender died while sending; gives their number."""
    async with database.begin() as connection:
        found = await outbox.doubt_expired(connection, now=now)
    if found:
        log.warning("deliveries_in_doubt", count=found)
    return found
