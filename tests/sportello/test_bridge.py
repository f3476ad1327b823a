"""The bridge over HTTP: signed or refused, stored once, handed over once, and described as it is."""

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from channels.adapter import BadPayloadError, InboundKind
from channels.bridge import Bridge
from channels.bridge_gateway import LEASE
from sportello.deliveries import doubt
from sportello.settings import Settings
from store import outbox
from store.conversations import Address, Author, Message, find, transcript
from store.notify import Topic
from tests.channels.bridge_peer import SECRET, message, post, signed
from tests.fakes.servers import serving
from tests.sportello.desk import Desk

BRIDGE = Bridge("bridge", SECRET)
SCRIPT = Path(__file__).with_name("bridge.sh")


async def fetched(desk: Desk, web: httpx.AsyncClient, *, most: int = 1) -> httpx.Response:
    target = f"/bridge/outbox?wait=0&most={most}"
    desk.clock.advance(milliseconds=1)
    call = signed(b"", at=desk.clock(), method="GET", target=target)
    return await web.get(target, headers=dict(call.headers))


async def acknowledged(desk: Desk, web: httpx.AsyncClient, number: int, body: Any) -> httpx.Response:
    target = f"/bridge/outbox/{number}/ack"
    call = signed(body, at=desk.clock(), target=target)
    return await web.post(target, content=call.body, headers=dict(call.headers))


async def rows(desk: Desk, thread: str = "77") -> list[Message]:
    async with desk.program.database.read() as connection:
        found = await find(connection, Address("bridge", "bridge", thread))
        return [] if found is None else await transcript(connection, found)


async def statuses(desk: Desk) -> list[str]:
    async with desk.program.database.read() as connection:
        found = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
        return list(found.scalars())


async def test_a_message_goes_in_and_its_answer_out(bridged: Desk, web: httpx.AsyncClient) -> None:
    desk = bridged
    assert (await post(web, message("guardia medica", language="it"))).json() == {"id": "1", "stored": True}
    assert (await post(web, message("guardia medica", language="it"))).json() == {"id": "1", "stored": False}
    assert await desk.turns() == 1
    (answer,) = (await fetched(desk, web)).json()["messages"]
    assert (answer["thread"], answer["recipient"], answer["language"]) == ("77", "Ali", "it")
    assert "116117" in " ".join(answer["texts"])
    choice = answer["choices"][0]
    assert set(choice) == {"id", "label"}
    assert await statuses(desk) == ["sending"]
    assert (await fetched(desk, web)).json() == {"messages": []}
    for _ in range(2):
        assert (await acknowledged(desk, web, answer["id"], {"status": "done"})).json() == {"status": "sent"}
    assert (await acknowledged(desk, web, answer["id"], {"status": "failed"})).json() == {"status": "sent"}
    await post(web, {"id": "2", "thread": "77", "kind": "choice", "choice": choice["id"]})
    await desk.turns()
    assert (await rows(desk))[2].body["pick"] == choice["label"]


