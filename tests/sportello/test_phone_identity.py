"""Who is who at the phone gateway: phones by their tokens, residents by their names, and names that are too weak."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from sportello.settings import Settings
from store import quarantine
from store.conversations import Author
from store.quarantine import QuarantineStatus
from tests.fakes.phone import IMO, WHATSAPP, FakePhone, notification
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import OTHER, TOKEN, answered, mediator_writes, phone_web, rows, statuses


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with phone_web(desk, tmp_path) as client:
        yield client


@pytest.fixture
def phone(web: httpx.AsyncClient) -> FakePhone:
    return FakePhone(web, TOKEN)


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
    assert await answered(desk, phone, "altro", sender="Condominio", groupParticipant="Bilal") == []


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
