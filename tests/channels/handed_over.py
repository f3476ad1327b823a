"""The routes of those who fetch by themselves, for the suite: they have addresses of their own.

A request that nobody can read is set aside as everywhere, and told with 400 or 422 instead of 200: whoever wrote the
macro or the bridge can mend it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from bot.wording import Catalogue
from channels import bridge_gateway, phone_gateway
from channels.adapter import CalledSource
from channels.bridge import Bridge
from channels.bridge_gateway import BridgeGateway
from channels.counting import InboxCounts
from channels.handing_over import HandingOver
from channels.passive import PassiveReplies
from channels.phone import PhoneDevice
from channels.phone_gateway import PhoneGateway
from sportello.app import TEMPLATES
from store.database import Database
from tests.conftest import FakeClock
from web.live import Hub
from web.shell import Shell

PATHS: Final = {"phone": "/gateways/phone/messages", "bridge": "/bridge/messages"}
# So long who took a message may need to say how it ended.
LEASE: Final = timedelta(minutes=2)
UNREADABLE: Final = {"phone": 400, "bridge": 422}
CATALOGUE: Final = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "O", "service": "S"})


def handed_over_router(
    source: CalledSource, database: Database, clock: FakeClock, new_id: Callable[[], UUID], counts: InboxCounts
) -> APIRouter | None:
    """Make the routes of a phone or a bridge; None for a platform that is sent to."""
    hub = Hub()
    handing_over = HandingOver(database, hub, clock, LEASE)
    if isinstance(source, PhoneDevice):
        return phone_gateway.router(
            PhoneGateway(
                database=database,
                passive=PassiveReplies(database, hub, clock),
                handing_over=handing_over,
                clock=clock,
                new_id=new_id,
                counts=counts,
                catalogue=CATALOGUE,
                devices=[source],
                repeats_within=timedelta(seconds=20),
            )
        )
    if isinstance(source, Bridge):
        service = {"name": "S", "operator": "O", "contact": "", "chat_days": "1", "ticket_days": "30"}
        shell = Shell(CATALOGUE, TEMPLATES, service=service, new_id=new_id)
        return bridge_gateway.router(
            BridgeGateway(
                shell=shell,
                database=database,
                handing_over=handing_over,
                clock=clock,
                new_id=new_id,
                counts=counts,
                bridge=source,
            )
        )
    return None
