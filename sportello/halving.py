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

    Nor where some of its parts arrived: cut elsewhere, the others would leave something out or say it twice.
    """
    if leased.kind is not OutboxKind.MESSAGE or leased.platform_ids or leased.parts_sent:
        return False
    whole = Outbound.from_json(leased.payload)
    halved = replace(whole, halved=True)
    if whole.halved or len(render(halved, can)) == len(render(whole, can)):
        return False
    if not await rewriting.halve(connection, leased.id, payload=halved.to_json(), error=REASON, now=now):
        return False
    await budgets.give_back(connection, leased.conversation_id, reply_code=leased.reply_code)
    log.warning("delivery_halved", outbox=leased.id)
    return True
