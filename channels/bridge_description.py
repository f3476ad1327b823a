"""The bridge described for whoever writes one: as OpenAPI, and as rows for the page made of it. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from starlette.routing import BaseRoute

from channels import describing
from channels.bridge import SIGNATURE_HEADER, TIME_HEADER, Acknowledgement, Message
from channels.describing import PLACE, Problem

ABOUT: Final = """\
Plain JSON over HTTPS between Sportello and a program of yours, which speaks to another app.

Every request carries two headers. `X-Sportello-Time` is the time in seconds since 1970, as decimal digits, with up to
six decimals. `X-Sportello-Signature` is the word `sha256=` and, in hexadecimal, HMAC-SHA256 with the common secret over
these bytes: the value of X-Sportello-Time, a line feed, the method in capitals, a blank, the path with its query as it
is sent, a line feed, and the body as it is sent (nothing, where there is none). Requests whose time is more than five
minutes away are refused with 401, like those with a wrong signature.

A message may be posted again with the same id until it is answered with 200; it is stored once. An acknowledgement may
be repeated too. A request to the outbox may not: the same signature a second time is refused with 409.

What is handed over is yours for two minutes. Where you say nothing in that time, nobody knows whether it arrived: the
staff see it so, and it is not handed over again. The next message of the same chat waits for your word on this one."""
# FastAPI reads none of these for us, as bodies are signed byte by byte: it knows only what is answered.
_BODIES: Final[Sequence[type[BaseModel]]] = (Message, Acknowledgement)
# Refusals of a bridge that is known say why; all others are a status alone.
_WITH_WORDS: Final = (404, 409, 422)


def body(model: type[BaseModel] | None) -> dict[str, Any]:
    """Describe the signed headers, and the body."""
    told: dict[str, Any] = {
        "parameters": [
            {"name": name.title(), "in": "header", "required": True, "schema": {"type": "string"}}
            for name in (TIME_HEADER, SIGNATURE_HEADER)
        ]
    }
    return told if model is None else told | describing.body(model)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the answers that are none, with those that every request can get."""
    meanings = {
        401: "The signature is wrong, or the time too far away.",
        404: "There is no such message of this bridge.",
        409: "This very request came before.",
        413: "The body is larger than 64 KiB.",
        422: "The address or the body cannot be read; `problem` says why.",
        503: "The service is away for a moment: try again.",
    }
    told: dict[int | str, dict[str, Any]] = {}
    for status in (401, *statuses, 503):
        told[status] = {"description": meanings[status]}
        if status in _WITH_WORDS:
            told[status]["model"] = Problem
    return told


def openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Describe the routes as OpenAPI 3.1."""
    return describing.openapi("Sportello bridge", ABOUT, routes, _BODIES)


# --- page ------------------------------------------------------------------------------------------


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    """List the operations as the page shows them."""
    schemas = described["components"]["schemas"]
    found: list[dict[str, Any]] = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            given = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "about": operation["description"],
                    "parameters": operation.get("parameters", []),
                    "body": fields(given, schemas),
                    "answer": fields(answer, schemas),
                    "responses": operation["responses"],
                }
            )
    return found


def fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """List the fields of an object with their types in words, and under each what it holds itself."""
    whole = _resolved(schema, schemas)
    rows: list[dict[str, Any]] = []
    for name, field in whole.get("properties", {}).items():
        kinds = [_resolved(kind, schemas) for kind in field.get("anyOf", [field])]
        rows.append(
            {
                "name": name,
                "required": name in whole.get("required", []),
                "type": " or ".join(_words(kind, schemas) for kind in kinds),
                "values": [value for kind in kinds for value in kind.get("enum", [])],
                "about": field.get("description", ""),
                "fields": [row for kind in kinds for row in fields(kind.get("items", kind), schemas)],
            }
        )
    return rows


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Give what a reference names; anything else as it is."""
    named = schema.get("$ref")
    return schema if named is None else schemas[named.removeprefix(PLACE)]


def _words(kind: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Say of what type something is, and how long it may be."""
    said = str(kind.get("type", "anything"))
    if said == "array":
        return f"array of {_words(_resolved(kind.get('items', {}), schemas), schemas)}"
    if "format" in kind:
        said += f" ({kind['format']})"
    return f"{said} of at most {kind['maxLength']} characters" if "maxLength" in kind else said
