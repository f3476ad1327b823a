"""The groups of entries, and the sections of those that would be too long a list. Pure."""

from collections.abc import Mapping
from typing import Final

GROUPS: Final = ("services", "work", "training")
# By group, in the order in which they are shown. A group without any is one list.
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "services": ("permits", "staying", "papers", "health", "school", "home", "money", "help", "city"),
    "work": ("jobs", "rights"),
    "training": (),
}
# What is in no section, where the rest is: the name of this section, and of its label.
REST: Final = ""
OTHER: Final = "other"
# A longer list is nothing to choose from on a telephone: then the sections are shown first.
LISTED_AT_MOST: Final = 12
# Between group and section in the argument of a pick; no name holds it.
_BETWEEN: Final = "/"


def section_of(group: str, section: str) -> str:
    """Give the section under which an entry is listed: its own, or the rest where the group has no such section."""
    return section if section in SECTIONS.get(group, ()) else REST


def is_section(group: str, section: str) -> bool:
    """Tell whether a group has a section; every group has the rest."""
    return group in GROUPS and section_of(group, section) == section


def in_parts(entries: int, sections: int) -> bool:
    """Tell whether a group is shown by its sections: it has many entries, in several of them."""
    return entries > LISTED_AT_MOST and sections > 1


def label_of(section: str) -> str:
    """Give the id of the text that names a section."""
    return f"bot.choice.section.{section or OTHER}"


def named(group: str, section: str) -> str:
    """Give the argument of a pick that names a section of a group."""
    return f"{group}{_BETWEEN}{section}"


def group_and_section(argument: str) -> tuple[str, str]:
    """Read what `named` wrote."""
    group, _, section = argument.partition(_BETWEEN)
    return group, section
