"""Turns on a real database: exactly once, in order, and never stuck on one message."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text, update

from bot.events import Event
from channels.adapter import InboundKind, MediaRef
from sportello.arrivals import Arrivals
from sportello.transcribing import Turn
from store import tickets
from store.conversations import Author, conversations
from store.staff import Role
from tests.sportello.desk import Desk


def said(desk_rows: list[Any]) -> list[tuple[str, str]]:
    """Give author and first text of every row, for reading."""
    rows = []
    for row in desk_rows:
        blocks = row.body.get("blocks")
        first = blocks[-1]["text"] if blocks else row.body.get("text") or row.body.get("pick") or str(row.body)
        rows.append((row.author.value, first.splitlines()[0]))
    return rows


async def test_a_question_is_answered_once_with_source_and_marks(desk: Desk) -> None:
    await desk.write("malik tankhwa nahi deta", key="1", language_hint="ur")
    assert await desk.turns() == 1
    question, answer = await desk.transcript()
    assert (question.author, question.body, question.seq) == (Author.RESIDENT, {"text": "malik tankhwa nahi deta"}, 1)
    notice, entry, helped = answer.body["blocks"]
    assert notice["language"] == "ur"
    assert (entry["slug"], entry["language"], entry["draft"], entry["to_verify"]) == ("unpaid-wages", "ur", True, True)
    assert entry["sources"][0]["checked_on"] == "2026-11-23"
    assert helped["text"]
    assert [choice["pick"]["verb"] for choice in answer.body["choices"]] == ["helpful", "not-helpful", "person"]
    assert await desk.turns() == 0


async def test_a_repeated_update_has_no_effect(desk: Desk) -> None:
    assert await desk.write("ciao", key="7")
    assert not await desk.write("ciao", key="7")
    await desk.turns()
    assert not await desk.write("ciao", key="7")
    assert await desk.turns() == 0
    assert len(await desk.transcript()) == 2


async def test_one_conversation_is_handled_in_order_by_many_workers(desk: Desk) -> None:
    for number in range(12):
        await desk.write(f"domanda numero {number} qualcosa", thread=str(number % 3))
    assert desk.program.turns is not None
    turns = desk.program.turns

    async def work() -> None:
        # A worker that finds nothing may only be behind the others: it looks again until all is done.
        while (await desk.inbox_counts())["waiting"]:
            await turns.take()

    await asyncio.gather(*(work() for _ in range(4)))
    for thread in range(3):
        rows = await desk.transcript(str(thread))
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        asked = [row.body["text"] for row in rows if row.author is Author.RESIDENT]
        assert asked == [f"domanda numero {number} qualcosa" for number in range(12) if number % 3 == thread]


async def test_receiving_does_not_wait_for_a_turn(desk: Desk) -> None:
    await desk.write("ciao")
    await desk.turns()
    async with desk.program.database.begin() as connection:
        # As a turn does: hold the conversation's row.
        await connection.execute(text("SELECT 1 FROM conversations FOR NO KEY UPDATE"))
        async with asyncio.timeout(3):
            assert await desk.write("ancora")


class Failing(Arrivals):
    """Understands everything but one word."""

    async def event(self, turn: Turn, payload: dict[str, Any]) -> Event | None:
        if payload.get("text") == "esplodi":
            raise RuntimeError("the message says: esplodi")
        return await super().event(turn, payload)


async def test_a_message_that_fails_three_times_is_set_aside_with_an_apology(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.program.turns is not None
    arrivals = Failing(desk.program.turns.arrivals.understander, desk.program.turns.arrivals.presenter)
    turns = replace(desk.program.turns, arrivals=arrivals)
    await desk.write("esplodi")
    await desk.write("guardia medica")
    await desk.write("guardia medica", thread="another")
    assert await turns.take()
    assert await turns.take(), "nobody else waits for a message that is put off"
    assert not await turns.take(), "the next message of the conversation does"
    for _ in range(2):
        desk.clock.advance(seconds=1.1)
        assert await turns.take()
    while await turns.take():
        pass
    rows = said(await desk.transcript())
    assert rows[0] == ("resident", "guardia medica")
    assert sum("qualcosa non ha funzionato" in words for _, words in rows) == 1
    assert (await desk.inbox_counts())["failed"] == 1
    assert "esplodi" not in capsys.readouterr().err


async def test_the_way_to_a_mediator_opens_one_ticket(desk: Desk) -> None:
    await desk.write("gli asini volano?")
    await desk.write("voglio una persona")
    await desk.write("persona")
    await desk.turns()
    async with desk.program.database.read() as connection:
        (ticket,) = await tickets.waiting(connection)
    assert (ticket.question, ticket.language, ticket.reason) == ("gli asini volano?", "it", "unknown")
    waiting = (await desk.transcript())[-1]
    assert "posto" in waiting.body["blocks"][0]["text"]
    # Monday, ten o'clock: open by the clock, but nobody has the desk open.
    assert "non c'è nessuno" in waiting.body["blocks"][1]["text"]


async def test_a_tap_is_looked_up_and_an_unknown_one_gives_the_menu(desk: Desk) -> None:
    await desk.write("guardia medica")
    await desk.turns()
    await desk.write("", kind=InboundKind.CHOICE, choice_id="2.0", acknowledge="q1")
    await desk.write("", kind=InboundKind.CHOICE, choice_id="99.0")
    await desk.write("", kind=InboundKind.CHOICE, choice_id="2.77")
    await desk.write("", kind=InboundKind.CHOICE, choice_id="; DROP TABLE")
    await desk.turns()
    rows = said(await desk.transcript())
    assert rows[2] == ("resident", "Sì, mi ha aiutato")
    assert [author for author, _ in rows[3:]] == ["bot"] * 4


@pytest.mark.parametrize(
    "answer", ["1", "١", "۱", "১", "੧", "１", "一", "Sì, mi ha aiutato", "si mi ha aiutato", "SÌ, MI HA AIUTATO!"]
)
async def test_a_choice_is_taken_by_its_number_in_any_digits_or_by_its_words(desk: Desk, answer: str) -> None:
    await desk.write("guardia medica")
    await desk.write(answer)
    await desk.turns()
    rows = said(await desk.transcript())
    assert rows[2] == ("resident", answer)
    picked = answer != "si mi ha aiutato"  # other letters: that is a text like any other
    assert (rows[3] == ("bot", "Bene! Se hai un'altra domanda, scrivila.")) is picked


async def test_an_answer_that_differs_by_case_asks_which_and_remembers_none(desk: Desk) -> None:
    await desk.write("come mi iscrivo alla asl")
    await desk.turns()
    answer = (await desk.transcript())[-1]
    _, entry, which = answer.body["blocks"]
    assert (entry["slug"], which["text"]) == ("health-registration", "Qual è il tuo caso?")
    assert "{" not in entry["text"]
    assert "\u2068USL Toscana Centro\u2069" in entry["text"], "records are filled in before it is stored"
    choices = answer.body["choices"]
    assert [choice["pick"]["argument"] for choice in choices][:2] == [
        "health-registration#non-eu",
        "health-registration#asylum",
    ]
    assert [choice["label"] for choice in choices][2:4] == ["Sono cittadino UE", "Non ho il permesso"]
    await desk.write("", kind=InboundKind.CHOICE, choice_id=f"{answer.seq}.2")
    await desk.turns()
    case = (await desk.transcript())[-1]
    assert case.body["blocks"][0]["question"].endswith("· Sono cittadino UE")
    assert case.body["blocks"][0]["sources"]
    assert [choice["pick"]["verb"] for choice in case.body["choices"]] == ["helpful", "not-helpful", "person"]
    async with desk.program.database.read() as connection:
        state = (await connection.execute(text("SELECT state::text FROM conversations"))).scalar_one()
    assert "#" not in state


async def test_media_are_kept_as_references(desk: Desk) -> None:
    media = MediaRef("photo", "file-1")
    await desk.write("guarda", kind=InboundKind.MEDIA, media=media)
    await desk.turns()
    rows = await desk.transcript()
    assert rows[0].body == {"media": {"kind": "photo", "ref": "file-1"}, "text": "guarda"}


async def test_deleting_leaves_no_word_anywhere(desk: Desk) -> None:
    await desk.write("il mio segreto è grande")
    await desk.write("persona")
    await desk.turns()
    await desk.write("cancella i miei dati")
    await desk.turns()
    await desk.write("sì")
    await desk.turns()
    async with desk.program.database.read() as connection:
        for table in ("messages", "inbox", "outbox", "conversations", "tickets"):
            rows = await connection.execute(text(f"SELECT row_to_json(t)::text FROM {table} t"))  # noqa: S608
            assert not any("segreto" in row[0] for row in rows), table
        assert await tickets.waiting(connection) == []
    assert said(await desk.transcript()) == [
        (
            "bot",
            "Fatto: ho cancellato quello che era salvato qui. Se usi un'app, cancella la chat anche sul tuo telefono.",
        )
    ]


async def test_a_state_nobody_can_read_is_begun_anew(desk: Desk) -> None:
    await desk.write("ciao")
    await desk.turns()
    async with desk.program.database.begin() as connection:
        await connection.execute(update(conversations).values(state={"v": 999}))
    await desk.write("guardia medica")
    await desk.turns()
    rows = await desk.transcript()
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert rows[-1].body["blocks"][1]["slug"] == "night-doctor"


async def test_a_crafted_button_is_an_expired_one(desk: Desk) -> None:
    for choice_id in ("9999999999.0", "2147483648.1", "1.99999", "..", "²³.1"):
        await desk.write("", kind=InboundKind.CHOICE, choice_id=choice_id)
    await desk.turns()
    assert await desk.inbox_counts() == {"waiting": 0, "done": 5, "failed": 0, "set-aside": 0}


async def test_whoever_is_with_a_mediator_stays_there_though_the_state_was_lost(desk: Desk) -> None:
    await desk.write("persona")
    await desk.turns()
    mediator = await desk.staff("anna", Role.MEDIATOR)
    await desk.claim(mediator)
    async with desk.program.database.begin() as connection:
        await connection.execute(update(conversations).values(state={"v": 99}))
    await desk.write("persona")
    await desk.turns()
    joined = desk.program.catalogue.text("bot.mediator_joined", "it")
    assert (await desk.transcript())[-1].body["blocks"][-1]["text"] == joined
