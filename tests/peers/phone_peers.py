"""The fake phone under openapi-core, which we did not write: each of its calls, and each answer that it takes for good.

A description is what they are held to, and that one is ours: no phone and no app of anybody's takes part.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.staff import Role
from tests.fakes.phone import FakePhone
from tests.peers.conftest import OthersPython, told
from tests.sportello import test_phone_day
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import TOKEN, phone_web
from tests.sportello.test_desk import sign_in

PHONE = "/gateways/phone"


@dataclass
class Judged(httpx.AsyncBaseTransport):
    """Lets through what fits the description, there and back. `seen`: what was called, and the status."""

    through: httpx.AsyncBaseTransport
    process: asyncio.subprocess.Process
    seen: set[tuple[str, str, int]] = field(default_factory=set)
    calls: int = 0
    one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode()
        asked = {
            "method": request.method,
            "url": str(request.url),
            "headers": list(request.headers.items()),
            "body": body,
        }
        await self._judge(asked)
        response = await self.through.handle_async_request(request)
        answer = {"status": response.status_code, "headers": list(response.headers.items())}
        await self._judge(asked | {"answer": answer | {"body": (await response.aread()).decode()}})
        path = re.sub(r"/\d+/", "/{outbox_id}/", request.url.path)
        self.seen.add((request.method.lower(), path, response.status_code))
        self.calls += 1
        return response

    async def _judge(self, call: dict[str, Any]) -> None:
        # A phone polls and gets messages at once: a line, then its answer.
        async with self.one:
            wrong = (await told(self.process, call))["wrong"]
        assert wrong is None, f"{call['method']} {call['url']}: {wrong}"


@dataclass
class Judging:
    """A phone whose calls are judged, and what it is held to."""

    web: httpx.AsyncClient
    judge: Judged
    described: dict[str, Any]

    def phone(self, answers: httpx.AsyncBaseTransport | None = None) -> FakePhone:
        """Give the phone; `answers` is what does so in place of the program."""
        self.judge.through = answers or self.judge.through
        return FakePhone(httpx.AsyncClient(transport=self.judge, base_url=self.web.base_url), TOKEN)


@asynccontextmanager
async def judging(others: OthersPython, desk: Desk, folder: Path, **settings: Any) -> AsyncIterator[Judging]:
    async with phone_web(desk, folder, **settings) as web:
        described = (await web.get(f"{PHONE}/openapi.json")).json()
        file = folder / "described.json"
        file.write_text(json.dumps(described), encoding="utf-8")
        async with others.talking("phone_judge.py", str(file)) as process:
            yield Judging(web, Judged(web._transport, process), described)


async def test_a_day_of_the_fake_phone_is_made_of_calls_that_are_described(
    others: OthersPython, desk: Desk, tmp_path: Path
) -> None:
    async with judging(others, desk, tmp_path, relay_apps="imo,whatsapp") as judged, desk.browser() as browser:
        await desk.staff("anna", Role.MEDIATOR)
        await sign_in(browser, "anna")
        await test_phone_day.test_a_day(test_phone_day.Day(desk, judged.phone(), browser))
        whole = {(method, path, 200) for path, methods in judged.described["paths"].items() for method in methods}
        assert judged.judge.seen == whole
        assert judged.judge.calls > 500


Act = Callable[[FakePhone], Awaitable[Any]]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda phone: phone.arrives("ciao", mood="glad"), "'mood' was unexpected"),
        (lambda phone: phone.arrives("ciao", isGroup="perhaps"), "'perhaps' is not of type 'boolean'"),
        (lambda phone: phone.arrives(7), "7 is not of type 'string'"),
        (lambda phone: phone.arrives("ciao", package=""), "'' should be non-empty"),
        (lambda phone: phone.fetches(wait=26), "26.0 is greater than the maximum of 25"),
        (lambda phone: phone.says(0, "done"), "0 is less than the minimum of 1"),
        (lambda phone: phone.says(1, "perhaps"), "'perhaps' is not one of ['done', 'failed']"),
        (lambda phone: phone.client.get(f"{PHONE}/heartbeat", headers=phone.headers), "Operation get not found"),
        (lambda phone: phone.client.post(f"{PHONE}/beat", headers=phone.headers), "Path not found"),
        (lambda phone: phone.client.post(f"{PHONE}/heartbeat"), "Security not found"),
        (lambda phone: phone.client.get(f"{PHONE}/outbox?until=1", headers=phone.headers), "['until']"),
        (lambda phone: phone.client.post(f"{PHONE}/heartbeat", headers=phone.headers, json={}), "none is described"),
    ],
)
async def test_a_call_that_is_not_described_is_told(
    others: OthersPython, desk: Desk, tmp_path: Path, act: Act, said: str
) -> None:
    async with judging(others, desk, tmp_path) as judged:
        with pytest.raises(AssertionError) as raised:
            await act(judged.phone())
        assert said in str(raised.value)
        assert judged.judge.calls == 0, "it does not reach the program"


@pytest.mark.parametrize(
    ("act", "answer", "said"),
    [
        (lambda phone: phone.arrives("ciao"), {"replies": [{"message": 7}]}, "7 is not of type 'string'"),
        (lambda phone: phone.arrives("ciao"), {"replies": [{"message": "a", "to": "b"}]}, "'to' was unexpected"),
        (lambda phone: phone.fetches(), {"messages": [{"id": 1}]}, "'texts' is a required property"),
        (lambda phone: phone.says(1, "done"), {"stands": "sent"}, "'stands' was unexpected"),
        (lambda phone: phone.beats(), {"ok": False, "device": "a", "now": "2026-11-23T09:00:00Z"}, "True was expected"),
    ],
)
async def test_an_answer_that_the_fake_phone_takes_for_good_and_is_not_described_is_told(
    others: OthersPython, desk: Desk, tmp_path: Path, act: Act, answer: Any, said: str
) -> None:
    program = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    await act(FakePhone(httpx.AsyncClient(transport=program, base_url="http://127.0.0.1"), TOKEN))
    async with judging(others, desk, tmp_path) as judged:
        with pytest.raises(AssertionError) as raised:
            await act(judged.phone(program))
        assert said in str(raised.value)
