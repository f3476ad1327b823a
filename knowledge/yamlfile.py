"""One YAML file read strictly: every problem is told with file, line and field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

# Every scalar is a string: "no" and "3.10" are texts here. In C where the library brings it: fifteen times as fast.
LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# Unicode's categories Cc and Cs, which never change, without the line end.
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
YES: Final = "true"
NO: Final = "false"

Fields = Mapping[str, yaml.Node]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file; `line` counts from 1."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """Tell it in one line."""
        return f"{self.file}:{self.line}: {self.field}: {self.message}"


def line_of(node: yaml.Node) -> int:
    """Give the line of a node, from 1."""
    return int(node.start_mark.line) + 1


def controlled(text: str) -> bool:
    """Tell whether a text holds a control character or a lone surrogate; line ends are none."""
    return _CONTROLS.search(text) is not None


class YamlFile:
    """Reads one file and collects every problem in it. A field that is wrong is given as an empty value."""

    def __init__(self, path: Path, name: str) -> None:
        """Take the file, and the name under which its problems are told."""
        self.path = path
        self.name = name
        self.problems: list[Problem] = []

    def root(self) -> yaml.Node | None:
        """Give what the file holds, None where it is no YAML or empty."""
        try:
            root: yaml.Node | None = yaml.compose(self.path.read_text(encoding="utf-8"), Loader=LOADER)
        except UnicodeDecodeError:
            self.add(1, "file", "is not UTF-8")
            return None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.add(line, "file", f"is no YAML: {error.problem}")
            return None
        except yaml.YAMLError as error:
            self.add(1, "file", f"is no YAML: {str(error).splitlines()[0]}")
            return None
        if root is None:
            self.add(1, "file", "is empty")
        return root

    def mapping(
        self, node: yaml.Node, where: str, *, required: Sequence[str], allowed: Sequence[str] = ()
    ) -> dict[str, yaml.Node]:
        """Give the fields of a node, `required` ones and others that are `allowed`; `where` is its place, or empty."""
        if not isinstance(node, yaml.MappingNode):
            self.add(line_of(node), where or "file", "must have fields, as in `name: value`")
            return {}
        known = (*required, *allowed)
        before = f"{where}." if where else ""
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in fields:
                self.add(line_of(key), f"{before}{name}", "stands twice")
            elif name not in known:
                self.add(line_of(key), f"{before}{name}", f"is unknown; the fields are {', '.join(known)}")
            fields[name] = value
        for name in required:
            if name not in fields:
                self.add(line_of(node), f"{before}{name}", "is missing")
        return fields

    def sequence(self, fields: Fields, name: str, where: str, *, least: int) -> list[yaml.Node]:
        """Give the items of a list; none where the field is missing."""
        return self.items(fields[name], where, least=least) if name in fields else []

    def items(self, node: yaml.Node, where: str, *, least: int) -> list[yaml.Node]:
        """Give the items of a node that must be a list of at least `least`."""
        items = list(node.value) if isinstance(node, yaml.SequenceNode) else []
        if len(items) < least or not isinstance(node, yaml.SequenceNode):
            self.add(line_of(node), where, f"must be a list of at least {least}, and has {len(items)}")
        return items

    def text(self, fields: Fields, name: str, where: str, *, longest: int, lines: bool = False) -> str:
        """Give a text; empty where the field is missing."""
        return self.scalar(fields[name], where, longest=longest, lines=lines) if name in fields else ""

    def scalar(self, node: yaml.Node, where: str, *, longest: int, lines: bool = False) -> str:
        """Give the text of a node, at most `longest` characters; on several `lines` only where that is allowed."""
        if not isinstance(node, yaml.ScalarNode):
            self.add(line_of(node), where, "must be a text")
            return ""
        text = str(node.value).strip()
        if not text:
            self.add(line_of(node), where, "is empty")
        if len(text) > longest:
            self.add(line_of(node), where, f"has {len(text)} characters, more than {longest}")
        if controlled(text):
            self.add(line_of(node), where, "holds a control character")
        if not lines and "\n" in text:
            self.add(line_of(node), where, "must stand on one line")
        return text

    def one_of(self, fields: Fields, name: str, values: Sequence[str], where: str) -> str:
        """Give a text that is one of the values."""
        text = self.text(fields, name, where, longest=80)
        if text and text not in values:
            self.add(line_of(fields[name]), where, f"is {text!r}, and must be one of {', '.join(values)}")
        return text

    def flag(self, fields: Fields, name: str, where: str) -> bool:
        """Give a yes or no; no where the field is missing."""
        return self.one_of(fields, name, (YES, NO), where) == YES

    def whole(self, fields: Fields, name: str, where: str) -> int:
        """Give a whole number from 1 to 9999; 0 where the field is missing or wrong."""
        text = self.text(fields, name, where, longest=80)
        if text.isascii() and text.isdecimal() and len(text) <= 4 and int(text):  # noqa: PLR2004 - up to 9999
            return int(text)
        if text:
            self.add(line_of(fields[name]), where, f"is {text!r}, and must be a whole number from 1 to 9999")
        return 0

    def date(self, fields: Fields, name: str, where: str) -> date | None:
        """Give a day; None where the field is missing or wrong."""
        text = self.text(fields, name, where, longest=10)
        try:
            return date.fromisoformat(text)
        except ValueError:
            if text:
                self.add(line_of(fields[name]), where, f"is {text!r}, and must be a date such as 2026-11-23")
            return None

    def add(self, line: int, field: str, message: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(self.name, line, field, message))
