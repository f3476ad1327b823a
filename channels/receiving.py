"""Taking in what a platform sent: stored once, or set aside, and never lost for a reason inside the message."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from channels.adapter import BadPayloadError, Capabilities, Inbound, InboundKind, Source, Window
from channels.counting import InboxCounts
from channels.payloads import PartlyReadError
from store import budgets, conversations, health, inbox, outbox, pacing
from store.conversations import Address
from store.database import Database, Write
from store.outbox import OutboxKind, OutboxStatus, Priority
from store.receiving import receive_from_known

# The parts of an album come one after the other: so long the first waits for the others.
ALBUM_RESTS: Final = timedelta(seconds=1.5)
# What a platform counts as a tap or a scan and not as a message.
_TAPS = frozenset({InboundKind.CHOICE, InboundKind.PICK, InboundKind.START, InboundKind.RETURNED})
# What opens no window: the resident did nothing that lets us write.
_SILENT = frozenset({InboundKind.OPENED, InboundKind.LEFT, InboundKind.GROUP, InboundKind.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that came in, with its conversation; `is_new` is false where it was stored before."""

    inbound: Inbound
    conversation_id: UUID
    is_new: bool


async def receive(connection: Write, inbound: Inbound, *, new_id: UUID, now: datetime) -> Received:
    """Store one thing that came in, unless it was stored before.

    A tap also gets its acknowledgement queued, which goes out before any turn.
    """
    received = await _from_known(connection, inbound, now=now) or await _from_new(
        connection, inbound, new_id=new_id, now=now
    )
    if received.is_new and inbound.acknowledge is not None:
        await outbox.queue(
            connection,
            conversation_id=received.conversation_id,
            address=_address(inbound),
            kind=OutboxKind.ACKNOWLEDGE,
            priority=Priority.ACKNOWLEDGE,
            payload={"reference": inbound.acknowledge},
            seq=None,
            now=now,
        )
    return received


async def _from_known(connection: Write, inbound: Inbound, *, now: datetime) -> Received | None:
    """Store what came in where its conversation is there; None where it is not. One statement."""
    found = await receive_from_known(
        connection,
        _address(inbound),
        event_key=inbound.event_key,
        payload=storable(inbound.to_json()),
        not_before=_not_before(inbound, now),
        now=now,
    )
    return None if found is None else Received(inbound, *found)


async def _from_new(connection: Write, inbound: Inbound, *, new_id: UUID, now: datetime) -> Received:
    conversation_id = await conversations.find_or_add(
        connection,
        new_id=new_id,
        address=_address(inbound),
        user_ref=inbound.user_ref,
        language_hint=inbound.language_hint,
        now=now,
    )
    is_new = await inbox.receive(
        connection,
        channel=inbound.channel,
        account=inbound.account,
        event_key=inbound.event_key,
        conversation_id=conversation_id,
        payload=storable(inbound.to_json()),
        not_before=_not_before(inbound, now),
        now=now,
    )
    return Received(inbound, conversation_id, is_new)


def _address(inbound: Inbound) -> Address:
    return Address(inbound.channel, inbound.account, inbound.thread)


def _not_before(inbound: Inbound, now: datetime) -> datetime:
    return now if inbound.album is None else now + ALBUM_RESTS


