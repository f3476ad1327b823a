"""A mediator who is one no more: whom they held is not left with nobody."""

from uuid import UUID

import pytest

from bot.state import Stage
from handoff import queue
from handoff.queue import Gone
from sportello import clock
from sportello.commands import change_staff
from store import conversations, tickets
from store.conversations import Author
from store.staff import Role, StaffMember
from tests.sportello.desk import Desk


@pytest.mark.parametrize(("roles", "active"), [((), False), ((Role.EDITOR,), None)])
async def test_whom_they_held_go_back_to_the_bot_and_may_ask_again(
    desk: Desk, anna: StaffMember, held: UUID, roles: tuple[Role, ...], *, active: bool | None
) -> None:
    await change_staff(desk.program.settings, "anna", roles, None, active=active)
    # A command has the real time, which may be ahead of ours.
    desk.clock.now = max(desk.clock.now, clock.now())
    await desk.turns()
    rows = await desk.transcript()
    assert rows[-1].author is Author.BOT
    assert "automatico" in rows[-1].body["blocks"][0]["text"]
    async with desk.program.database.begin() as connection:
        ticket = await tickets.get(connection, held)
        assert ticket is not None
        found = await conversations.get(connection, ticket.conversation_id)
        assert found is not None
        assert found.state is not None
        assert found.state["stage"] == Stage.OPEN
        assert await tickets.claimed(connection) == []
    await desk.write("persona")
    await desk.turns()
    async with desk.program.database.begin() as connection:
        (again,) = await tickets.waiting(connection)
        if active is False:
            assert await queue.claim(connection, again.id, anna, new_id=desk.new_id, now=desk.clock()) == Gone()


async def test_who_only_holds_less_keeps_what_they_have(desk: Desk, held: UUID) -> None:
    await change_staff(desk.program.settings, "anna", (), 1, active=None)
    async with desk.program.database.begin() as connection:
        assert [kept.id for kept in await tickets.claimed(connection)] == [held]
