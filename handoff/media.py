"""What a resident sent beside text, fetched from the platform when a mediator opens it, and kept nowhere."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from handoff.console import ROLES, Desk
from handoff.ranges import UnsatisfiableError, piece
from store import conversations, tickets
from store.conversations import PLACE_MAX, Address
from web.identity import SignedIn
from web.messages import ShownMedium, shown_media

# What a browser shows without running anything in it. Not SVG and not HTML, which can hold programs.
INLINE: Final = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "audio/ogg",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/wav",
        "audio/x-wav",
        "video/mp4",
        "video/webm",
        "video/quicktime",
    }
)
_OTHERWISE: Final = "application/octet-stream"
_HEADERS: Final = {
    # Whatever it is, it runs nothing and loads nothing, also where it is opened by itself.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Voices of WeChat and Telegram, which the library does not know or names otherwise.
_EXTENSIONS: Final = {"audio/amr": ".amr", "audio/ogg": ".ogg"}
Place = Annotated[int, Path(ge=0, le=PLACE_MAX)]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A medium as the platform gave it."""

    media_type: str
    content: bytes


class UnavailableError(Exception):
    """There is no such medium now: `message` is an id of the catalogue, `status` the HTTP answer."""

    def __init__(self, message: str, status: int) -> None:
        """Say why."""
        super().__init__(message)
        self.message = message
        self.status = status


# Fetches a medium by where the conversation takes place and the platform's reference; raises UnavailableError.
Fetch = Callable[[Address, str], Awaitable[Fetched]]


def router(desk: Desk, fetch: Fetch) -> APIRouter:
    """Make the route of the media of a ticket's conversation."""
    routes = APIRouter(prefix="/desk")
    reader = Annotated[SignedIn, Depends(desk.identity.require(*ROLES))]

    @routes.get("/tickets/{ticket_id}/media/{seq}/{place}")
    async def show(
        request: Request, signed_in: reader, ticket_id: UUID, seq: Place, place: Place, *, download: bool = False
    ) -> Response:
        address, medium = await _found(desk, ticket_id, seq, place)
        try:
            fetched = await fetch(address, medium.ref)
        except UnavailableError as error:
            return await desk.show_ticket(request, signed_in, ticket_id, problem=error.message, status=error.status)
        headers, media_type = _headers(medium, fetched, unnamed=f"{medium.kind}-{seq}-{place}", download=download)
        return _answer(request, fetched.content, media_type, headers)

    return routes


async def _found(desk: Desk, ticket_id: UUID, seq: int, place: int) -> tuple[Address, ShownMedium]:
    """Look a medium up in the ticket's own conversation; no transaction is open while it is fetched."""
    async with desk.database.read() as connection:
        ticket = await tickets.get(connection, ticket_id)
        conversation = None if ticket is None else await conversations.get(connection, ticket.conversation_id)
        row = None if conversation is None else await conversations.message(connection, conversation.id, seq)
    media = () if row is None else shown_media(row.body)
    if conversation is None or row is None or place >= len(media) or not media[place].has_file:
        raise HTTPException(404)
    return conversation.address, media[place]


def _headers(medium: ShownMedium, fetched: Fetched, *, unnamed: str, download: bool) -> tuple[dict[str, str], str]:
    """Give headers and type: shown in the page only where it is of a type that can do no harm."""
    media_type = fetched.media_type.partition(";")[0].strip().lower()
    inline = medium.player is not None and media_type in INLINE and not download
    kind = "inline" if inline else "attachment"
    name = medium.name or unnamed + (_EXTENSIONS.get(media_type) or mimetypes.guess_extension(media_type) or "")
    # RFC 6266: the name as it is, in UTF-8; old browsers take the one in ASCII.
    plain = name.encode("ascii", "replace").decode().translate(str.maketrans('"\\/?\r\n', "______"))
    disposition = f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    # The same bytes have the same tag, however often they are fetched.
    tag = f'"{hashlib.sha256(fetched.content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "Content-Disposition": disposition, "Accept-Ranges": "bytes", "ETag": tag}
    return headers, media_type if media_type in INLINE else _OTHERWISE


def _answer(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """Give the bytes, or the one piece of them that was asked for: some players go on only with pieces.

    `If-Range` with another tag asks for the whole: what the player holds is of another file.
    """
    asked = request.headers.get("range")
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        asked = None
    try:
        found = piece(asked, len(content))
    except UnsatisfiableError:
        return Response(status_code=416, headers=_HEADERS | {"Content-Range": f"bytes */{len(content)}"})
    if found is None:
        return Response(content, media_type=media_type, headers=headers)
    headers["Content-Range"] = f"bytes {found.first}-{found.last}/{len(content)}"
    return Response(content[found.first : found.last + 1], 206, media_type=media_type, headers=headers)
