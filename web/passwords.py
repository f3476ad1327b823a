"""Passwords of the staff: argon2id with the library's current parameters (RFC 9106)."""

import asyncio
import secrets
from base64 import b64encode
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

# No letters or digits that are taken for one another when read aloud or from paper.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher: Final = PasswordHasher()


def _hash_of_nothing() -> str:
    """Write what looks like a hash of our parameters (RFC 9106); to make one would take a tenth of a second."""
    salt, made = (
        b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${made}"


# Verified against where the login is unknown, so that the time of an answer does not tell logins.
_NOBODY: Final = _hash_of_nothing()


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
