"""Which process of the tests gets which files: the long ones first, so that no process is idle at the end."""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# These have a reader of the whole knowledge base, which takes ten seconds to make, or memory at least: once is enough.
WHOLE_BASE: Final = (
    "tests/knowledge/test_understanding.py",
    "tests/knowledge/test_places.py",
    "tests/knowledge/test_spelled.py",
)
# These import aiogram, which takes three seconds.
AIOGRAM: Final = ("tests/channels/test_telegram_aiogram.py", "tests/channels/test_telegram_aiogram_webhook.py")
# Files that go to one process, by name.
TOGETHER: Final = dict.fromkeys(WHOLE_BASE, "the whole base") | dict.fromkeys(AIOGRAM, "aiogram")
# By the seconds that they take.
LONGEST: Final = (
    "tests/crash/test_crash.py",
    *WHOLE_BASE,
    "tests/knowledge/test_collisions.py",
    "tests/knowledge/test_graph.py",
    "tests/knowledge/test_served.py",
    "tests/channels/test_contract.py",
    "tests/knowledge/test_files.py",
    "tests/knowledge/test_exchange.py",
    *AIOGRAM,
    "tests/sportello/test_relay.py",
    "tests/sportello/test_telegram_media.py",
    "tests/sportello/test_channels.py",
    "tests/sportello/test_editing.py",
    "tests/sportello/test_wecom_failures.py",
    "tests/knowledge/test_checking.py",
    "tests/store/test_migrations.py",
)


def long_ones_first(items: list[pytest.Item]) -> None:
    """Sort the tests by how long their files take; within a file they stay as they are."""
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_file(item.nodeid), len(places)))


class Sharing(LoadFileScheduling):  # type: ignore[misc]  # the library has no types
    """Whole files, in the order of the tests and not by how many tests they have."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        """Take the library's way, without its order."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return TOGETHER.get(file, file)


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]
