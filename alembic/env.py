"""Runs the migrations on the connection that `store.migrations` hands over."""

from alembic import context
from sqlalchemy import Connection

from store.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
