"""What programs of others deliver to and fetch from, described as OpenAPI 3.1 for whoever writes one."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

PLACE: Final = "#/components/schemas/"


class Problem(BaseModel):
    """What is wrong with a request, in words for whoever wrote the program."""

    problem: str


class ProgramRoute(APIRoute):
    """A route for programs: what cannot be read of an address is answered in JSON, and not with a page for people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler, with that answer."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return JSONResponse({"problem": _unreadable(error)}, 422)

        return answer


def _unreadable(error: RequestValidationError) -> str:
    """Name what is wrong without quoting what was sent."""
    first = error.errors()[0]
    return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"


def body(model: type[BaseModel], form: type[BaseModel] | None = None) -> dict[str, Any]:
    """Describe a body, which FastAPI does not read for us; `form` is how a form says the same."""
    content = {"application/json": {"schema": {"$ref": PLACE + model.__name__}}}
    if form is not None:
        content["application/x-www-form-urlencoded"] = {"schema": {"$ref": PLACE + form.__name__}}
    return {"requestBody": {"required": True, "content": content}}


def openapi(title: str, about: str, routes: Sequence[BaseRoute], bodies: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """Describe routes. FastAPI knows only what they answer: `bodies` are what is read by hand."""
    described = get_openapi(title=title, version="1", description=about, routes=routes)
    _, read = models_json_schema([(model, "validation") for model in bodies], ref_template=PLACE + "{model}")
    described["components"]["schemas"] |= read["$defs"]
    return described
