"""The desk: one winner for every conversation, nobody over capacity, nothing sent twice, nobody without a role."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from handoff import queue, ticket
from handoff.queue import AtCapacity, Claimed, Gone, TakenBy
from handoff.ticket import Done, Refused
from store import tickets
from store.conversations import Author
from store.database import Database
from store.notify import Topic
from store.staff import Role
from store.tickets import Ticket
from tests.sportello.desk import PASSWORD, Desk


async def waiting(desk: Desk) -> list[Ticket]:
    async with desk.program.database.read() as connection:
        return await tickets.waiting(connection)


async def ask_for_person(desk: Desk, *threads: str) -> list[Ticket]:
    for thread in threads:
        await desk.write(f"gli asini di {thread} volano", thread=thread)
        await desk.write("persona", thread=thread)
        await desk.turns()
        desk.clock.advance(seconds=1)
    return await waiting(desk)


async def test_every_ticket_has_one_winner_and_nobody_more_than_they_can_hold(desk: Desk) -> None:
    opened = await ask_for_person(desk, *(str(number) for number in range(20)))
    members = [await desk.staff(f"m{number}", Role.MEDIATOR, capacity=3) for number in range(8)]
    # A pool of its own, so that eight connections really meet.
    async with Database(desk.program.database.url, pool_size=16) as database:

        async def claim(ticket_id: UUID, place: int) -> object:
            async with database.begin() as connection:
                return await queue.claim(connection, ticket_id, members[place], new_id=desk.new_id, now=desk.clock())

        for held in opened:
            results = await asyncio.gather(*(claim(held.id, place) for place in range(8)))
            winners = [result for result in results if isinstance(result, Claimed)]
            assert len(winners) == 1
            assert all(isinstance(result, Claimed | TakenBy | AtCapacity) for result in results)
    async with desk.program.database.read() as connection:
        claimed = await tickets.claimed(connection)
    assert len(claimed) == 20
    assert max(Counter(held.claimed_by for held in claimed).values()) <= 3


async def test_one_mediator_with_many_tabs_stays_within_capacity(desk: Desk) -> None:
    opened = await ask_for_person(desk, *(str(number) for number in range(6)))
    member = await desk.staff("anna", Role.MEDIATOR, capacity=2)
    async with Database(desk.program.database.url, pool_size=16) as database:

        async def claim(ticket_id: UUID) -> object:
            async with database.begin() as connection:
                return await queue.claim(connection, ticket_id, member, new_id=desk.new_id, now=desk.clock())

        results = await asyncio.gather(*(claim(held.id) for held in opened))
    assert Counter(type(result) for result in results) == {Claimed: 2, AtCapacity: 4}


async def test_the_loser_is_told_who_has_it_and_a_closed_one_is_gone(desk: Desk) -> None:
    (opened,) = await ask_for_person(desk, "1")
    anna, bruno = await desk.staff("anna", Role.MEDIATOR), await desk.staff("bruno", Role.MEDIATOR)
    async with desk.program.database.begin() as connection:
        assert await queue.claim(connection, opened.id, anna, new_id=desk.new_id, now=desk.clock()) == Claimed()
        lost = await queue.claim(connection, opened.id, bruno, new_id=desk.new_id, now=desk.clock())
        assert lost == TakenBy("Anna", desk.clock())
        assert await queue.claim(connection, opened.id, anna, new_id=desk.new_id, now=desk.clock()) == Claimed()
        key = desk.new_id()
        done = await ticket.close(connection, opened.id, anna, "solved", key=key, now=desk.clock())
        assert done == Done()
        assert await ticket.close(connection, opened.id, anna, "solved", key=key, now=desk.clock()) == Done()
        assert await queue.claim(connection, opened.id, bruno, new_id=desk.new_id, now=desk.clock()) == Gone()


async def test_only_the_holder_replies_and_a_double_click_sends_once(desk: Desk) -> None:
    (opened,) = await ask_for_person(desk, "1")
    anna, bruno = await desk.staff("anna", Role.MEDIATOR), await desk.staff("bruno", Role.MEDIATOR)
    async with desk.program.database.begin() as connection:
        await queue.claim(connection, opened.id, anna, new_id=desk.new_id, now=desk.clock())
    key = desk.new_id()
    async with desk.program.database.begin() as connection:
        for _ in range(2):
            assert await ticket.reply(connection, opened.id, anna, " Salve\0! ", key=key, now=desk.clock()) == Done()
        wrong = await ticket.reply(connection, opened.id, bruno, "io", key=desk.new_id(), now=desk.clock())
        assert wrong == Refused("desk.problem.not_yours", changed=True)
        # As a browser sends 4,000 characters without script.
        full = "\r\n".join(["riga"] * 800)
        assert await ticket.note(connection, opened.id, bruno, full, key=desk.new_id(), now=desk.clock()) == Done()
        for text, message in ((" ", "desk.problem.empty"), ("x" * 4001, "desk.problem.too_long")):
            refused = await ticket.reply(connection, opened.id, anna, text, key=desk.new_id(), now=desk.clock())
            assert refused == Refused(message)
        await ticket.note(connection, opened.id, bruno, "solo noi", key=desk.new_id(), now=desk.clock())
    await desk.turns()
    rows = await desk.transcript("1")
    replies = [(row.body["text"], row.staff_id) for row in rows if row.author is Author.MEDIATOR]
    assert replies == [("Salve!", anna.id)]
    assert [row.body["text"] for row in rows if row.author is Author.NOTE] == ["\n".join(["riga"] * 800), "solo noi"]


async def test_a_reply_that_comes_too_late_stays_with_the_staff(desk: Desk) -> None:
    (opened,) = await ask_for_person(desk, "1")
    anna = await desk.staff("anna", Role.MEDIATOR)
    async with desk.program.database.begin() as connection:
        await queue.claim(connection, opened.id, anna, new_id=desk.new_id, now=desk.clock())
    await desk.turns()
    await desk.write("stop", thread="1")
    async with desk.program.database.begin() as connection:
        replied = await ticket.reply(connection, opened.id, anna, "eccomi", key=desk.new_id(), now=desk.clock())
        assert replied == Done()
    await desk.turns()
    rows = await desk.transcript("1")
    assert Author.MEDIATOR not in [row.author for row in rows]
    assert [(row.author, row.body.get("code"), row.body.get("text")) for row in rows][-2:] == [
        (Author.SYSTEM, "reply-too-late", None),
        (Author.NOTE, None, "eccomi"),
    ]


async def test_who_waits_for_a_reply_is_marked_and_comes_before_the_queue(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    opened, pressing = await ask_for_person(desk, "1", "2")
    anna = await desk.staff("anna", Role.MEDIATOR)
    async with desk.program.database.begin() as connection:
        await tickets.make_urgent(connection, pressing.id)
        await queue.claim(connection, opened.id, anna, new_id=desk.new_id, now=desk.clock())
    await desk.turns()
    await sign_in(browser, "anna")

    async def marked() -> bool:
        page = (await browser.get("/desk")).text
        assert page.index("data-mine") < page.index("data-ticket"), "one's own come first"
        # Whoever is in danger and waits is told above them.
        assert 'href="#waiting-title"' in page
        return "Attende risposta" in page

    assert await marked()
    async with desk.program.database.begin() as connection:
        await ticket.reply(connection, opened.id, anna, "Salve", key=desk.new_id(), now=desk.clock())
        await ticket.note(connection, opened.id, anna, "solo noi", key=desk.new_id(), now=desk.clock())
    await desk.turns()
    assert not await marked()
    woken = asyncio.Event()
    desk.program.listener.on(Topic.QUEUE, woken.set)
    listening = asyncio.create_task(desk.program.listener.run())
    async with asyncio.timeout(10):
        await desk.program.listener.connected.wait()
        woken.clear()
        await desk.write("grazie, e poi?", thread="1")
        await desk.turns()
        await woken.wait()
    listening.cancel()
    assert await marked()


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.browser() as client:
        yield client


async def sign_in(browser: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/desk/sign-in", data={"login": login, "password": password, "next": "/desk"})


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, f"no field {name}"
    return found[1]


async def test_a_mediator_lives_through_a_conversation(desk: Desk, browser: httpx.AsyncClient) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    (opened,) = await ask_for_person(desk, "1")
    away = await browser.get("/desk")
    assert (away.status_code, away.headers["location"]) == (303, "/desk/sign-in?next=%2Fdesk")
    assert (await sign_in(browser, "ANNA")).headers["location"] == "/desk"
    shown = (await browser.get("/desk")).text
    assert "gli asini di 1 volano" in shown
    form = {"csrf": field(shown, "csrf")}
    claimed = await browser.post(f"/desk/tickets/{opened.id}/claim", data=form)
    assert claimed.status_code == 303
    await desk.turns()
    page = (await browser.get(f"/desk/tickets/{opened.id}")).text
    reply = form | {"text": "Buongiorno", "key": field(page, "key")}
    for _ in range(2):
        assert (await browser.post(f"/desk/tickets/{opened.id}/reply", data=reply)).status_code == 303
    await desk.turns()
    assert (await browser.get(f"/desk/tickets/{opened.id}")).text.count("Buongiorno") == 1
    closing = form | {"outcome": "referred", "key": "k"}
    assert (await browser.post(f"/desk/tickets/{opened.id}/close", data=closing)).headers["location"] == "/desk"
    await desk.turns()
    stale = await browser.post(f"/desk/tickets/{opened.id}/reply", data=form | {"text": "ancora qui?", "key": "z"})
    assert stale.status_code == 409
    assert "ancora qui?" in stale.text, "the text is not lost"
    last = (await desk.transcript("1"))[-1]
    assert "automatico" in last.body["blocks"][0]["text"]


async def test_nobody_gets_in_without_role_token_or_password(desk: Desk, browser: httpx.AsyncClient) -> None:
    await desk.staff("edda", Role.EDITOR)
    await desk.staff("anna", Role.MEDIATOR)
    (opened,) = await ask_for_person(desk, "1")
    assert (await sign_in(browser, "anna", "wrong")).status_code == 403
    assert (await sign_in(browser, "nobody", PASSWORD)).status_code == 403
    assert (await sign_in(browser, "an\0na", PASSWORD)).status_code == 403, "and no trouble of the database"
    # Who only edits begins where they may be, and a refusal shows the way there.
    assert (await sign_in(browser, "edda")).headers["location"] == "/desk/knowledge"
    refused = await browser.get("/desk")
    assert (refused.status_code, 'href="/desk/knowledge"' in refused.text) == (403, True)
    await sign_in(browser, "anna")
    for data in ({}, {"csrf": "0" * 64}):
        assert (await browser.post(f"/desk/tickets/{opened.id}/claim", data=data)).status_code == 403
    token = field((await browser.get("/desk")).text, "csrf")
    away = {"Sec-Fetch-Site": "cross-site"}
    crossed = await browser.post(f"/desk/tickets/{opened.id}/claim", data={"csrf": token}, headers=away)
    assert crossed.status_code == 403
    assert len(await waiting(desk)) == 1
    out = await browser.post("/desk/sign-out", data={"csrf": token})
    assert out.status_code == 303
    assert (await browser.get("/desk")).status_code == 303


async def test_the_staff_are_told_what_is_wrong_in_the_language_of_their_desk(
    desk: Desk, browser: httpx.AsyncClient
) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    browser.headers["Accept-Language"] = "ur"
    assert '<html lang="ur"' in (await browser.get("/desk/nothing-here")).text, "nobody is signed in"
    await sign_in(browser, "anna")
    (opened,) = await ask_for_person(desk, "1")
    reply = f"/desk/tickets/{opened.id}/reply"
    huge = {"text": "a" * 300_000}
    for answer, status, told in (
        (await browser.get("/desk/nothing-here"), 404, "non c&#39;è"),
        (await browser.get("/desk/tickets/not-a-ticket"), 422, "manca qualcosa"),
        (await browser.get("/desk/knowledge"), 403, "Non puoi"),
        (await browser.post(reply, data={"text": "a"}), 403, "Non puoi"),
        (await browser.post(reply, data=huge), 413, "troppo grande"),
        (await browser.post(reply, data=huge, headers={"Accept": "application/json"}), 413, "troppo grande"),
        (await browser.post(reply, data={"text": "a"}, headers={"Sec-Fetch-Site": "cross-site"}), 403, "Non puoi"),
    ):
        assert (answer.status_code, told in answer.text) == (status, True), answer.text


async def test_sign_in_attempts_are_limited_by_name(desk: Desk, browser: httpx.AsyncClient) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    for _ in range(10):
        assert (await sign_in(browser, "anna", "guess")).status_code == 403
    assert (await sign_in(browser, "anna")).status_code == 429
    desk.clock.advance(minutes=16)
    assert (await sign_in(browser, "anna")).status_code == 303


@pytest.mark.parametrize("address", ["//evil.example", "/desk//evil", "https://evil.example/desk", "/desk\\evil", "/"])
async def test_the_way_back_after_signing_in_stays_at_the_desk(
    desk: Desk, browser: httpx.AsyncClient, address: str
) -> None:
    await desk.staff("anna", Role.MEDIATOR)
    answer = await browser.post("/desk/sign-in", data={"login": "anna", "password": PASSWORD, "next": address})
    assert answer.headers["location"] == "/desk"
