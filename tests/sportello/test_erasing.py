"""Deleting what a resident wrote, while somebody at the desk writes about it."""

from uuid import UUID

import pytest
from sqlalchemy import String, cast, select

from handoff import ticket
from handoff.ticket import Done, Refused
from store import inbox
from store.conversations import Author, messages
from store.staff import StaffMember
from tests.sportello.desk import Desk

SECRET = "Il suo permesso è scaduto a marzo"


async def everything_kept(desk: Desk) -> str:
    """Give whatever the transcript and the inbox hold, as one text."""
    async with desk.program.database.read() as connection:
        said = (await connection.execute(select(cast(messages.c.body, String)))).scalars().all()
        came = (await connection.execute(select(cast(inbox.inbox.c.payload, String)))).scalars().all()
    return "\n".join(text for text in [*said, *came] if text is not None)


@pytest.mark.parametrize("what", ["reply", "note"])
async def test_what_a_mediator_sent_in_the_moment_of_erasing_is_not_kept(
    desk: Desk, anna: StaffMember, held: UUID, what: str
) -> None:
    await desk.write("cancella i miei dati")
    await desk.turns()
    await desk.write("sì")
    writes = ticket.reply if what == "reply" else ticket.note
    async with desk.program.database.begin() as connection:
        done = await writes(connection, held, anna, SECRET, key=desk.new_id(), now=desk.clock())
        assert done == Done()
    await desk.turns()
    assert SECRET not in await everything_kept(desk)
    rows = await desk.transcript()
    assert Author.NOTE not in [row.author for row in rows]
    # Who sent a reply is told that it did not arrive.
    assert ("reply-too-late" in [row.body.get("code") for row in rows]) == (what == "reply")
    async with desk.program.database.begin() as connection:
        refused = await writes(connection, held, anna, SECRET, key=desk.new_id(), now=desk.clock())
        assert isinstance(refused, Refused)
        assert refused.message == "desk.problem.closed"
