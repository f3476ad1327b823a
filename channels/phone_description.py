"""The phone gateway described for programs, as OpenAPI: the guide in docs/gateway.md says the same to people. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.routing import BaseRoute

from channels import describing
from channels.describing import Problem
from channels.phone import TEXT_MAX, TOKEN_HEADER, MessageField, NameField, Notification

ABOUT: Final = """\
For a phone that passes on the notifications of messaging apps, and sends the answers through them.

Every request carries the header `X-Device-Token` with the phone's own token; without it, or with another, the answer
is 401. Fields that are not described are passed over. What is handed over is the phone's for two minutes. Where it
says nothing in that time, nobody knows whether it arrived: the staff see it so, and it is not handed over again."""


class NotificationForm(BaseModel):
    """A notification as a form, for a macro that cannot write JSON: the same fields without the nesting."""

    package: NameField = Field(alias="messengerPackageName")
    sender: NameField
    message: MessageField


class Reply(BaseModel):
    """One text to send through the notification."""

    message: str = Field(description=f"At most {TEXT_MAX} UTF-16 units.")


class Replies(BaseModel):
    """What is to be sent through the notification at once, one after the other; often nothing."""

    replies: list[Reply]


class Told(BaseModel):
    """A message for a resident, handed over to the phone: it says within two minutes how that ended."""

    id: int
    package: str = Field(description="The app, as `messengerPackageName` came in.")
    recipient: str = Field(description="The title under which the resident wrote, without invisible signs.")
    text: str = Field(description="All of it, the parts with an empty line between them.")
    texts: list[str] = Field(description=f"The parts, each at most {TEXT_MAX} UTF-16 units: send these.")
    language: str = Field(description="Language of what the service says; a mediator may write in another.")
    by_person: bool
    created_at: datetime


class Box(BaseModel):
    """What is handed over, at most one message for each chat."""

    messages: list[Told]


class Acknowledgement(BaseModel):
    """How a message ended on the phone."""

    status: Literal["done", "failed"]


class Acknowledged(BaseModel):
    """How a message stands: sent, needs-person, unknown ... The first word on it counts."""

    status: str


class Beat(BaseModel):
    """The phone was heard of."""

    ok: Literal[True]
    device: str = Field(description="The phone's name.")
    now: datetime


MESSAGE: Final = describing.body(Notification, NotificationForm)
ACKNOWLEDGEMENT: Final = describing.body(Acknowledgement)
_BODIES: Final[Sequence[type[BaseModel]]] = (Notification, NotificationForm, Acknowledgement)
_DEVICE: Final = "device"
_WITH_WORDS: Final = (400, 404, 422)


_MEANINGS: Final = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    404: "There is no such message for this phone.",
    413: "The body is larger than 64 KiB.",
    422: "The address cannot be read; `problem` says why.",
    503: "The service is away for a moment: try again.",
}


def refusals(*statuses: int, shaped_as: type[BaseModel] | None = None) -> dict[int | str, dict[str, Any]]:
    """Describe the answers that are none, with those that every request can get.

    A notification is always answered in one shape; elsewhere the refusals of a phone that is known say why.
    """
    told: dict[int | str, dict[str, Any]] = {}
    for status in (401, *statuses, 503):
        told[status] = {"description": _MEANINGS[status]}
        model = shaped_as or (Problem if status in _WITH_WORDS else None)
        if model is not None:
            told[status]["model"] = model
    return told


def openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Describe the routes as OpenAPI 3.1."""
    described = describing.openapi("Sportello phone gateway", ABOUT, routes, _BODIES)
    token = {"type": "apiKey", "in": "header", "name": TOKEN_HEADER.title()}
    described["components"]["securitySchemes"] = {_DEVICE: token}
    described["security"] = [{_DEVICE: []}]
    return described
