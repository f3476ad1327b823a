"""The page of the desk that shows how every channel is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from handoff.console import ROLES, Desk
from web.identity import SignedIn


def router(desk: Desk) -> APIRouter:
    """Make the route of the page."""
    routes = APIRouter(prefix="/desk")
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]

    @routes.get("/channels")
    async def show(request: Request, signed_in: reader) -> Response:
        async with desk.database.read() as connection:
            states = await desk.channels.states(connection)
        return desk.shell.page(
            request,
            "desk/channels.html",
            code=signed_in.member.language,
            signed_in=signed_in,
            section="channels",
            states=states,
        )

    return routes
