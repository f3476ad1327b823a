"""Whole turns of what an understanding can hold: danger on both channels and in the queue, languages, questions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import httpx
import pytest

from bot.events import Match, Question, Understanding, Verdict
from bot.signals import Danger
from channels.adapter import InboundKind
from channels.rendering import measure, render
from channels.telegram import TEXT_MAX
from handoff import queue
from knowledge.embedding import NoEmbedder
from knowledge.understanding import Understander
from sportello.app import create_app
from store import tickets
from store.conversations import Author
from store.notify import Topic
from store.staff import Role
from store.tickets import Ticket
from tests.fakes.servers import serving
from tests.sportello.desk import PASSWORD, Desk

JSON: Final = {"Accept": "application/json"}
UNKNOWN: Final = Understanding("it", certain=False, verdict=Verdict.ABSTAIN)
COURSE: Final = Question(Verdict.ANSWER, (Match("italian-course", 1.0),))
NOTHING: Final = Question(Verdict.ABSTAIN)
UNDERSTOOD: Final = {
    "mi picchia": replace(UNKNOWN, danger=Danger.VIOLENCE),
    "va a fuoco": replace(UNKNOWN, danger=Danger.FIRE),
    "وہ مارتا ہے": replace(UNKNOWN, language="ur", certain=True, danger=Danger.VIOLENCE),
    "mi sono tagliato": replace(
        UNKNOWN, danger=Danger.MEDICAL, verdict=Verdict.ANSWER, matches=(Match("night-doctor", 1.0),)
    ),
    "codice": replace(
        UNKNOWN, verdict=Verdict.ANSWER, matches=(Match("tax-code", 1.0),), rival="en", others=(COURSE, NOTHING)
    ),
    "cinque cose": replace(
        UNKNOWN,
        verdict=Verdict.ANSWER,
        matches=(Match("tax-code", 1.0),),
        others=(
            COURSE,
            *(
                Question(Verdict.ANSWER, (Match(slug, 1.0),))
                for slug in ("night-doctor", "unpaid-wages", "health-registration")
            ),
        ),
    ),
}


class Prepared(Understander):
    """Understands the texts above, and nothing else."""

    async def understand(self, text: str, *, language: str, hint: str | None, chosen: bool) -> Understanding:
        del hint, chosen
        return UNDERSTOOD.get(text, replace(UNKNOWN, language=language))


@pytest.fixture
async def prepared(desk: Desk) -> Desk:
    turns = desk.program.turns
    assert turns is not None
    arrivals = replace(turns.arrivals, understander=Prepared(NoEmbedder()))
    return replace(desk, program=replace(desk.program, turns=replace(turns, arrivals=arrivals)))


@pytest.fixture
async def browser(prepared: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with prepared.browser() as client:
        yield client


async def waiting(desk: Desk) -> list[Ticket]:
    async with desk.program.database.read() as connection:
        return await tickets.waiting(connection)


async def place(desk: Desk, ticket: Ticket) -> int | None:
    async with desk.program.database.read() as connection:
        return await tickets.place(connection, ticket.id)


async def _read_until(lines: AsyncIterator[str], mark: str) -> str:
    read = ""
    async for line in lines:
        read += line
        if mark in line:
            break
    return read


async def wait_for_a_person(desk: Desk, *threads: str) -> None:
    for thread in threads:
        await desk.write("persona", thread=thread)
        await desk.turns()
        desk.clock.advance(seconds=1)


async def test_on_telegram_the_card_is_plain_text_within_limits_with_its_buttons(prepared: Desk) -> None:
    await prepared.write("mi sono tagliato")
    await prepared.turns()
    row = (await prepared.transcript())[-1]
    card, notice, answer, offer = row.body["blocks"]
    assert (card["kind"], card["danger"]) == ("card", "emergency-medical")
    assert (notice["kind"], answer["slug"], offer["kind"]) == ("text", "night-doctor", "text")
    outbound = prepared.program.library.presenter.outbound(row.body, "it", row.seq)
    parts = render(outbound, prepared.program.deliveries[0].adapter.capabilities)
    assert parts[0].text.startswith(card["words"][0])
    assert "<a" not in parts[0].text
    assert all(measure(part.text, "utf-16") <= TEXT_MAX for part in parts)
    assert [choice.id for choice in parts[-1].choices] == ["2.0", "2.1"]


async def test_one_tap_makes_a_ticket_that_comes_before_older_ones(prepared: Desk) -> None:
    await wait_for_a_person(prepared, "1", "2")
    await prepared.write("mi picchia", thread="3")
    await prepared.turns()
    await prepared.write("", thread="3", kind=InboundKind.CHOICE, choice_id="2.0")
    await prepared.turns()
    queued = await waiting(prepared)
    assert [(ticket.reason, ticket.urgent) for ticket in queued] == [
        ("danger", True),
        ("asked", False),
        ("asked", False),
    ]
    assert queued[0].question == "mi picchia"
    assert [await place(prepared, ticket) for ticket in queued] == [1, 2, 3]
    assert "posto 1" in (await prepared.transcript("3"))[-1].body["blocks"][0]["text"]


async def test_urgent_tickets_among_themselves_stand_by_age(prepared: Desk) -> None:
    for thread in ("1", "2", "3"):
        await prepared.write("va a fuoco" if thread != "2" else "ciao", thread=thread)
        await prepared.write("persona", thread=thread)
        await prepared.turns()
        prepared.clock.advance(seconds=1)
    queued = await waiting(prepared)
    assert [ticket.urgent for ticket in queued] == [True, True, False]
    assert queued[0].opened_at < queued[1].opened_at
    assert [await place(prepared, ticket) for ticket in queued] == [1, 2, 3]


async def test_who_waits_already_moves_ahead_once_and_is_told_so(prepared: Desk) -> None:
    await wait_for_a_person(prepared, "1", "2")
    for text in ("mi picchia", "va a fuoco", "persona"):
        await prepared.write(text, thread="2")
    await prepared.turns()
    first, second = await waiting(prepared)
    assert (first.urgent, first.reason, second.urgent) == (True, "asked", False)
    assert await place(prepared, first) == 1
    rows = await prepared.transcript("2")
    codes = [row.body["code"] for row in rows if row.author is Author.SYSTEM]
    assert codes == ["queued", "urgent"]
    told = prepared.program.catalogue.text("danger.first_in_queue", "it")
    assert sum(block["text"] == told for row in rows for block in row.body.get("blocks", ())) == 2
    assert "posto 1" in rows[-1].body["blocks"][0]["text"]


async def test_a_claimed_ticket_is_marked_too_and_a_closed_one_is_not(prepared: Desk) -> None:
    await wait_for_a_person(prepared, "1")
    (ticket,) = await waiting(prepared)
    anna = await prepared.staff("anna", Role.MEDIATOR)
    async with prepared.program.database.begin() as connection:
        await queue.claim(connection, ticket.id, anna, new_id=prepared.new_id, now=prepared.clock())
        assert await tickets.make_urgent(connection, ticket.id)
        assert not await tickets.make_urgent(connection, ticket.id)
        await tickets.close(connection, ticket.id, outcome="solved", now=prepared.clock())
        assert not await tickets.make_urgent(connection, ticket.id)


async def test_the_desk_marks_urgent_tickets_in_words_also_live(prepared: Desk) -> None:
    await wait_for_a_person(prepared, "1", "2")
    await prepared.staff("anna", Role.MEDIATOR)
    app = create_app(prepared.program)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as mediator:
        mediator.headers["Sec-Fetch-Site"] = "same-origin"
        await mediator.post("/desk/sign-in", data={"login": "anna", "password": PASSWORD, "next": "/desk"})
        before = (await mediator.get("/desk")).text
        assert "Urgente" not in before
        async with mediator.stream("GET", "/desk/queue/events") as stream:
            lines = stream.aiter_lines()
            assert "Urgente" not in await _read_until(lines, "</ol>")
            await prepared.write("mi picchia", thread="2")
            await prepared.turns()
            prepared.program.hub.heard(Topic.QUEUE)
            async with asyncio.timeout(10):
                await _read_until(lines, "Urgente: è in pericolo")
        after = (await mediator.get("/desk")).text
        assert after.index("Urgente: è in pericolo") < after.index("data-since")
        first = (await waiting(prepared))[0]
        page = (await mediator.get(f"/desk/tickets/{first.id}")).text
        assert "Urgente" in page
        assert "tel:112" in page
        assert "https://www.comune.prato.it" not in page


async def test_the_page_has_numbers_to_tap_a_way_out_and_italian_beneath(
    prepared: Desk, browser: httpx.AsyncClient
) -> None:
    await browser.post("/messages", data={"text": "وہ مارتا ہے", "key": "1"}, headers=JSON)
    await prepared.turns()
    page = (await browser.get("/", headers={"Accept-Language": "ur"})).text
    shown = page[page.index('id="m-2"') :]
    assert [shown.count(f'href="tel:{digits}"') for digits in ("112", "1522", "057434472")] == [1, 1, 1]
    assert shown.index('href="https://www.comune.prato.it"') < shown.index('href="tel:112"')
    assert '<section class="emergency" lang="ur">' in shown
    assert '<div class="local" lang="it" dir="ltr"><p>Quello che ti succede non è colpa tua.' in shown
    assert 'lang="it" dir="ltr">Ho bisogno di aiuto.' in shown
    assert shown.index("tel:112") < shown.index("آپ کا نام"), "the card comes before the notice"


async def test_a_fire_needs_no_way_out_of_the_page(prepared: Desk, browser: httpx.AsyncClient) -> None:
    await browser.post("/messages", data={"text": "va a fuoco", "key": "1"}, headers=JSON)
    await prepared.turns()
    page = (await browser.get("/")).text
    assert "tel:112" in page
    assert "https://www.comune.prato.it" not in page
    assert 'class="local"' not in page


async def test_two_questions_are_two_messages_and_another_language_gives_both_again(prepared: Desk) -> None:
    await prepared.write("codice")
    await prepared.turns()
    _, first, second = await prepared.transcript()
    assert [block.get("slug") for block in first.body["blocks"]] == [None, "tax-code"]
    assert [block["language"] for block in second.body["blocks"]] == ["it", "it", "it", "it", "en"]
    asked = [block["text"].replace("\u2068", "").replace("\u2069", "") for block in second.body["blocks"][-2:]]
    assert asked == ["Vuoi che scriva in Italiano?", "Shall I write in English?"]
    assert [choice["label"] for choice in second.body["choices"]][:2] == ["Italiano", "English"]
    await prepared.write("2")
    await prepared.turns()
    again = (await prepared.transcript())[-1]
    assert [block.get("slug") for block in again.body["blocks"]] == [None, "tax-code", "italian-course", None]
    assert {block["language"] for block in again.body["blocks"]} == {"en"}


async def test_of_five_questions_three_are_answered_and_two_stand_below_to_be_picked(
    prepared: Desk, browser: httpx.AsyncClient
) -> None:
    await prepared.write("cinque cose")
    await prepared.turns()
    *_, third, list_ = await prepared.transcript()
    assert third.body["blocks"][0]["slug"] == "night-doctor"
    (block,), labels = list_.body["blocks"], [choice["label"] for choice in list_.body["choices"]]
    assert block["text"].startswith("Nel tuo messaggio ci sono altre domande")
    entries = prepared.program.library.entries
    assert labels[:2] == [entries[slug].translations["it"].question for slug in ("unpaid-wages", "health-registration")]
    await prepared.write("2")
    await prepared.turns()
    assert (await prepared.transcript())[-1].body["blocks"][0]["slug"] == "health-registration"

    await browser.post("/messages", data={"text": "cinque cose", "key": "1"}, headers=JSON)
    await prepared.turns()
    page = (await browser.get("/")).text
    assert all(page.count(label) >= 1 for label in labels[:2])
    assert page.index("Nel tuo messaggio ci sono altre domande") > page.index("night-doctor")
