"""The starter entries, read once in each process of the tests."""

from functools import cache

from knowledge import files
from knowledge.entry import Entry


@cache
def starter() -> tuple[Entry, ...]:
    """Give all of them; nobody changes what others see, since they are immutable."""
    entries, problems = files.read_folder(files.STARTER)
    assert problems == []
    return tuple(entries)
