"""Requests that the program makes itself: a connection that is lost as soon as it is made counts as not made.

On uvloop, anyio has no socket to show for a connection that the other side closes in the moment in which it is made,
and httpcore, which asks for it, falls over an AttributeError. Nothing was sent then, so that all may be tried again:
what sends has to hear of it as of a connection that was refused, and not as of a fault of ours.

These are hooks and no transport: a client with a transport of its own looks at no proxies of the environment.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx

# What httpcore names when a connection stands, also one to a proxy (https://www.encode.io/httpcore/extensions/#trace).
_MADE: Final = (".connect_tcp.complete", ".start_tls.complete")


async def _look(event: str, told: Mapping[str, Any]) -> None:
    """Look at a connection when it was just made. Raises ConnectError, before anything is sent."""
    if not event.endswith(_MADE):
        return
    stream = told["return_value"]
    try:
        stream.get_extra_info("socket")
    except AttributeError as error:
        await stream.aclose()
        raise httpx.ConnectError("closed as soon as it was made") from error


async def _watch(request: httpx.Request) -> None:
    request.extensions["trace"] = _look


# For `event_hooks` of every client that the program makes.
WATCHED: Final[Mapping[str, list[Callable[..., Awaitable[None]]]]] = {"request": [_watch]}
