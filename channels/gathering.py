"""Several messages that wait for one chat, made into one where a platform counts messages."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from channels.adapter import Capabilities, Outbound
from channels.rendering import numbered, render
from store import companions, outbox
from store.companions import Companion
from store.database import Write
from store.outbox import Priority
from store.pacing import Leased


async def gathered(connection: Write, leased: Leased, can: Capabilities, *, now: datetime) -> Leased:
    """Give a leased row with what waits for the same chat in it, where the platform wants few messages.

    All that waits behind it from the same kind of author goes along. So does what another author said, as long as it
    fits into the same single message: a mediator's words take the bot's along, also those before them that rest because
    only messages for mediators are left, and never wait for them.
    """
    if not can.merges or leased.parts_sent:
        return leased
    later = await companions.behind(connection, leased)
    alike = list(itertools.takewhile(lambda row: row.priority == leased.priority, later))
    own = Companion(leased.id, leased.priority, leased.payload)
    rows = [own, *alike]
    for row in later[len(alike) :]:
        if not _in_one([*rows, row], can):
            break
        rows.append(row)
    if leased.priority is Priority.MEDIATOR:
        for row in await companions.resting(connection, leased):
            # Choices of then can be answered no more.
            if row.payload["choices"] or not _in_one([row, *rows], can):
                break
            rows.insert(0, row)
    if len(rows) == 1:
        return leased
    payload, priority = _together(rows).to_json(), min(row.priority for row in rows)
    others = [row.id for row in rows if row.id != leased.id]
    await outbox.fold(connection, leased.id, payload=payload, priority=priority, merged=others, now=now)
    return replace(leased, payload=payload, priority=priority)


def _in_one(rows: Sequence[Companion], can: Capabilities) -> bool:
    return len(render(_together(rows), can)) == 1


def _together(rows: Sequence[Companion]) -> Outbound:
    return merged([Outbound.from_json(row.payload) for row in rows])


def merged(messages: Sequence[Outbound]) -> Outbound:
    """Give one message that says what several said, in their order.

    Only the choices of the last one can be tapped; earlier ones stay readable as a list.
    """
    paragraphs: list[str] = []
    for message in messages[:-1]:
        paragraphs += message.paragraphs
        if message.choices:
            paragraphs.append(numbered(message.choices))
    last = messages[-1]
    # Of what is merged nothing arrived, so that all of it may be cut anew.
    halved_from = None if all(message.halved_from is None for message in messages) else 0
    return Outbound(last.language, (*paragraphs, *last.paragraphs), last.choices, halved_from)
