"""What a reader sees when something is wrong: a page in their language, never a stack trace."""

from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from store.database import TROUBLES
from web.identity import ForbiddenError, Identity, SignInNeededError
from web.shell import Shell, page_language
from web.tracing import place

log = structlog.get_logger(__name__)

MESSAGES: Final = {
    403: "web.problem.forbidden",
    404: "web.problem.not_found",
    405: "web.problem.not_found",
    413: "web.problem.too_large",
    422: "web.problem.invalid",
    429: "web.problem.too_many",
    503: "web.problem.away",
}


class Problems:
    """Makes what a reader sees: a page, or JSON for a script, in the language of who reads."""

    def __init__(self, shell: Shell, identity: Identity) -> None:
        """Use the shell's page for problems, and ask who of the staff is signed in."""
        self._shell = shell
        self._identity = identity

    async def answer(self, request: Request, status: int) -> Response:
        """Say what is wrong; the staff in the language that they chose for the desk."""
        message = MESSAGES.get(status, "web.problem.failed")
        code = await self._language(request)
        if "text/html" not in request.headers.get("accept", "*/*") and "json" in request.headers.get("accept", ""):
            return JSONResponse({"problem": self._shell.catalogue.text(message, code)}, status)
        return self._shell.problem(request, status=status, message=message, code=code)

    async def _language(self, request: Request) -> str:
        try:
            signed_in = await self._identity.current(request)
        except TROUBLES:
            # Perhaps the very trouble that is to be told; then the browser's language must do.
            signed_in = None
        return page_language(request) if signed_in is None else signed_in.member.language


def install(app: FastAPI, problems: Problems) -> None:
    """Handle every exception that leaves a route."""
    problem = problems.answer

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return await problem(request, 500)
        answer = await problem(request, error.status_code)
        # Where a method is refused, `Allow` names those that are not.
        answer.headers.update(error.headers or {})
        return answer

    async def invalid(request: Request, _error: Exception) -> Response:
        return await problem(request, 422)

    async def forbidden(request: Request, _error: Exception) -> Response:
        return await problem(request, 403)

    async def sign_in(request: Request, _error: Exception) -> Response:
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            return await problem(request, 403)
        return RedirectResponse(f"/desk/sign-in?{urlencode({'next': request.url.path})}", 303)

    async def away(request: Request, error: Exception) -> Response:
        log.error("database_trouble", error=type(error).__name__, path=request.url.path)
        return await problem(request, 503)

    async def failed(request: Request, error: Exception) -> Response:
        log.error("request_failed", error=type(error).__name__, at=place(error), path=request.url.path)
        return await problem(request, 500)

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ForbiddenError, forbidden)
    app.add_exception_handler(SignInNeededError, sign_in)
    for trouble in TROUBLES:
        app.add_exception_handler(trouble, away)
    app.add_exception_handler(Exception, failed)
