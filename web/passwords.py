"""Passwords of the staff: argon2id with the library's current parameters (RFC 9106)."""

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# No letters or digits that are taken for one another when read aloud or from paper.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher: Final = PasswordHasher()
# Verified against where the login is unknown, so that the time of an answer does not tell logins.
_NOBODY: Final = _hasher.hash(secrets.token_hex(16))


def random_password() -> str:
    """Make a password of four groups of four letters and digits (about 79 bits)."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def hashed(password: str) -> str:
    """Give the hash to store."""
    return _hasher.hash(password)


async def verified(stored: str | None, password: str) -> bool:
    """Tell whether a password is the right one; takes as long where there is no hash to compare with."""
    return await asyncio.to_thread(_verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
