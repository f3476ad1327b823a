"""The phone gateway over HTTP: stored once, answered in time or fetched later, never twice, never silently lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from channels.phone import CHANNEL
from channels.phone_gateway import LEASE
from sportello.deliveries import doubt
from sportello.watching import Watch
from store import handovers, outbox
from store.conversations import Author
from store.notify import Topic
from store.staff import Role
from tests.fakes.phone import IMO, FakePhone, notification
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import TOKEN, answered, mediator_writes, phone_web, rows, statuses
from tests.sportello.test_desk import sign_in

GUIDE = (Path(__file__).parents[2] / "docs/gateway.md").read_text(encoding="utf-8")


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with phone_web(desk, tmp_path) as client:
        yield client


@pytest.fixture
def phone(web: httpx.AsyncClient) -> FakePhone:
    return FakePhone(web, TOKEN)


async def test_the_answer_goes_back_with_the_notification_in_short_parts(desk: Desk, phone: FakePhone) -> None:
    replies = await answered(desk, phone, "guardia medica")
    assert "116117" in " ".join(replies)
    assert len(replies) > 1
    assert all(len(reply) <= 500 for reply in replies)
    assert any("1. " in reply and "2. " in reply for reply in replies), "choices are numbered"
    assert await statuses(desk) == ["sent"]
    assert await phone.fetches() == []
    # A number answers.
    await answered(desk, phone, "1")
    assert [row.author for row in await rows(desk)].count(Author.RESIDENT) == 2


def test_the_guide_tells_of_every_field_what_to_put_into_it() -> None:
    body = notification("ciao")
    read, macro = GUIDE.partition("## Macro 1")[::2]
    for name in ("appPackageName", "messengerPackageName"):
        assert f"| `{name}` |" in read, name
        assert f"| — `{name}` |" in macro, name
    for name in body["query"]:
        assert f"| `query.{name}` |" in read, name
        assert f"| — `query`: `{name}` |" in macro, name


async def test_what_is_not_ready_in_time_is_fetched_and_acknowledged(
    desk: Desk, phone: FakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No turn is taken while the phone waits: the patience is set to nothing, so that no test waits for ten seconds.
    monkeypatch.setattr("channels.phone.PhoneDevice.capabilities", _impatient())
    assert await phone.arrives("guardia medica") == []
    assert await statuses(desk) == []
    await desk.turns()
    desk.clock.advance(seconds=11)
    (message,) = await phone.fetches()
    assert (message["recipient"], message["package"], message["by_person"]) == ("Ali Khan", IMO, False)
    assert "116117" in message["text"]
    assert all(len(text) <= 500 for text in message["texts"])
    for name in message:
        assert f"| `{name}` |" in GUIDE, name
    assert await statuses(desk) == ["sending"]
    assert await phone.fetches() == [], "it is with the phone"
    assert (await phone.says(message["id"], "done")).json() == {"status": "sent"}
    assert (await phone.says(message["id"], "done")).json() == {"status": "sent"}
    assert (await phone.says(message["id"], "failed")).json() == {"status": "sent"}, "what is over stays as it ended"
    assert await statuses(desk) == ["sent"]


def _impatient() -> Any:
    from dataclasses import replace  # noqa: PLC0415 - for this alone

    from channels.phone import PhoneDevice  # noqa: PLC0415 - likewise

    return replace(PhoneDevice.capabilities, passive=timedelta())


async def test_messages_of_one_chat_keep_their_order_and_wait_for_each_other(desk: Desk, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    for text in ("uno", "due", "tre"):
        await mediator_writes(desk, text)
    (first,) = await phone.fetches(most=10)
    assert first["texts"] == ["uno"]
    await phone.says(first["id"], "done")
    assert await phone.works() == 2
    assert phone.shown["Ali Khan"][-2:] == ["due", "tre"]


async def test_a_phone_that_died_leaves_a_doubt_that_is_seen_and_not_repeated(desk: Desk, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    await mediator_writes(desk, "uno")
    (message,) = await phone.fetches()
    desk.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert await doubt(desk.program.database, desk.clock()) == 1
    assert (await statuses(desk))[-1] == "unknown"
    assert await phone.fetches() == []
    # Its word may come late.
    assert (await phone.says(message["id"], "done")).json() == {"status": "sent"}
    assert (await statuses(desk))[-1] == "sent"


async def test_what_the_phone_cannot_send_is_told_to_the_staff(desk: Desk, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    await mediator_writes(desk, "uno")
    phone.opens_chat("Ali Khan")
    assert await phone.works() == 1
    assert (await statuses(desk))[-1] == "needs-person"
    async with desk.program.database.read() as connection:
        error = await connection.execute(select(outbox.outbox.c.error).order_by(outbox.outbox.c.id.desc()).limit(1))
        assert error.scalar_one() == "the phone could not send it"


async def test_the_long_poll_wakes_when_something_is_said(desk: Desk, web: httpx.AsyncClient, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    poll = asyncio.create_task(
        web.get("/gateways/phone/outbox", params={"wait": 25}, headers={"X-Device-Token": TOKEN})
    )
    while not desk.program.hub._waiting:  # noqa: ASYNC110 - gives way until the poll waits
        await asyncio.sleep(0)
    await mediator_writes(desk, "eccomi")
    desk.program.hub.heard(Topic.OUTBOX, CHANNEL)
    async with asyncio.timeout(10):
        assert [each["texts"] for each in (await poll).json()["messages"]] == [["eccomi"]]


async def test_a_stop_ends_the_long_poll(desk: Desk, web: httpx.AsyncClient) -> None:
    desk.program.hub.close()
    async with asyncio.timeout(10):
        answer = await web.get("/gateways/phone/outbox", headers={"X-Device-Token": TOKEN})
    assert answer.json() == {"messages": []}


async def test_repeats_within_the_window_are_one_message(desk: Desk, phone: FakePhone) -> None:
    first = await answered(desk, phone, "guardia medica")
    desk.clock.advance(seconds=19)
    assert await phone.arrives("guardia medica") == first, "the same again, as for any request that was repeated"
    assert await desk.turns() == 0
    desk.clock.advance(seconds=1)
    assert await answered(desk, phone, "guardia medica") != []
    assert [row.author for row in await rows(desk)].count(Author.RESIDENT) == 2
    # Other words, or another sender, are never a repeat.
    await answered(desk, phone, "menu")
    await answered(desk, phone, "menu", sender="Bilal")
    assert len(await rows(desk, f"{IMO}|bilal")) == 2


async def test_a_repeat_across_the_edge_of_two_windows_is_one_message(desk: Desk, phone: FakePhone) -> None:
    edge = 20 - desk.clock.timestamp() % 20
    desk.clock.advance(seconds=edge - 1)
    await answered(desk, phone, "ciao")
    desk.clock.advance(seconds=2)
    await phone.arrives("ciao")
    assert await desk.turns() == 0


async def test_the_same_at_the_same_moment_is_one_message(desk: Desk, web: httpx.AsyncClient) -> None:
    phones = [FakePhone(web, TOKEN) for _ in range(5)]
    arriving = [asyncio.create_task(phone.arrives("guardia medica")) for phone in phones]
    while not all(task.done() for task in arriving):
        if await desk.turns():
            desk.program.hub.heard(Topic.CONVERSATION, "")
        await asyncio.sleep(0)
    replies = [await task for task in arriving]
    assert [row.author for row in await rows(desk)].count(Author.RESIDENT) == 1
    assert all(each == replies[0] for each in replies)


async def test_bodies_that_nobody_can_read_get_400_in_the_apps_own_shape(desk: Desk, web: httpx.AsyncClient) -> None:
    headers = {"X-Device-Token": TOKEN, "Content-Type": "application/json"}
    bodies = [b"", b"no json \xff", b"[" * 20_000, b"{}", b"null", b'{"query": {"sender": "a\\u0000\\ud800"}}']
    for body in (*bodies, bodies[1]):
        answer = await web.post("/gateways/phone/messages", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"replies": []})
    # Kept for an administrator, once each.
    assert (await desk.inbox_counts())["set-aside"] == len(bodies)
    answer = await web.post("/gateways/phone/messages", content=b"x" * 70_000, headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"replies": []})


async def test_odd_acknowledgements_change_nothing(desk: Desk, web: httpx.AsyncClient, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    await mediator_writes(desk, "uno")
    (message,) = await phone.fetches()
    address = f"/gateways/phone/outbox/{message['id']}/ack"
    for body in (b"", b"{}", b'{"status": "perhaps"}', b"[]", b"\xff"):
        assert (await web.post(address, content=body, headers=phone.headers)).status_code == 400
    for wrong in (0, 10**30, "x"):
        answer = await web.post(f"/gateways/phone/outbox/{wrong}/ack", json={"status": "done"}, headers=phone.headers)
        assert answer.status_code == 422
    assert (await phone.says(999_999, "done")).status_code == 404
    assert (await statuses(desk))[-1] == "sending"


async def test_what_no_phone_took_keeps_no_chat_from_being_deleted(desk: Desk, phone: FakePhone) -> None:
    await answered(desk, phone, "guardia medica")
    await mediator_writes(desk, "uno")
    desk.clock.advance(days=1, seconds=1)
    async with desk.program.database.begin() as connection:
        before = desk.clock() - timedelta(days=1)
        assert await handovers.give_up(connection, ["relay", "phone"], before=before, now=desk.clock()) == 1
    assert (await statuses(desk))[-1] == "needs-person"


async def test_silence_raises_an_alarm_at_the_desk_and_in_the_figures(
    desk: Desk, web: httpx.AsyncClient, phone: FakePhone
) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    watch = Watch(desk.program.database, ["piazza", "via-roma"], desk.clock, desk.program.counts)
    await watch.look()
    assert (await phone.beats()).json()["device"] == "via-roma"
    await watch.look()
    await sign_in(web, "anna")

    async def page() -> str:
        return (await web.get("/desk", headers={"Accept": "text/html"})).text

    async def figures() -> str:
        return (await web.get("/metrics", headers={"Authorization": "Bearer metrics"})).text

    assert "Il telefono \u2068piazza\u2069 non ha ancora dato segni di vita" in await page()
    assert "via-roma" not in await page()
    assert 'sportello_phone_silent{phone="via-roma"} 0.0' in await figures()
    desk.clock.advance(minutes=5, seconds=-1)
    await watch.look()
    assert 'sportello_phone_silent{phone="via-roma"} 0.0' in await figures()
    desk.clock.advance(seconds=1)
    await watch.look()
    assert "Il telefono \u2068via-roma\u2069 non dà segni di vita" in await page()
    assert 'sportello_phone_silent{phone="via-roma"} 1.0' in await figures()
    await phone.beats()
    await watch.look()
    assert "via-roma" not in await page()
    assert 'sportello_phone_silent{phone="via-roma"} 0.0' in await figures()
