"""The beginning of the command `sportello`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C is no error either in the second in which the program is still being read."""
    try:
        from sportello.cli import main as run  # noqa: PLC0415 - it is the reading that may be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)
