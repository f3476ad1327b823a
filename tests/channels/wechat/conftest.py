"""An Official Account's fake platform behind an address, and an adapter for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from channels.wechat import WeChatAdapter
from tests.channels.wechat_peer import adapter_of
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_platform import FakeWeChat


@pytest.fixture
def platform(clock: FakeClock) -> FakeWeChat:
    return FakeWeChat(clock=clock)


@pytest.fixture
def address(platform: FakeWeChat) -> Iterator[str]:
    with LoopbackServer(platform.app()) as server:
        yield server.url


@pytest.fixture
async def adapter(platform: FakeWeChat, address: str) -> AsyncIterator[WeChatAdapter]:
    made = adapter_of(platform, address)
    yield made
    await made.close()