async def test_the_same_request_to_the_outbox_is_refused(bridged: Desk, web: httpx.AsyncClient) -> None:
    desk = bridged
    call = signed(b"", at=desk.clock(), method="GET", target="/bridge/outbox?wait=0")
    answers = [await web.get("/bridge/outbox?wait=0", headers=dict(call.headers)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    # Whoever overheard it cannot have it run once more, as long as its time is believed.
    desk.clock.advance(minutes=4, seconds=59)
    assert (await web.get("/bridge/outbox?wait=0", headers=dict(call.headers))).status_code == 409
    desk.clock.advance(seconds=2)
    assert (await web.get("/bridge/outbox?wait=0", headers=dict(call.headers))).status_code == 401


async def test_the_window_is_five_minutes_to_either_side(bridged: Desk, web: httpx.AsyncClient) -> None:
    now = bridged.clock()
    for number, (away, status) in enumerate(((-300, 200), (300, 200), (-301, 401), (301, 401))):
        answer = await post(web, message("ciao", event=number), at=now + timedelta(seconds=away))
        assert answer.status_code == status, away


async def test_every_byte_is_signed(bridged: Desk, web: httpx.AsyncClient) -> None:
    good = signed(b"", at=bridged.clock(), method="GET", target="/bridge/outbox?wait=0")
    for address in (
        "/bridge/outbox?wait=1",
        "/bridge/outbox",
        "/bridge/outbox?wait=0&",
        "/bridge/outbox?most=1&wait=0",
    ):
        assert (await web.get(address, headers=dict(good.headers))).status_code == 401, address
    assert (await acknowledged(bridged, web, 1, b'{"status":"done"}')).status_code == 404
    figures = (await web.get("/metrics", headers={"Authorization": "Bearer metrics"})).text
    assert 'sportello_webhook_rejected_total{channel="bridge"} 4.0' in figures


async def test_a_bridge_that_died_leaves_a_doubt(bridged: Desk, web: httpx.AsyncClient) -> None:
    desk = bridged
    await post(web, message("guardia medica"))
    await desk.turns()
    await fetched(desk, web)
    desk.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert await doubt(desk.program.database, desk.clock()) == 1
    assert await statuses(desk) == ["unknown"]
    assert (await fetched(desk, web)).json() == {"messages": []}


async def test_the_long_poll_wakes_when_something_is_said(bridged: Desk, web: httpx.AsyncClient) -> None:
    desk = bridged
    call = signed(b"", at=desk.clock(), method="GET", target="/bridge/outbox")
    poll = asyncio.create_task(web.get("/bridge/outbox", headers=dict(call.headers)))
    while not desk.program.hub._waiting:  # noqa: ASYNC110 - gives way until the poll waits
        await asyncio.sleep(0)
    await post(web, message("guardia medica"))
    await desk.turns()
    desk.program.hub.heard(Topic.OUTBOX, "bridge")
    async with asyncio.timeout(10):
        assert len((await poll).json()["messages"]) == 1


async def test_every_kind_reaches_the_engine(bridged: Desk, web: httpx.AsyncClient) -> None:
    desk = bridged
    kinds: list[dict[str, Any]] = [
        {"kind": "start", "scene": "poster", "language": "ur"},
        {"kind": "edited", "text": "guardia medica"},
        {"kind": "media", "media_kind": "voice", "text": "una voce"},
        {"kind": "group", "text": "not for us"},
        {"kind": "left"},
        {"kind": "returned"},
    ]
    for number, fields in enumerate(kinds):
        answer = await post(web, {"id": f"k{number}", "thread": "77"} | fields)
        assert answer.json() == {"id": f"k{number}", "stored": True}
        await desk.turns()
    bodies = [row.body for row in await rows(desk) if row.author in {Author.RESIDENT, Author.SYSTEM}]
    assert bodies[0] == {"started": True, "scene": "poster"}
    assert bodies[1]["text"] == "guardia medica"
    assert bodies[2]["media"]["kind"] == "voice"
    assert "not for us" not in json.dumps(bodies)
    assert [body.get("code") for body in bodies].count("left") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "text"},
        {"kind": "text", "text": " \0 "},
        {"kind": "choice"},
        {"kind": "media"},
        {"kind": "media", "media_kind": "hologram"},
        {"text": "ciao", "surprise": 1},
        {"text": "x" * 8001},
        {"text": 7},
    ],
)
def test_incomplete_messages_are_refused_and_the_field_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadPayloadError) as refused:
        BRIDGE.parse({"id": "1", "thread": "77"} | wrong)
    assert "ciao" not in str(refused.value)
    assert str(refused.value).startswith("no message: ")


@given(
    st.fixed_dictionaries(
        {"id": st.text(max_size=5), "thread": st.text(max_size=5), "kind": st.sampled_from([*InboundKind, "?"])},
        optional={
            "text": st.text(max_size=9) | st.none() | st.integers(),
            "choice": st.text(max_size=30) | st.none(),
            "media_kind": st.sampled_from(["photo", "voice", "?"]),
            "language": st.text(max_size=40),
            "sender": st.text(max_size=9),
        },
    )
)
def test_the_parser_raises_nothing_but_what_it_should(payload: dict[str, Any]) -> None:
    key = BRIDGE.event_key(payload)
    try:
        (inbound,) = BRIDGE.parse(payload)
    except BadPayloadError:
        return
    assert inbound.event_key == key
    assert inbound.thread
    assert inbound.user_ref


async def test_what_cannot_be_read_is_told_and_set_aside(bridged: Desk, web: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await post(web, {"id": "7", "thread": "77"})
        assert answer.status_code == 422
        assert answer.json()["problem"].startswith("no message: body: ")
    assert (await bridged.inbox_counts())["set-aside"] == 1


async def test_a_client_written_from_the_description_alone_is_understood(bridged: Desk) -> None:
    if not (shutil.which("curl") and shutil.which("openssl")):
        message = "the independent client of the bridge DID NOT RUN: curl or openssl is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    desk = bridged
    # The client's clock is the machine's.
    desk.clock.now = datetime.now(UTC)
    async with serving(desk.browser()._transport.app) as base:  # type: ignore[attr-defined]  # httpx keeps it there

        async def client(method: str, path: str, body: str = "", secret: str = SECRET) -> tuple[int, Any]:
            process = await asyncio.create_subprocess_exec(
                str(SCRIPT), base, secret, method, path, body, stdout=asyncio.subprocess.PIPE
            )
            told, _ = await process.communicate()
            text, _, status = told.decode().rpartition("\n")
            return int(status), json.loads(text) if text else None

        words = json.dumps(
            {"id": "a-1", "thread": "x/1", "sender": "علی", "text": "guardia medica"}, ensure_ascii=False
        )
        assert await client("POST", "/bridge/messages", words) == (200, {"id": "a-1", "stored": True})
        assert await client("POST", "/bridge/messages", words) == (200, {"id": "a-1", "stored": False})
        assert await client("POST", "/bridge/messages", words, secret="x" * 40) == (401, None)
        await desk.turns()
        status, told = await client("GET", "/bridge/outbox?wait=5&most=3")
        (answer,) = told["messages"]
        assert (status, answer["thread"], answer["recipient"]) == (200, "x/1", "علی")
        acknowledged = await client("POST", f"/bridge/outbox/{answer['id']}/ack", '{"status": "done"}')
        assert acknowledged == (200, {"status": "sent"})
    assert await statuses(desk) == ["sent"]


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, bridge_secret=SecretStr("short"))
