"""Opening the database for a command: embedded or named, reachable, and with the schema of the program."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.engine import URL

from sportello.settings import Settings
from store import migrations
from store.database import TROUBLES, Database, normalised
from store.embedded import DataFolderError, EmbeddedServer
from store.migrations import Fit


class Refusal(Exception):  # noqa: N818 - no error of the program, but a plain word to the administrator
    """Something keeps the program from starting; the message is one clear line."""


@contextmanager
def database_url(settings: Settings) -> Iterator[URL]:
    """Give the database's URL, with the embedded server running where none is named."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        settings.secret()
    except OSError as error:
        raise Refusal(f"the data folder {settings.data_dir} cannot be written: {error.strerror}") from error
    if settings.database_url:
        try:
            yield normalised(settings.database_url)
        except ValueError as error:
            raise Refusal(f"SPORTELLO_DATABASE_URL: {error}") from error
        return
    server = EmbeddedServer(settings.data_dir.resolve() / "postgres")
    try:
        url = server.start()
    except DataFolderError as error:
        raise Refusal(str(error)) from error
    try:
        yield url
    finally:
        server.stop()


@asynccontextmanager
async def opened(url: URL, *, migrated: bool = True) -> AsyncIterator[Database]:
    """Give the database, once it is known to be there and, where `migrated`, to fit the program."""
    async with Database(url, pool_size=4) as database:
        fit = await _fit(database)
        if fit is Fit.NEWER:
            raise Refusal("the database was made by a newer Sportello; install that version or a later one")
        if fit is Fit.OLDER and migrated:
            raise Refusal("the database's schema is older than the program; run: sportello migrate")
        yield database


async def _fit(database: Database) -> Fit:
    try:
        async with database.read() as connection:
            return await migrations.fit(connection)
    except TROUBLES as error:
        host = database.url.host or "the embedded server"
        raise Refusal(f"the database cannot be reached at {host}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """Give the first line of the innermost cause, which names no password."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error) or type(error).__name__).splitlines()[0]
