"""What a button can mean. A platform only ever sees an opaque id; the meaning stays with us."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

# No slug holds it.
_CASE: Final = "#"


class Verb(StrEnum):
    """The closed set of things a resident can pick."""

    ENTRY = "entry"  # argument: slug, or slug#facet for one case of it
    GROUP = "group"  # argument: services, work or training
    SECTION = "section"  # argument: group and section, as `bot.topics.named` writes them
    MENU = "menu"
    PERSON = "person"
    DECLINE_PERSON = "decline-person"
    LANGUAGES = "languages"
    LANGUAGE = "language"  # argument: language code
    HELPFUL = "helpful"  # argument: slug
    NOT_HELPFUL = "not-helpful"  # argument: slug
    STOP = "stop"
    DELETE = "delete"
    DELETE_CONFIRMED = "delete-confirmed"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Pick:
    """A verb with the argument that its comment above names."""

    verb: Verb
    argument: str = ""

    def to_json(self) -> dict[str, str]:
        """Write the pick as JSON values."""
        return {"verb": self.verb.value, "argument": self.argument}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError on anything else."""
        return cls(Verb(data["verb"]), str(data["argument"]))


def case_pick(slug: str, facet: str) -> Pick:
    """Give the pick of one case of an entry."""
    return Pick(Verb.ENTRY, f"{slug}{_CASE}{facet}")


def case_of(argument: str) -> tuple[str, str]:
    """Give slug and facet of the argument of `Verb.ENTRY`; the facet is empty where it names the whole entry."""
    slug, _, facet = argument.partition(_CASE)
    return slug, facet


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to pick, with the wording id of its label.

    An empty `label` means that the label is the argument's own name: an entry's question in the
    resident's language, or a language's name in itself.
    """

    pick: Pick
    label: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the choice as JSON values."""
        return {"pick": self.pick.to_json(), "label": self.label}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError on anything else."""
        return cls(Pick.from_json(data["pick"]), str(data["label"]))
