"""Telling a resident that a mediator is writing. It is no message: nothing is stored, and nothing lost."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.background import BackgroundTask
from starlette.responses import Response

from handoff.console import ROLES, Desk
from store import conversations, tickets
from store.conversations import Address
from store.notify import Topic, notify
from web.identity import SignedIn

# Shows it on the platform of a conversation, where that can be seen; never fails.
Show = Callable[[Address], Awaitable[None]]


def router(desk: Desk, show: Show) -> APIRouter:
    """Make the route, which the desk's script calls every few seconds while somebody types a reply."""
    routes = APIRouter(prefix="/desk")
    writer = Annotated[SignedIn, Depends(desk.identity.require_form(*ROLES))]

    @routes.post("/tickets/{ticket_id}/typing")
    async def typing(signed_in: writer, ticket_id: UUID) -> Response:
        async with desk.database.begin() as connection:
            found = await tickets.get(connection, ticket_id)
            if found is None or not found.held_by(signed_in.member.id):
                return Response(status_code=409)
            conversation = await conversations.get(connection, found.conversation_id)
            notify(connection, Topic.TYPING, str(found.conversation_id))
        # After the answer: the platform may take its time.
        task = None if conversation is None else BackgroundTask(show, conversation.address)
        return Response(status_code=204, background=task)

    return routes
