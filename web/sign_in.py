"""The staff's door: sign in, sign out, and the language of the desk."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from bot.languages import CODES
from store import staff
from store.database import Database
from store.staff import Role, StaffMember
from web.identity import Identity, SignedIn, TooManyAttemptsError
from web.shell import Shell, page_language


def router(shell: Shell, identity: Identity, database: Database) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/desk")
    anyone = identity.require_form(*Role)

    @routes.get("/sign-in")
    async def show(request: Request, next: str = "/desk") -> Response:  # noqa: A002 - the name in the address
        if await identity.current(request) is not None:
            return RedirectResponse(_local(next), 303)
        return _form(shell, request, next_page=_local(next))

    @routes.post("/sign-in")
    async def sign_in(
        request: Request,
        login: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "/desk",  # noqa: A002 - the name in the form
    ) -> Response:
        response = RedirectResponse(_local(next), 303)
        address = request.client.host if request.client else ""
        try:
            member = await identity.sign_in(response, login=login.strip(), password=password, address=address)
        except TooManyAttemptsError:
            return _form(shell, request, next_page=_local(next), problem="sign_in.too_many", status=429)
        if member is None:
            return _form(shell, request, next_page=_local(next), problem="sign_in.wrong", status=403)
        response.headers["location"] = _landing(member, _local(next))
        return response

    @routes.post("/sign-out")
    async def sign_out(request: Request, _signed_in: Annotated[SignedIn, Depends(anyone)]) -> Response:
        response = RedirectResponse("/desk/sign-in", 303)
        await identity.sign_out(request, response)
        return response

    @routes.post("/language")
    async def choose_language(
        signed_in: Annotated[SignedIn, Depends(anyone)],
        language: Annotated[str, Form()],
        next: Annotated[str, Form()] = "/desk",  # noqa: A002 - the name in the form
    ) -> Response:
        if language in CODES:
            async with database.begin() as connection:
                await staff.set_language(connection, signed_in.member.id, language)
        return RedirectResponse(_local(next), 303)

    return routes


def _form(shell: Shell, request: Request, *, next_page: str, problem: str | None = None, status: int = 200) -> Response:
    return shell.page(
        request,
        "web/sign_in.html",
        code=page_language(request),
        status=status,
        next_page=next_page,
        problem=problem,
    )


def _landing(member: StaffMember, address: str) -> str:
    """Give where a member begins: who only edits may not see the queue, and would begin with a refusal."""
    return "/desk/knowledge" if address == "/desk" and member.roles == {Role.EDITOR} else address


def _local(address: str) -> str:
    """Give an address within the desk: never another site, whatever the form says."""
    path = address.partition("?")[0].partition("#")[0]
    if path == "/desk" or (path.startswith("/desk/") and "\\" not in address and "//" not in path):
        return address
    return "/desk"
