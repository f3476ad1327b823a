"""What a platform finds too long, whatever we counted: cut once more, into parts of half the length."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from channels.adapter import Capabilities, Outbound
from channels.rendering import render
from store import budgets, rewriting
from store.database import Write
from store.outbox import OutboxKind
from store.pacing import Leased

log = structlog.get_logger(__name__)

REASON: Final = "too long for the platform, sent in smaller parts"


async def halve(connection: Write, leased: Leased, can: Capabilities, *, now: datetime) -> bool:
    """Queue a message once more, in smaller parts; False where it was so before, or smaller parts would change nothing.

    What arrived of it stays as it was. Nor where a part after the refused one arrived, as may be where the platform
    could not deliver an earlier one: cut elsewhere, the others would leave something out or say it twice.
    """
    if leased.kind is not OutboxKind.MESSAGE:
        return False
    # What was refused is none of the messages that the platform counts.
    await budgets.give_back(connection, leased.conversation_id, reply_code=leased.reply_code)
    whole = Outbound.from_json(leased.payload)
    wire = render(whole, can)
    refused, *_ = leased.left(len(wire))
    if whole.halved_from is not None or any(leased.platform_ids[refused + 1 :]):
        return False
    halved = replace(whole, halved_from=refused)
    if render(halved, can)[refused] == wire[refused]:
        return False
    payload = halved.to_json()
    if not await rewriting.halve(connection, leased, halved_from=refused, payload=payload, error=REASON, now=now):
        return False
    log.warning("delivery_halved", outbox=leased.id)
    return True
