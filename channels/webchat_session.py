"""The resident's session: a signed cookie with a random token, technical storage and nothing else."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from fastapi import Request
from starlette.responses import Response

from store.conversations import Address
from web.protection import Signer

CHANNEL: Final = "web"
ACCOUNT: Final = "web"
COOKIE: Final = "sportello_session"
_CONVERSATIONS: Final = UUID("0d3c2f1a-9a44-4a51-8f83-0f1d0c6a4c7e")


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. The token never reaches the database, only its hash."""

    token: str

    @property
    def digest(self) -> str:
        """Give what stands for the session in the database: who reads it cannot make the cookie."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32]

    @property
    def thread(self) -> str:
        """Give the thread of the conversation."""
        return self.digest

    @property
    def conversation_id(self) -> UUID:
        """Give the id of the conversation, known before there is one and after it was deleted."""
        return uuid5(_CONVERSATIONS, self.digest)

    @property
    def address(self) -> Address:
        """Give where the conversation takes place."""
        return Address(CHANNEL, ACCOUNT, self.thread)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads sessions."""

    signer: Signer
    new_id: Callable[[], UUID]
    secure: bool

    def of(self, request: Request) -> Session | None:
        """Give the session of a browser, or None where it has none that we signed."""
        token = self.signer.read(request.cookies.get(COOKIE))
        return None if token is None else Session(token)

    def new(self) -> Session:
        """Make a session."""
        return Session(str(self.new_id()))

    def keep(self, response: Response, session: Session) -> None:
        """Give the browser its session, until it is closed."""
        response.set_cookie(COOKIE, self.signer.sign(session.token), httponly=True, secure=self.secure, samesite="lax")
