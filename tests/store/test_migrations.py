"""The schema goes up, down and up again, fits the tables of the program, and tells when it is too new."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store import migrations
from store.database import Database
from store.migrations import Fit, MigrationError
from store.tables import metadata


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrated_schema_is_that_of_the_program(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.run_sync(_differences) == []
        assert await migrations.fit(connection) is Fit.CURRENT


async def test_down_leaves_nothing_and_up_again_fits(database: Database) -> None:
    await migrations.downgrade(database, "base")
    async with database.read() as connection:
        left = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        )
        assert list(left) == []
        assert await migrations.fit(connection) is Fit.OLDER
    await migrations.upgrade(database)
    async with database.read() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_schema_of_a_later_program_is_recognised(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    async with database.read() as connection:
        assert await migrations.fit(connection) is Fit.NEWER


def test_the_versions_are_those_that_the_library_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(migrations.versions()) == scripts[::-1]


def test_serving_does_without_the_library_that_migrates() -> None:
    imported = "import sys; from sportello import starting; starting.read(); assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", imported], check=True, timeout=60)  # noqa: S603 - our own program


async def test_a_version_that_is_none_is_refused(database: Database) -> None:
    with pytest.raises(MigrationError, match="0099"):
        await migrations.move(database, "0099")