async def take_in(
    database: Database,
    adapter: Source,
    payload: Any,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> list[Received]:
    """Store a payload in one transaction, or set it aside where the adapter cannot read it.

    Raises only what the database raises: then the platform is to send it again.
    """
    now = clock()
    try:
        arrived = adapter.parse(payload)
    except BadPayloadError as error:
        async with database.begin() as connection:
            received = await _set_aside(connection, adapter, payload, error, now=now, new_id=new_id, counts=counts)
        count(received, counts)
        return received
    found = await _alone(database, adapter, arrived, now=now)
    if found is None:
        async with database.begin() as connection:
            found = await keep(connection, adapter, arrived, now=now, new_id=new_id)
    count(found, counts)
    return found


async def _alone(
    database: Database, adapter: Source, arrived: Sequence[Inbound], *, now: datetime
) -> list[Received] | None:
    """Store one message of a known chat, where nothing else follows from it: one statement needs no transaction.

    None where it takes more than that.
    """
    can = adapter.capabilities
    if len(arrived) != 1 or arrived[0].acknowledge is not None or arrived[0].kind in _SILENT:
        return None
    if can.passive is not None or _window(arrived[0], can) is not None:
        return None
    async with database.at_once() as connection:
        received = await _from_known(connection, arrived[0], now=now)
        if received is None:
            return None
        await health.came_in(connection, channel=adapter.channel, account=adapter.account, now=now)
    return [received]


def count(received: Sequence[Received], counts: InboxCounts) -> None:
    """Count what was stored, once it is committed."""
    for each in received:
        channel = each.inbound.channel
        counted = counts.received.labels(channel=channel, kind=each.inbound.kind.value)
        (counted if each.is_new else counts.repeated.labels(channel=channel)).inc()


async def store(
    connection: Write,
    adapter: Source,
    payload: Any,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> list[Received]:
    """Store a payload, or set it aside where the adapter cannot read it."""
    try:
        arrived = adapter.parse(payload)
    except BadPayloadError as error:
        return await _set_aside(connection, adapter, payload, error, now=now, new_id=new_id, counts=counts)
    return await keep(connection, adapter, arrived, now=now, new_id=new_id)


async def _set_aside(
    connection: Write,
    adapter: Source,
    payload: Any,
    error: BadPayloadError,
    *,
    now: datetime,
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> list[Received]:
    """Set aside what cannot be read of a payload, and store what can."""
    read, rest = (error.read, error.rest) if isinstance(error, PartlyReadError) else ((), payload)
    added = await inbox.set_aside(
        connection,
        channel=adapter.channel,
        account=adapter.account,
        event_key=adapter.event_key(rest),
        raw=raw(rest),
        error=str(error),
        now=now,
    )
    if added:
        counts.set_aside.labels(channel=adapter.channel).inc()
    return await keep(connection, adapter, read, now=now, new_id=new_id)


async def keep(
    connection: Write, adapter: Source, arrived: Sequence[Inbound], *, now: datetime, new_id: Callable[[], UUID]
) -> list[Received]:
    """Store what was parsed, with all that follows for its chat and its channel."""
    received = [
        await receive(connection, inbound, new_id=new_id(), now=now)
        for inbound in arrived
        if await _concerns_anybody(connection, inbound)
    ]
    for each in received:
        if each.is_new:
            await _open_window(connection, each, adapter.capabilities, now=now)
    if received:
        await health.came_in(connection, channel=adapter.channel, account=adapter.account, now=now)
    return received


async def _concerns_anybody(connection: Write, inbound: Inbound) -> bool:
    """Tell whether something is of a chat that is there, or may begin one: what failed of one that was deleted is none.

    Its number would be kept anew, by nothing that the resident did.
    """
    if inbound.kind is not InboundKind.UNDELIVERED:
        return True
    return await conversations.find(connection, _address(inbound)) is not None


async def _open_window(connection: Write, received: Received, can: Capabilities, *, now: datetime) -> None:
    """Remember what the platform lets us write now, send what waited for it, and keep a slot for the first reply."""
    inbound, conversation_id = received.inbound, received.conversation_id
    if inbound.kind in _SILENT:
        await _believe(connection, received, can, now=now)
        return
    window = _window(inbound, can)
    if window is not None:
        # What is fetched late was done before: the platform counts from then on.
        since = min(inbound.sent_at or now, now)
        await budgets.renew(
            connection,
            conversation_id,
            messages=window.messages,
            until=since + window.lasts,
            reply_code=inbound.reply_code,
            now=now,
            since=since,
        )
        await outbox.resume(connection, conversation_id, now=now)
    if can.passive is not None:
        # Until then nothing else goes to this chat: the reply is to go with the platform's own request.
        await pacing.pause_chat(connection, conversation_id, until=now + can.passive)


def _window(inbound: Inbound, can: Capabilities) -> Window | None:
    return can.after_tap if inbound.kind in _TAPS else can.after_text


async def _believe(connection: Write, received: Received, can: Capabilities, *, now: datetime) -> None:
    """Set our count of a chat's window to what a platform says of a message that did not arrive.

    Here and not in a turn, so that what the resident did after it counts again. What concerns more than one resident
    is shown in the channel's health.
    """
    inbound = received.inbound
    if inbound.kind is not InboundKind.UNDELIVERED:
        return
    match inbound.payload:
        case OutboxStatus.QUOTA_EXHAUSTED:
            await budgets.exhaust(connection, received.conversation_id)
        case OutboxStatus.WINDOW_CLOSED:
            # Calls may overtake one another: what the resident did after the failure opened the window anew.
            failed_at, lasts = min(inbound.sent_at or now, now), can.after_text.lasts if can.after_text else timedelta()
            await budgets.close(connection, received.conversation_id, unless_after=failed_at + lasts, now=now)
        case OutboxStatus.QUEUED | OutboxStatus.NEEDS_PERSON:
            channel, account, reason = inbound.channel, inbound.account, inbound.text or "not delivered"
            await health.went_wrong(connection, channel=channel, account=account, reason=reason, now=now)


def storable(value: Any) -> Any:
    """Give JSON values that PostgreSQL can keep: without NUL and without lone surrogates."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    return value


def raw(payload: Any) -> dict[str, Any]:
    """Wrap any payload for keeping, every character that PostgreSQL refuses written as an escape."""
    return {"raw": json.dumps(payload, ensure_ascii=True, default=repr)}
