"""Streams of server-sent events: a busy topic and a quiet one alike give signs of life."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from starlette.requests import Request

from store.notify import Topic
from web import live
from web.live import Hub, LiveEvent, stream


def request() -> Request:
    """Make a request whose reader never goes."""

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    return Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)


async def test_what_passes_is_told_before_the_rows_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 60)
    hub = Hub()
    turns = 0

    async def news() -> Sequence[LiveEvent]:
        nonlocal turns
        turns += 1
        if turns == 1:
            hub.heard(Topic.TYPING, "mine")
            hub.heard(Topic.TYPING, "another's")
        if turns == 3:
            hub.close()
        if turns == 2:
            hub.heard(Topic.CONVERSATION, "mine")
        return [LiveEvent("message", str(turns))]

    passing = (Topic.TYPING, LiveEvent("typing", "10"))
    answer = stream(request(), hub, Topic.CONVERSATION, "mine", news, passing=passing)
    async with asyncio.timeout(10):
        told = "".join([str(bytes(chunk), "utf-8") async for chunk in answer.body_iterator])  # type: ignore[arg-type]
    assert re.findall(r"event: (\w+)\ndata: (\w+)", told) == [
        ("message", "1"),
        ("typing", "10"),
        ("message", "2"),
        ("message", "3"),
    ]


async def test_a_busy_topic_does_not_make_its_reader_look_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    # Shortened, because a test does not wait for a quarter of a minute.
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.02)
    hub = Hub()
    signs = 0

    async def alive() -> bool:
        nonlocal signs
        signs += 1
        if signs == 3:
            hub.close()
        return True

    async def news() -> Sequence[LiveEvent]:
        hub.heard(Topic.QUEUE)
        return [LiveEvent("queue", "<p></p>")]

    answer = stream(request(), hub, Topic.QUEUE, "", news, may_read=alive)
    async with asyncio.timeout(10):
        chunks = [chunk async for chunk in answer.body_iterator]
    assert signs == 3
    assert len(chunks) > 6
