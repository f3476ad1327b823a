"""An editor's browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from store.staff import Role
from tests.sportello.desk import Desk
from tests.sportello.test_desk import sign_in


@asynccontextmanager
async def editor_browser(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of Edda, who is an editor and signed in."""
    await desk.staff("edda", Role.EDITOR)
    async with desk.browser() as client:
        await sign_in(client, "edda")
        yield client
