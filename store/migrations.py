"""Bringing the schema up to date, and telling whether it fits the program."""

from enum import Enum, auto
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store.database import Database, Read

FOLDER: Final = Path(__file__).resolve().parent.parent / "alembic"
# Any number of ours: two processes that migrate at once wait for one another on this advisory lock.
LOCK: Final = 7_700_747_167


class Fit(Enum):
    """How the schema of a database stands to the program."""

    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def fit_of(connection: Connection) -> Fit:
    """Compare the schema's version with the program's; a version the program has never heard of is newer."""
    heads = set(ScriptDirectory.from_config(_config()).get_heads())
    current = set(MigrationContext.configure(connection).get_current_heads())
    if current == heads:
        return Fit.CURRENT
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return Fit.OLDER if current <= known else Fit.NEWER


async def fit(connection: Read) -> Fit:
    """Compare the schema's version with the program's."""
    return await connection.run_sync(fit_of)


async def upgrade(database: Database, target: str = "head") -> None:
    """Bring the schema to a version; everything or nothing."""
    async with database.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(lambda inner: command.upgrade(_config(inner), target))


async def move(database: Database, target: str) -> None:
    """Bring the schema to a version, whether it lies before or after the present one."""
    async with database.read() as connection:
        current = await connection.run_sync(
            lambda inner: MigrationContext.configure(inner).get_current_revision() or "base"
        )
    known = ["base", *reversed([script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()])]
    backwards = target in known and current in known and known.index(target) < known.index(current)
    await (downgrade if backwards else upgrade)(database, target)


async def downgrade(database: Database, target: str) -> None:
    """Take the schema back to a version; everything or nothing."""
    async with database.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(lambda inner: command.downgrade(_config(inner), target))
