"""Moving the schema with Alembic: imported only where that happens, as the library takes ten megabytes."""

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from store.migrations import FOLDER, MigrationError


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def up(connection: Connection, target: str) -> None:
    """Move to a later version, "head" being the last. Raises MigrationError where there is none such."""
    try:
        command.upgrade(_config(connection), target)
    except CommandError as error:
        raise MigrationError(str(error)) from error


def down(connection: Connection, target: str) -> None:
    """Move to an earlier version, "base" being before the first. Raises MigrationError where there is none such."""
    try:
        command.downgrade(_config(connection), target)
    except CommandError as error:
        raise MigrationError(str(error)) from error
