"""A login that is not there must not answer sooner than one that is."""

from argon2 import PasswordHasher, extract_parameters

from web import passwords


async def test_a_password_is_verified_by_its_hash() -> None:
    stored = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("right")
    assert await passwords.verified(stored, "right")
    assert not await passwords.verified(stored, "wrong")
    assert not await passwords.verified("no hash", "right")


async def test_nobody_is_verified_at_the_cost_of_somebody() -> None:
    somebody = passwords.hashed("right")
    assert extract_parameters(passwords._NOBODY) == extract_parameters(somebody)
    assert not await passwords.verified(None, "right")
