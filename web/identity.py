"""Who of the staff is at the other end: sign-in, session cookie, roles, and the token of every form."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Form, Request
from starlette.responses import Response

from store import limits, staff
from store.database import Database
from store.staff import Role, StaffMember
from web.passwords import verified
from web.protection import Signer

COOKIE: Final = "sportello_staff"
SESSION: Final = timedelta(hours=12)
ATTEMPTS: Final = 10
# What the counter of a login is keyed with.
SIGN_IN: Final = "sign-in"
ATTEMPTS_WINDOW: Final = timedelta(minutes=15)


class SignInNeededError(Exception):
    """Nobody is signed in; the page asks for it and comes back."""


class ForbiddenError(Exception):
    """The signed-in member has not the role, or the form has not its token."""


class TooManyAttemptsError(Exception):
    """Too many sign-ins failed in a while, for this login or from this address."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member of the staff at a browser; `csrf` goes into every form as the field `csrf`."""

    member: StaffMember
    csrf: str


class Identity:
    """Sign-in and sessions of the staff."""

    def __init__(self, database: Database, signer: Signer, clock: Callable[[], datetime], *, secure: bool) -> None:
        """`secure` says that the public address is https, so that the cookie is never sent without it."""
        self._database = database
        self._signer = signer
        self._clock = clock
        self._secure = secure

    async def sign_in(self, response: Response, *, login: str, password: str, address: str) -> StaffMember | None:
        """Check a sign-in and set the cookie on the response; None where login or password is wrong.

        Raises TooManyAttemptsError after ten attempts in a quarter of an hour for one login or address.
        """
        now = self._clock()
        keys = [self._signer.keyed(SIGN_IN, login.lower()), self._signer.keyed("sign-in-address", address)]
        async with self._database.begin() as connection:
            tried = [await limits.hit(connection, key, window=ATTEMPTS_WINDOW, now=now) for key in keys]
            found = await staff.by_login(connection, login)
        if max(tried) > ATTEMPTS:
            raise TooManyAttemptsError
        if not await verified(found[1] if found else None, password) or found is None:
            return None
        token = secrets.token_urlsafe(32)
        async with self._database.begin() as connection:
            for key in keys:
                await limits.forget(connection, key)
            await staff.open_session(
                connection, token_hash=_hash(token), staff_id=found[0].id, now=now, expires_at=now + SESSION
            )
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION.total_seconds()),
            path="/desk",
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )
        return found[0]

    async def sign_out(self, request: Request, response: Response) -> None:
        """End the session and drop the cookie."""
        token = request.cookies.get(COOKIE)
        if token:
            async with self._database.begin() as connection:
                await staff.close_session(connection, _hash(token))
        response.delete_cookie(COOKIE, path="/desk")

    async def current(self, request: Request) -> SignedIn | None:
        """Give who is signed in, or None."""
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        async with self._database.read() as connection:
            member = await staff.by_session(connection, _hash(token), now=self._clock())
        return None if member is None else SignedIn(member, self._signer.keyed("csrf", token))

    def require(self, *roles: Role) -> Callable[[Request], Awaitable[SignedIn]]:
        """Make a dependency for routes that read: any one of the roles is enough."""

        async def dependency(request: Request) -> SignedIn:
            signed_in = await self.current(request)
            if signed_in is None:
                raise SignInNeededError
            if not signed_in.member.roles.intersection(roles):
                raise ForbiddenError
            return signed_in

        return dependency

    def still(self, request: Request, *roles: Role) -> Callable[[], Awaitable[bool]]:
        """Make the function that tells whether who made a request is still signed in, with any one of the roles."""

        async def may_read() -> bool:
            signed_in = await self.current(request)
            return signed_in is not None and bool(signed_in.member.roles.intersection(roles))

        return may_read

    def require_form(self, *roles: Role) -> Callable[..., Awaitable[SignedIn]]:
        """Make a dependency for routes that change something: role and the form's token."""
        reading = self.require(*roles)

        async def dependency(request: Request, csrf: str = Form("")) -> SignedIn:
            signed_in = await reading(request)
            if not hmac.compare_digest(signed_in.csrf.encode(), csrf.encode(errors="replace")):
                raise ForbiddenError
            return signed_in

        return dependency


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
