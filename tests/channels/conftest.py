"""Fixtures of the suite for all platforms."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from channels.adapter import Capabilities
from store.database import Database
from tests.channels.contract import Line, line
from tests.channels.peer import Peer, Trouble
from tests.channels.peers import PEERS
from tests.conftest import FakeClock


@pytest.fixture(params=PEERS, ids=lambda make: make().name)
def peer(request: pytest.FixtureRequest, clock: FakeClock) -> Peer:
    made: Peer = request.param()
    if hasattr(made, "clock"):
        # The platform signs times, or counts hours: its clock is the test's.
        made.clock = clock
    if request.node.callspec.params.get("trouble") is Trouble.TIME_OUT and hasattr(made, "read_seconds"):
        # What is waited for in vain; everything else has longer.
        made.read_seconds = 0.3
    return made


@pytest.fixture
async def wire(peer: Peer, database: Database, clock: FakeClock, new_id: Callable[[], UUID]) -> AsyncIterator[Line]:
    async with peer.connect() as adapter, line(peer, adapter, database, clock, new_id) as made:
        yield made


@pytest.fixture
async def can(peer: Peer) -> Capabilities:
    async with peer.connect() as adapter:
        return adapter.capabilities
