"""Names too weak for the phone: an operator tells whose they are, once, and what is kept of them is erased in time."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from store import conversations, handovers, quarantine, relay_acts
from store.conversations import Address, Author
from tests.fakes.phone import IMO, WHATSAPP
from tests.sportello.desk import Desk
from tests.sportello.relay_desk import opened, operator, pasted, rows
from tests.sportello.test_desk import field


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with operator(desk, tmp_path) as client:
        yield client


async def held(desk: Desk, sender: str, text: str, package: str = WHATSAPP) -> int:
    """Put a message into quarantine, as the phone gateway does."""
    async with desk.program.database.begin() as connection:
        await quarantine.add(
            connection,
            channel="phone",
            account="via-roma",
            event_key=str(desk.new_id()),
            app=package,
            sender=sender,
            message=text,
            reason="no-number",
            now=desk.clock(),
        )
        return (await quarantine.waiting(connection))[-1].id


async def decided(web: httpx.AsyncClient, number: int, how: str, to: str = "") -> httpx.Response:
    csrf = field((await web.get("/desk/relay")).text, "csrf")
    return await web.post(f"/desk/relay/quarantine/{number}/{how}", data={"csrf": csrf, "to": to})


async def test_weak_names_are_assigned_or_dropped_by_an_operator(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web, "+39 333 123 4567", app="whatsapp")
    to = thread.rpartition("/")[2]
    known, new, dropped = [await held(desk, name, "guardia medica") for name in ("Ali", "Bilal", "Chiara")]
    page = (await web.get("/desk/relay")).text
    assert "Mittenti da riconoscere" in page
    assert "si vede un nome e non un numero" in page
    assert page.index("data-quarantined") < page.index("data-thread=")
    # Beside a conversation the others are nearer, and above them stands that somebody is to be recognised.
    page = (await web.get(thread)).text
    assert page.index('href="#quarantine-title"') < page.index("data-thread=") < page.index("data-quarantined")
    assert (await decided(web, known, "assign", to)).headers["location"] == f"{thread}#paste"
    assert (await decided(web, known, "assign", to)).status_code == 409, "once"
    assert (await decided(web, new, "assign")).status_code == 303
    assert (await decided(web, dropped, "drop")).headers["location"] == "/desk/relay"
    assert (await decided(web, dropped, "assign", to)).status_code == 409
    await desk.turns()
    for name in ("+39 333 123 4567", "Bilal"):
        assert [row.author for row in await rows(desk, name, "whatsapp")] == [Author.RESIDENT, Author.BOT]
    assert await rows(desk, "Chiara", "whatsapp") == []
    async with desk.program.database.read() as connection:
        kept = (await connection.execute(select(quarantine.quarantine))).all()
        assert [(row.sender, row.text, row.status) for row in kept] == [
            (None, None, "assigned"),
            (None, None, "assigned"),
            (None, None, "dropped"),
        ]
        done = await connection.execute(select(relay_acts.relay_acts.c.act).order_by(relay_acts.relay_acts.c.id))
        assert list(done.scalars()) == ["assigned", "assigned", "dropped"]


async def test_a_wrong_choice_of_a_thread_changes_nothing(desk: Desk, web: httpx.AsyncClient) -> None:
    number = await held(desk, "Ali", "guardia medica", IMO)
    await desk.write("ciao")
    async with desk.program.database.read() as connection:
        telegrams = await conversations.find(connection, Address("telegram", desk.program.adapters[0].account, "77"))
    for to, status in (("nonsense", 422), (str(UUID(int=999_999)), 409), (str(telegrams), 409)):
        assert (await decided(web, number, "assign", to)).status_code == status
    async with desk.program.database.read() as connection:
        assert [row.id for row in await quarantine.waiting(connection)] == [number]


async def test_erasing_and_deleting_reach_what_the_relay_keeps(desk: Desk, web: httpx.AsyncClient) -> None:
    number = await held(desk, "Ali Khan", "guardia medica", IMO)
    await decided(web, number, "assign")
    await desk.turns()
    async with desk.program.database.read() as connection:
        (thread,) = await handovers.threads(connection, "relay")
    await pasted(desk, web, f"/desk/relay/threads/{thread.conversation_id}", "cancella i miei dati")
    # The first choice is to keep everything.
    await pasted(desk, web, f"/desk/relay/threads/{thread.conversation_id}", "2")
    async with desk.program.database.read() as connection:
        assert (await connection.execute(select(quarantine.quarantine))).all() == []
        texts = [row.payload for row in await handovers.waiting(connection, thread.conversation_id)]
    assert len(texts) == 1, "only that it was erased is still to be said"
