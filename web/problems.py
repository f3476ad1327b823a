"""What a reader sees when something is wrong: a page in their language, never a stack trace."""

from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from store.database import TROUBLES
from web.identity import ForbiddenError, SignInNeededError
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


def install(app: FastAPI, shell: Shell) -> None:
    """Handle every exception that leaves a route."""

    def problem(request: Request, status: int) -> Response:
        message = MESSAGES.get(status, "web.problem.failed")
        if "text/html" not in request.headers.get("accept", "*/*") and "json" in request.headers.get("accept", ""):
            return JSONResponse({"problem": shell.catalogue.text(message, page_language(request))}, status)
        return shell.problem(request, status=status, message=message)

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return problem(request, 500)
        answer = problem(request, error.status_code)
        # Where a method is refused, `Allow` names those that are not.
        answer.headers.update(error.headers or {})
        return answer

    async def invalid(request: Request, _error: Exception) -> Response:
        return problem(request, 422)

    async def forbidden(request: Request, _error: Exception) -> Response:
        return problem(request, 403)

    async def sign_in(request: Request, _error: Exception) -> Response:
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            return problem(request, 403)
        return RedirectResponse(f"/desk/sign-in?{urlencode({'next': request.url.path})}", 303)

    async def away(request: Request, error: Exception) -> Response:
        log.error("database_trouble", error=type(error).__name__, path=request.url.path)
        return problem(request, 503)

    async def failed(request: Request, error: Exception) -> Response:
        log.error("request_failed", error=type(error).__name__, at=place(error), path=request.url.path)
        return problem(request, 500)

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ForbiddenError, forbidden)
    app.add_exception_handler(SignInNeededError, sign_in)
    for trouble in TROUBLES:
        app.add_exception_handler(trouble, away)
    app.add_exception_handler(Exception, failed)
