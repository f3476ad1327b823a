"""The fake server of customer service behind an address, and an adapter for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from channels.wecom import WecomAdapter
from tests.channels.wecom_peer import adapter_of
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wecom_api import FakeKf


@pytest.fixture
def api(clock: FakeClock) -> FakeKf:
    return FakeKf(clock=clock.timestamp)


@pytest.fixture
def address(api: FakeKf) -> Iterator[str]:
    with LoopbackServer(api.app()) as server:
        yield server.url


@pytest.fixture
async def adapter(address: str) -> AsyncIterator[WecomAdapter]:
    made = adapter_of(address)
    yield made
    await made.close()
