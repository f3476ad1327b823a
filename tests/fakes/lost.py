"""Connections that the other side closes in the moment in which they are made."""

import asyncio
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream


def lose_connections(patch: pytest.MonkeyPatch) -> None:
    """Close every connection from here on before who asked for it hears of it, as a reset at the right moment does."""
    connect = anyio.connect_tcp

    async def lost(*args: Any, **more: Any) -> SocketStream:
        stream: SocketStream = await connect(*args, **more)
        # What uvloop does by itself when it reads the reset; in the next round of the loop the socket is gone.
        stream._transport.abort()  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        return stream

    patch.setattr(anyio, "connect_tcp", lost)
