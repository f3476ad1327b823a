"""The phone gateway over HTTP: stored once, answered in time or fetched later, never twice, never silently lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from channels.phone import CHANNEL
from channels.phone_gateway import LEASE
from sportello.deliveries import doubt
from sportello.settings import Settings
from sportello.watching import Watch
from store import handovers, outbox, quarantine
from store.conversations import Address, Author, find, transcript
from store.notify import Topic
from store.quarantine import QuarantineStatus
from store.staff import Role
from tests.fakes.phone import IMO, WHATSAPP, FakePhone, notification
from tests.sportello.conftest import Desk, settings_for
from tests.sportello.test_desk import sign_in

TOKEN, OTHER = "token-of-via-roma-1", "token-of-piazza-san-marco"
DEVICES = SecretStr(f"via-roma:{TOKEN}, piazza:{OTHER}")


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(desk.program.database.url, tmp_path, phone_devices=DEVICES)
    object.__setattr__(desk.program, "settings", settings)
    async with desk.browser() as client:
        # A phone is no browser.
        client.headers.clear()
        yield client


@pytest.fixture
def phone(web: httpx.AsyncClient) -> FakePhone:
    return FakePhone(web, TOKEN)


async def answered(desk: Desk, phone: FakePhone, text: str, **fields: Any) -> list[str]:
    """Let a message arrive, and take its turn while the phone waits for the replies."""
    arriving = asyncio.create_task(phone.arrives(text, **fields))
    while not arriving.done():
        if await desk.turns():
            # What the listener does in a process of its own.
            desk.program.hub.heard(Topic.CONVERSATION, "")
        await asyncio.sleep(0)
    return await arriving


async def statuses(desk: Desk) -> list[str]:
    async with desk.program.database.read() as connection:
        rows = await connection.execute(select(outbox.outbox.c.status).order_by(outbox.outbox.c.id))
        return list(rows.scalars())


async def rows(desk: Desk, thread: str = f"{IMO}|alikhan", account: str = "via-roma") -> list[Any]:
    async with desk.program.database.read() as connection:
        found = await find(connection, Address(CHANNEL, account, thread))
        return [] if found is None else await transcript(connection, found)


async def mediator_writes(desk: Desk, text: str) -> None:
    """Let a message of ours go to Ali Khan without his having asked just now."""
    async with desk.program.database.begin() as connection:
        found = await find(connection, Address(CHANNEL, "via-roma", f"{IMO}|alikhan"))
        assert found is not None
        await outbox.queue(
            connection,
            conversation_id=found,
            address=Address(CHANNEL, "via-roma", f"{IMO}|alikhan"),
            kind=outbox.OutboxKind.MESSAGE,
            priority=outbox.Priority.MEDIATOR,
            payload={"language": "it", "paragraphs": [text], "choices": []},
            seq=None,
            now=desk.clock(),
        )


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


async def test_one_phone_gets_nothing_of_another(desk: Desk, web: httpx.AsyncClient, phone: FakePhone) -> None:
    other = FakePhone(web, OTHER)
    await answered(desk, phone, "guardia medica")
    await mediator_writes(desk, "uno")
    assert await other.fetches() == []
    (message,) = await phone.fetches()
    assert (await other.says(message["id"], "done")).status_code == 404
    assert (await statuses(desk))[-1] == "sending"
    # The same name on another phone is another person.
    await answered(desk, other, "menu")
    assert len(await rows(desk, account="piazza")) == 2


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


async def test_who_has_no_token_gets_nothing_in_and_nothing_out(desk: Desk, web: httpx.AsyncClient) -> None:
    for headers in ({}, {"X-Device-Token": "x" * 20}, {"X-Device-Token": TOKEN[:-1]}):
        posted = await web.post("/gateways/phone/messages", json=notification("ciao"), headers=headers)
        assert (posted.status_code, posted.json()) == (401, {"replies": []})
        assert (await web.get("/gateways/phone/outbox?wait=0", headers=headers)).status_code == 401
        assert (await web.post("/gateways/phone/heartbeat", content=b"", headers=headers)).status_code == 401
        acknowledged = await web.post("/gateways/phone/outbox/1/ack", json={"status": "done"}, headers=headers)
        assert acknowledged.status_code == 401
    assert sum((await desk.inbox_counts()).values()) == 0
    figures = (await web.get("/metrics", headers={"Authorization": "Bearer metrics"})).text
    assert 'sportello_webhook_rejected_total{channel="phone"} 12.0' in figures


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


async def test_the_test_button_is_answered_and_leaves_no_resident(desk: Desk, phone: FakePhone) -> None:
    assert await phone.arrives("test", isTestMessage=True) == [
        "Sportello: il telefono \u2068via-roma\u2069 è collegato."
    ]
    assert sum((await desk.inbox_counts()).values()) == 0
    assert await rows(desk) == []


async def test_a_group_is_declined_once_and_its_words_are_not_kept(desk: Desk, phone: FakePhone) -> None:
    first = await answered(desk, phone, "guardia medica", sender="Condominio", isGroup=True)
    assert len(first) == 1
    assert "116117" not in first[0]
    said = await rows(desk, f"{IMO}|group:condominio")
    assert [row.author for row in said] == [Author.BOT]
    desk.clock.advance(minutes=1)
    second = asyncio.create_task(phone.arrives("altro", sender="Condominio", groupParticipant="Bilal"))
    while not second.done():
        await desk.turns()
        await asyncio.sleep(0)
    assert await second == []


async def test_weak_names_wait_for_an_operator_and_nothing_is_answered(desk: Desk, phone: FakePhone) -> None:
    assert await phone.arrives("guardia medica", sender="Ali Khan", package=WHATSAPP) == []
    await answered(desk, phone, "guardia medica", sender="Ali Khan")
    assert await phone.arrives("sono un altro", sender="ali khan") == []
    assert await phone.arrives("sono un altro", sender="ali khan") == []
    assert await phone.arrives("2 messaggi", sender="2 new messages") == []
    assert await desk.turns() == 0
    async with desk.program.database.read() as connection:
        found = await quarantine.waiting(connection)
    assert [(row.app, row.sender, row.text, row.reason, row.account) for row in found] == [
        (WHATSAPP, "Ali Khan", "guardia medica", "no-number", "via-roma"),
        (IMO, "ali khan", "sono un altro", "collision", "via-roma"),
        (IMO, "2 new messages", "2 messaggi", "no-person", "via-roma"),
    ]
    replies = await answered(desk, phone, "guardia medica", sender="+39 333 123 4567", package=WHATSAPP)
    assert "116117" in " ".join(replies)


async def test_the_quarantine_is_emptied_on_time(desk: Desk, phone: FakePhone) -> None:
    await phone.arrives("uno", sender="Ali", package=WHATSAPP)
    await phone.arrives("due", sender="Ali", package=WHATSAPP)
    async with desk.program.database.begin() as connection:
        first, _ = await quarantine.waiting(connection)
        await quarantine.decide(
            connection, first.id, status=QuarantineStatus.DROPPED, conversation_id=None, now=desk.clock()
        )
        assert await quarantine.one_waiting(connection, first.id) is None, "decided once"
    for days, left in ((0, 2), (1, 1), (7, 0)):
        desk.clock.advance(days=days, seconds=1)
        async with desk.program.database.begin() as connection:
            before = desk.clock()
            await quarantine.sweep(
                connection, texts_before=before - timedelta(days=1), keys_before=before - timedelta(days=8)
            )
            kept = (await connection.execute(select(quarantine.quarantine))).all()
        assert len(kept) == left


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


async def test_without_phones_there_is_no_gateway(desk: Desk) -> None:
    async with desk.browser() as web:
        for path in ("messages", "heartbeat", "outbox/1/ack"):
            posted = await web.post(f"/gateways/phone/{path}", content=b"{}", headers={"X-Device-Token": ""})
            assert posted.status_code == 404
        assert (await web.get("/gateways/phone/outbox")).status_code == 404


@pytest.mark.parametrize(
    "wrong", ["via-roma", "via-roma:short", "Via Roma:0123456789abcdef", f"a:{TOKEN},b:{TOKEN}", f"a:{TOKEN},a:{OTHER}"]
)
def test_phones_that_cannot_be_told_apart_are_refused_without_showing_the_token(wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, phone_devices=SecretStr(wrong))
    assert TOKEN not in str(refused.value)
