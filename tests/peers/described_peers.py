"""The phone gateway and the bridge, used by a client of others that was told nothing but their descriptions.

That is openapi-client-axios. What it sends and what it is answered is held to the description by ajv.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.phone import BODY_MAX, CHANNEL, PhoneDevice
from sportello.app import create_app
from store.conversations import Author
from store.notify import Topic
from tests.channels.bridge_peer import SECRET, message
from tests.conftest import FakeClock
from tests.fakes.phone import notification
from tests.fakes.servers import serving
from tests.peers.conftest import Node, told
from tests.sportello import conftest as sportello
from tests.sportello import test_bridge
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import TOKEN, mediator_writes, phone_web, rows, statuses

bridged = sportello.bridged
PHONE, BRIDGE = "/gateways/phone", "/bridge"


@dataclass
class Client:
    """The program of others. `seen`: which answers it got; only what fits the description is believed."""

    process: asyncio.subprocess.Process
    described: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, str, int]] = field(default_factory=set)

    async def does(self, method: str, path: str, body: Any = None, *, fits: bool = True, **how: Any) -> tuple[int, Any]:
        """Call an operation; `fits` says whether the body is what the description asks for."""
        asked = {"method": method, "path": path, "headers": self.headers} | how
        answer = await told(self.process, asked if body is None else asked | {"body": body})
        assert answer["answered"] is None, (method, path, answer)
        assert (answer["sent"] is None) is fits, (method, path, answer)
        self.seen.add((path, method, answer["status"]))
        return answer["status"], answer["data"]

    def unseen(self) -> set[tuple[str, str, int]]:
        """Give the answers that are described and never came, but for 503: no database is taken away here."""
        whole = {
            (path, method, int(status))
            for path, methods in self.described["paths"].items()
            for method, operation in methods.items()
            for status in operation["responses"]
        }
        return {each for each in whole - self.seen if each[2] != 503}


@asynccontextmanager
async def client(node: Node, desk: Desk, path: str, *secrets: str) -> AsyncIterator[Client]:
    app = create_app(desk.program)
    async with serving(app) as ours, desk.browser() as browser:
        described = (await browser.get(path)).json()
        async with node.talking("described.js", ours + path, *secrets) as process:
            yield Client(process, described)


async def answering(desk: Desk, doing: "asyncio.Future[tuple[int, Any]]") -> tuple[int, Any]:
    """Take turns until a call is answered."""
    while not doing.done():
        if await desk.turns():
            desk.program.hub.heard(Topic.CONVERSATION, "")
        await asyncio.sleep(0.01)
    return doing.result()


async def test_a_phone_made_of_the_description(node: Node, desk: Desk, tmp_path: Path) -> None:
    async with phone_web(desk, tmp_path), client(node, desk, f"{PHONE}/openapi.json") as phone:
        messages, outbox, beat = f"{PHONE}/messages", f"{PHONE}/outbox", f"{PHONE}/heartbeat"
        ack = f"{PHONE}/outbox/{{outbox_id}}/ack"
        every = [("post", messages, notification("ciao")), ("get", outbox, None), ("post", beat, None)]
        for headers in ({}, {"X-Device-Token": TOKEN.upper()}):
            phone.headers = headers
            for method, path, body in every:
                assert (await phone.does(method, path, body))[0] == 401, path
            given = await phone.does("post", ack, {"status": "done"}, parameters={"outbox_id": 1})
            assert given[0] == 401
        assert await statuses(desk) == []
        phone.headers = {"X-Device-Token": TOKEN}
        status, said = await phone.does("post", beat)
        assert (status, said["ok"], said["device"]) == (200, True, "via-roma")
        # A message, and what is said to it with the answer.
        asking = asyncio.ensure_future(phone.does("post", messages, notification("guardia medica")))
        status, said = await answering(desk, asking)
        assert status == 200
        assert "116117" in " ".join(reply["message"] for reply in said["replies"])
        status, said = await phone.does("post", messages, notification("ciao", isTestMessage=True))
        assert (status, len(said["replies"])) == (200, 1)
        # What a mediator writes meanwhile ends a poll that waits.
        polling = asyncio.ensure_future(phone.does("get", outbox, parameters={"wait": 25, "most": 10}))
        while not desk.program.hub._waiting:  # noqa: ASYNC110 - until the poll waits
            await asyncio.sleep(0.01)
        await mediator_writes(desk, "eccomi")
        desk.program.hub.heard(Topic.OUTBOX, CHANNEL)
        status, said = await polling
        (handed,) = said["messages"]
        assert (status, handed["texts"], handed["recipient"], handed["by_person"]) == (
            200,
            ["eccomi"],
            "Ali Khan",
            True,
        )
        assert (await phone.does("get", outbox, parameters={"wait": 0})) == (200, {"messages": []})
        for ending in ("done", "failed"):
            given = await phone.does("post", ack, {"status": ending}, parameters={"outbox_id": handed["id"]})
            assert given == (200, {"status": "sent"})
        assert set(await statuses(desk)) == {"sent"}
        await _refused(phone, messages, ack, outbox)
        assert [row.author for row in await rows(desk)].count(Author.RESIDENT) == 1
        assert phone.unseen() == set()


async def _refused(phone: Client, messages: str, ack: str, outbox: str) -> None:
    """Let a phone that is known send what cannot be read."""
    incomplete = {"messengerPackageName": "x", "query": {"sender": "Ali"}}
    no_notifications: list[Any] = ["{", '"text"', "[]", {"query": {}}, incomplete]
    for body in no_notifications:
        assert await phone.does("post", messages, body, fits=False) == (400, {"replies": []}), body
    long = notification("a" * BODY_MAX)
    assert await phone.does("post", messages, long, fits=False) == (413, {"replies": []})
    known = {"outbox_id": 1}
    no_endings: list[Any] = ["{", {"status": "perhaps"}, {}]
    for body in no_endings:
        assert (await phone.does("post", ack, body, fits=False, parameters=known))[0] == 400, body
    assert (await phone.does("post", ack, " " * (BODY_MAX + 1), fits=False, parameters=known))[0] == 413
    for number, status in ((999_999, 404), (0, 422), ("x", 422), (2**64, 422)):
        given = await phone.does("post", ack, {"status": "done"}, parameters={"outbox_id": number})
        assert given[0] == status, number
    for query in ({"wait": 26}, {"wait": -1}, {"most": 11}, {"most": "all"}):
        assert (await phone.does("get", outbox, parameters=query))[0] == 422, query


async def test_a_phone_whose_answer_is_late_fetches_it(
    node: Node, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(PhoneDevice.capabilities, passive=timedelta())
    monkeypatch.setattr(PhoneDevice, "capabilities", impatient)
    async with phone_web(desk, tmp_path), client(node, desk, f"{PHONE}/openapi.json") as phone:
        phone.headers = {"X-Device-Token": TOKEN}
        given = await phone.does("post", f"{PHONE}/messages", notification("guardia medica"))
        assert given == (200, {"replies": []})
        await desk.turns()
        _, said = await phone.does("get", f"{PHONE}/outbox", parameters={"wait": 0})
        (handed,) = said["messages"]
        assert "116117" in handed["text"]
        assert len(handed["texts"]) > 1
        assert all(len(text) <= 500 for text in handed["texts"])


async def test_a_bridge_made_of_the_description(node: Node, bridged: Desk, clock: FakeClock) -> None:
    desk = bridged
    # The client's clock is the machine's, as a bridge's is.
    clock.now = datetime.now(UTC)
    messages, outbox = f"{BRIDGE}/messages", f"{BRIDGE}/outbox"
    ack = f"{BRIDGE}/outbox/{{outbox_id}}/ack"
    async with client(node, desk, f"{BRIDGE}/openapi.json", SECRET) as bridge:
        for stored in (True, False):
            given = await bridge.does("post", messages, message("guardia medica", language="it"))
            assert given == (200, {"id": "1", "stored": stored})
        await desk.turns()
        status, said = await bridge.does("get", outbox, parameters={"wait": 0, "most": 10})
        (handed,) = said["messages"]
        assert (status, handed["thread"], handed["recipient"], handed["language"]) == (200, "77", "Ali", "it")
        assert "116117" in " ".join(handed["texts"])
        for ending in ("done", "failed"):
            given = await bridge.does("post", ack, {"status": ending}, parameters={"outbox_id": handed["id"]})
            assert given == (200, {"status": "sent"})
        choice = handed["choices"][0]
        picked = {"id": "2", "thread": "77", "kind": "choice", "choice": choice["id"]}
        assert (await bridge.does("post", messages, picked))[0] == 200
        await desk.turns()
        assert (await test_bridge.rows(desk))[2].body["pick"] == choice["label"]
        wrong: list[Any] = ["{", [], {"id": "3"}, message("ciao", kind="later"), message("ciao", other=1)]
        for body in wrong:
            assert (await bridge.does("post", messages, body, fits=False))[0] == 422, body
        for number, status in ((999_999, 404), (0, 422), ("x", 422)):
            given = await bridge.does("post", ack, {"status": "done"}, parameters={"outbox_id": number})
            assert given[0] == status, number
        assert (await bridge.does("post", ack, {"status": "perhaps"}, fits=False, parameters={"outbox_id": 1}))[
            0
        ] == 422
        assert (await bridge.does("get", outbox, parameters={"wait": 26}))[0] == 422
        await _not_believed(bridge, messages, ack, outbox)
        assert bridge.unseen() == set()
    assert (await desk.inbox_counts())["done"] == 2


async def _not_believed(bridge: Client, messages: str, ack: str, outbox: str) -> None:
    """Let requests come that the bridge did not sign so, that are too large, or that came before."""
    long = " " * (64 * 1024 + 1)
    assert (await bridge.does("post", messages, long, fits=False))[0] == 413
    assert (await bridge.does("post", ack, long, fits=False, parameters={"outbox_id": 1}))[0] == 413
    assert (await bridge.does("get", outbox, long, fits=False))[0] == 413
    bridge.headers = {"X-Sportello-Time": f"{datetime.now(UTC).timestamp():.6f}"}
    asked = [await bridge.does("get", outbox, parameters={"wait": 0}) for _ in range(2)]
    assert [status for status, _ in asked] == [200, 409]
    # Set by hand, the client's signature does not take their place.
    bridge.headers = {"X-Sportello-Time": "1", "X-Sportello-Signature": "sha256=00"}
    assert (await bridge.does("post", messages, message("ciao", event=9)))[0] == 401
    assert (await bridge.does("get", outbox, parameters={"wait": 0}))[0] == 401
    assert (await bridge.does("post", ack, {"status": "done"}, parameters={"outbox_id": 1}))[0] == 401
