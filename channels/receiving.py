"""Taking in what a platform sent: stored once, or set aside, and never lost for a reason inside the message."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from channels.adapter import Adapter, BadPayloadError, Inbound
from channels.counting import InboxCounts
from store import conversations, inbox, outbox
from store.conversations import Address
from store.database import Database, Write
from store.outbox import OutboxKind, Priority


async def receive(connection: Write, inbound: Inbound, *, new_id: UUID, now: datetime) -> bool:
    """Store one thing that came in; False where it was stored before.

    A tap also gets its acknowledgement queued, which goes out before any turn.
    """
    address = Address(inbound.channel, inbound.account, inbound.thread)
    conversation_id = await conversations.find_or_add(
        connection,
        new_id=new_id,
        address=address,
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
        now=now,
    )
    if is_new and inbound.acknowledge is not None:
        await outbox.queue(
            connection,
            conversation_id=conversation_id,
            address=address,
            kind=OutboxKind.ACKNOWLEDGE,
            priority=Priority.ACKNOWLEDGE,
            payload={"reference": inbound.acknowledge},
            seq=None,
            now=now,
        )
    return is_new


async def take_in(
    database: Database,
    adapter: Adapter,
    payload: Any,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], UUID],
    counts: InboxCounts,
) -> None:
    """Store a payload in one transaction, or set it aside where the adapter cannot read it.

    Raises only what the database raises: then the platform is to send it again.
    """
    now = clock()
    async with database.begin() as connection:
        try:
            arrived = adapter.parse(payload)
        except BadPayloadError as error:
            added = await inbox.set_aside(
                connection,
                channel=adapter.channel,
                account=adapter.account,
                event_key=adapter.event_key(payload),
                raw=raw(payload),
                error=str(error),
                now=now,
            )
            if added:
                counts.set_aside.labels(channel=adapter.channel).inc()
            return
        new = [await receive(connection, inbound, new_id=new_id(), now=now) for inbound in arrived]
    for inbound, is_new in zip(arrived, new, strict=True):
        if is_new:
            counts.received.labels(channel=adapter.channel, kind=inbound.kind.value).inc()
        else:
            counts.repeated.labels(channel=adapter.channel).inc()


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
