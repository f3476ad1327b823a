"""Bringing the schema up to date, and telling whether it fits the program."""

import re
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text

from store.database import Database, Read

FOLDER: Final = Path(__file__).resolve().parent.parent / "alembic"
# Any number of ours: two processes that migrate at once wait for one another on this advisory lock.
LOCK: Final = 7_700_747_167
_REVISION: Final = re.compile(r"^(down_revision|revision) = (?:'(\w+)'|None)$", re.MULTILINE)
_CURRENT: Final = text("SELECT version_num FROM alembic_version")
_KEPT: Final = text("SELECT to_regclass('alembic_version') IS NOT NULL")


class MigrationError(Exception):
    """There is no way to a version; the message is fit to show to an administrator."""


class Fit(Enum):
    """How the schema of a database stands to the program."""

    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()


@cache
def versions() -> tuple[str, ...]:
    """Give the versions of the schema that the program knows, the first one first: each names the one before it."""
    after: dict[str, str] = {}
    for path in (FOLDER / "versions").glob("*.py"):
        found = dict(_REVISION.findall(path.read_text(encoding="utf-8")))
        after[found["down_revision"]] = found["revision"]
    known: list[str] = []
    while (last := known[-1] if known else "") in after:
        known.append(after[last])
    return tuple(known)


async def fit(connection: Read) -> Fit:
    """Compare the schema's version with the program's; a version the program has never heard of is newer."""
    current = await _current(connection)
    if current == versions()[-1]:
        return Fit.CURRENT
    return Fit.OLDER if current is None or current in versions() else Fit.NEWER


async def _current(connection: Read) -> str | None:
    if not (await connection.execute(_KEPT)).scalar_one():
        return None
    version: str | None = (await connection.execute(_CURRENT)).scalar_one_or_none()
    return version


async def upgrade(database: Database, target: str = "head") -> None:
    """Bring the schema to a version; everything or nothing. Raises MigrationError."""
    from store import moving  # noqa: PLC0415 - see there

    async with database.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(moving.up, target)


async def move(database: Database, target: str) -> None:
    """Bring the schema to a version, whether it lies before or after the present one. Raises MigrationError."""
    async with database.read() as connection:
        current = await _current(connection) or "base"
    known = ["base", *versions()]
    backwards = target in known and current in known and known.index(target) < known.index(current)
    await (downgrade if backwards else upgrade)(database, target)


async def downgrade(database: Database, target: str) -> None:
    """Take the schema back to a version; everything or nothing. Raises MigrationError."""
    from store import moving  # noqa: PLC0415 - see there

    async with database.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(moving.down, target)
