"""The beginning of the command `sportello`."""

import gc
import sys
from collections.abc import Callable


def main() -> None:
    """Run the command line. Ctrl-C is no error either in the second in which the program is still being read."""
    try:
        read()()
    except KeyboardInterrupt:
        sys.exit(130)


def read() -> Callable[[], None]:
    """Read the program; gives what runs it."""
    # Modules stay: to look through them again and again for what may go would take a third of the reading.
    gc.disable()
    try:
        from sportello.cli import main as run  # noqa: PLC0415 - it is the reading that may be interrupted

        return run
    finally:
        gc.freeze()
        gc.enable()
