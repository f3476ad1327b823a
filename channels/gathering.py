"""Several messages that wait for one chat, made into one where a platform counts messages."""

from dataclasses import replace
from datetime import datetime

from channels.adapter import Capabilities, Outbound
from channels.rendering import numbered
from store import outbox, pacing
from store.database import Write
from store.pacing import Leased


async def gathered(connection: Write, leased: Leased, can: Capabilities, *, now: datetime) -> Leased:
    """Give a leased row with all that waits behind it in it, where the platform wants few messages."""
    if not can.merges or leased.parts_sent:
        return leased
    waiting = await pacing.companions(connection, leased)
    if not waiting:
        return leased
    messages = [Outbound.from_json(payload) for payload in (leased.payload, *(payload for _, payload in waiting))]
    payload = merged(messages).to_json()
    await outbox.fold(connection, leased.id, payload=payload, merged=[row for row, _ in waiting], now=now)
    return replace(leased, payload=payload)


def merged(messages: list[Outbound]) -> Outbound:
    """Give one message that says what several said, in their order.

    Only the choices of the last one can be tapped; earlier ones stay readable as a list.
    """
    paragraphs: list[str] = []
    for message in messages[:-1]:
        paragraphs += message.paragraphs
        if message.choices:
            paragraphs.append(numbered(message.choices))
    last = messages[-1]
    return Outbound(last.language, (*paragraphs, *last.paragraphs), last.choices)
