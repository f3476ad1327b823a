"""Showing that an answer is being written: only where it takes long, within the platform's limits, at no cost."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from channels.adapter import Inbound, InboundKind, WireMessage
from channels.composing import typing_shown
from channels.counting import InboxCounts
from channels.receiving import Received
from channels.results import Sent
from channels.webhooks import Webhooks
from channels.wechat import WeChatAdapter
from store.database import Database
from tests.conftest import FakeClock
from tests.fakes.wechat_api import APP_ID, OPENID
from tests.fakes.wechat_platform import FakeWeChat

NOW = timedelta(0)
NEVER = timedelta(hours=1)


class Watched:
    """An adapter that tells when it was asked to show something."""

    def __init__(self, adapter: WeChatAdapter) -> None:
        self._adapter = adapter
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    async def show_typing(self, thread: str) -> None:
        try:
            await self._adapter.show_typing(thread)
        finally:
            self.asked.set()


def received(kind: InboundKind = InboundKind.TEXT, *, is_new: bool = True) -> Received:
    return Received(Inbound("wechat", APP_ID, "1", OPENID, OPENID, kind, "ciao"), UUID(int=1), is_new)


async def test_it_is_shown_while_an_answer_takes_long_and_costs_no_message(
    platform: FakeWeChat, adapter: WeChatAdapter
) -> None:
    platform.text("ciao")
    watched = Watched(adapter)
    async with typing_shown(watched, received(), after=NOW):
        await watched.asked.wait()
    assert platform.typing == [OPENID]
    assert platform.residents[OPENID].left == 5
    assert platform.read_by() == []


async def test_an_answer_in_time_a_repetition_and_a_goodbye_show_nothing(
    platform: FakeWeChat, adapter: WeChatAdapter
) -> None:
    for arrived, after in (
        (received(), NEVER),
        (received(is_new=False), NOW),
        (received(InboundKind.LEFT), NOW),
        (received(InboundKind.UNDELIVERED), NOW),
    ):
        async with typing_shown(adapter, arrived, after=after):
            pass
    async with typing_shown(object(), received(), after=NOW):
        pass
    assert platform.calls == []


async def test_the_platforms_limits_are_nobodys_trouble(
    platform: FakeWeChat, adapter: WeChatAdapter, clock: FakeClock
) -> None:
    await adapter.show_typing(OPENID)
    assert platform.typing == [], "nothing was said within thirty seconds"
    platform.text("ciao")
    await adapter.show_typing(OPENID)
    await adapter.show_typing(OPENID)
    assert platform.typing == [OPENID], "it is shown already"
    clock.advance(seconds=16)
    platform.lose_tokens()
    await adapter.show_typing(OPENID)
    assert platform.typing == [OPENID] * 2, "with a new token"
    assert await adapter.send(OPENID, WireMessage("ciao", key="1-0")) == Sent("1-0")
    await adapter.show_typing(OPENID)
    assert platform.typing == [OPENID] * 3, "a message ends it"
    platform.answer_next("<html>bad gateway</html>", status=502)
    await adapter.show_typing(OPENID)


class Broken:
    async def show_typing(self, _thread: str) -> None:
        raise RuntimeError


async def test_whatever_goes_wrong_the_answer_comes() -> None:
    async with typing_shown(Broken(), received(), after=NOW):
        await asyncio.sleep(0)
    with pytest.raises(KeyError):
        async with typing_shown(Broken(), received(), after=NEVER):
            raise KeyError


class Slow:
    """Stands for the wait for a first reply: it is there once something was shown."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def first(self, *_: object, **__: object) -> WireMessage:
        await self._watched.asked.wait()
        return WireMessage("eccomi")


async def test_a_request_that_waits_for_its_reply_shows_it(
    platform: FakeWeChat, adapter: WeChatAdapter, database: Database, clock: FakeClock, new_id: Callable[[], UUID]
) -> None:
    watched: Any = Watched(adapter)
    slow: Any = Slow(watched)
    counts = InboxCounts.on(CollectorRegistry())
    webhooks = Webhooks(database, slow, clock=clock, new_id=new_id, counts=counts, typing_after=NOW)
    query, body = platform.request(platform.text("ciao"))
    address = {"type": "http", "method": "POST", "headers": [], "path": "/webhooks/wechat"}
    query_string = "&".join(f"{name}={value}" for name, value in query.items()).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    answer = await webhooks.receive(watched, Request(address | {"query_string": query_string}, receive))
    assert platform.opened(bytes(answer.body).decode())["Content"] == "eccomi"
    assert platform.typing == [OPENID]
