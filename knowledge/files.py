"""The starter files: one YAML file an entry, read strictly, with errors that name file, line and field."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from bot.languages import CODES
from knowledge.entry import (
    ANSWER_MAX,
    GROUPS,
    PHRASE_MAX,
    PHRASES_MAX,
    PHRASES_MIN,
    QUESTION_MAX,
    STATES,
    STATUSES,
    Entry,
    Source,
    Translation,
)

STARTER: Final = Path(__file__).resolve().parent / "starter"
ENTRY_FIELDS: Final = ("slug", "group", "status", "review_by", "sources", "translations")
SOURCE_FIELDS: Final = ("name", "url", "checked_on")
TRANSLATION_FIELDS: Final = ("state", "question", "answer", "phrases")


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


def normalised(phrase: str) -> str:
    """Bring a phrase into the form in which two phrases are the same."""
    return " ".join(unicodedata.normalize("NFKC", phrase).casefold().split())


class _Reader:
    """Reads one file and collects every problem in it."""

    def __init__(self, path: Path, position: int) -> None:
        self.path = path
        self.position = position
        self.problems: list[Problem] = []
        self.phrase_lines: dict[str, int] = {}

    def read(self) -> Entry | None:
        try:
            # BaseLoader makes every scalar a string: "no" and "3.10" are texts here.
            root = yaml.compose(self.path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        except UnicodeDecodeError:
            self._add(1, "file", "is not UTF-8")
            return None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self._add(line, "file", f"is no YAML: {error.problem}")
            return None
        if root is None:
            self._add(1, "file", "is empty")
            return None
        fields = self._mapping(root, "file", required=ENTRY_FIELDS)
        entry = Entry(
            slug=self._slug(fields),
            group=self._one_of(fields, "group", GROUPS),
            position=self.position,
            status=self._one_of(fields, "status", STATUSES),
            review_by=self._date(fields, "review_by", "review_by"),
            sources=tuple(self._sources(fields)),
            translations=self._translations(fields),
        )
        return None if self.problems else entry

    def _slug(self, fields: Mapping[str, yaml.Node]) -> str:
        slug = self._text(fields, "slug", "slug", longest=80)
        if slug and slug != self.path.stem:
            self._add(_line(fields["slug"]), "slug", f"is {slug!r}, but the file is named {self.path.stem!r}")
        return slug

    def _sources(self, fields: Mapping[str, yaml.Node]) -> Iterator[Source]:
        for place, node in enumerate(self._sequence(fields, "sources", "sources", least=1), 1):
            where = f"sources[{place}]"
            source = self._mapping(node, where, required=("name", "checked_on"), allowed=SOURCE_FIELDS)
            url = self._text(source, "url", f"{where}.url", longest=300) if "url" in source else None
            if url and not url.startswith("https://"):
                self._add(_line(source["url"]), f"{where}.url", "must begin with https://")
            yield Source(
                name=self._text(source, "name", f"{where}.name", longest=200),
                url=url,
                checked_on=self._date(source, "checked_on", f"{where}.checked_on"),
            )

    def _translations(self, fields: Mapping[str, yaml.Node]) -> dict[str, Translation]:
        if "translations" not in fields:
            return {}
        nodes = self._mapping(fields["translations"], "translations", required=CODES)
        return {code: self._translation(code, node) for code, node in nodes.items() if code in CODES}

    def _translation(self, code: str, node: yaml.Node) -> Translation:
        where = f"translations.{code}"
        fields = self._mapping(node, where, required=TRANSLATION_FIELDS)
        phrases: list[str] = []
        for place, phrase in enumerate(self._sequence(fields, "phrases", f"{where}.phrases", least=PHRASES_MIN), 1):
            text = self._scalar(phrase, f"{where}.phrases[{place}]", longest=PHRASE_MAX)
            key = normalised(text)
            if key and key in self.phrase_lines:
                self._add(_line(phrase), f"{where}.phrases[{place}]", f"{text!r} stands twice in this entry")
            self.phrase_lines.setdefault(key, _line(phrase))
            phrases.append(text)
        if len(phrases) > PHRASES_MAX:
            self._add(_line(node), f"{where}.phrases", f"are more than {PHRASES_MAX}")
        return Translation(
            slug=self.path.stem,
            language=code,
            revision=0,
            question=self._text(fields, "question", f"{where}.question", longest=QUESTION_MAX),
            answer=self._text(fields, "answer", f"{where}.answer", longest=ANSWER_MAX),
            phrases=tuple(phrases),
            state=self._one_of(fields, "state", STATES, where=f"{where}.state"),
        )

    # --- pieces of YAML ---

    def _mapping(
        self, node: yaml.Node, where: str, *, required: Sequence[str], allowed: Sequence[str] | None = None
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._add(_line(node), where, "must have fields, as in `name: value`")
            return {}
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in fields:
                self._add(_line(key), f"{where}.{name}", "stands twice")
            elif name not in (allowed or required):
                self._add(_line(key), f"{where}.{name}", f"is unknown; the fields are {', '.join(allowed or required)}")
            fields[name] = value
        for name in required:
            if name not in fields:
                self._add(_line(node), f"{where}.{name}", "is missing")
        return fields

    def _sequence(self, fields: Mapping[str, yaml.Node], name: str, where: str, *, least: int) -> list[yaml.Node]:
        if name not in fields:
            return []
        node = fields[name]
        items = list(node.value) if isinstance(node, yaml.SequenceNode) else []
        if len(items) < least:
            self._add(_line(node), where, f"must be a list of at least {least}, and has {len(items)}")
        return items

    def _text(self, fields: Mapping[str, yaml.Node], name: str, where: str, *, longest: int) -> str:
        return self._scalar(fields[name], where, longest=longest) if name in fields else ""

    def _scalar(self, node: yaml.Node, where: str, *, longest: int) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._add(_line(node), where, "must be a text")
            return ""
        text = str(node.value).strip()
        if not text:
            self._add(_line(node), where, "is empty")
        if len(text) > longest:
            self._add(_line(node), where, f"has {len(text)} characters, more than {longest}")
        if any(unicodedata.category(character) in {"Cc", "Cs"} and character != "\n" for character in text):
            self._add(_line(node), where, "holds a control character")
        return text

    def _one_of(
        self, fields: Mapping[str, yaml.Node], name: str, values: Sequence[str], *, where: str | None = None
    ) -> str:
        text = self._text(fields, name, where or name, longest=80)
        if text and text not in values:
            self._add(_line(fields[name]), where or name, f"is {text!r}, and must be one of {', '.join(values)}")
        return text

    def _date(self, fields: Mapping[str, yaml.Node], name: str, where: str) -> date:
        text = self._text(fields, name, where, longest=10)
        try:
            return date.fromisoformat(text)
        except ValueError:
            if text:
                self._add(_line(fields[name]), where, f"is {text!r}, and must be a date such as 2026-11-23")
            return date.min

    def _add(self, line: int, field: str, message: str) -> None:
        self.problems.append(Problem(self.path.name, line, field, message))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def read_folder(folder: Path) -> tuple[list[Entry], list[Problem]]:
    """Read all files of a folder; the entries are whole only where there is no problem."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    owners: dict[str, tuple[str, int]] = {}
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        problems.append(Problem(str(folder), 1, "folder", "holds no .yaml files"))
    for position, path in enumerate(paths):
        reader = _Reader(path, position)
        entry = reader.read()
        problems += reader.problems
        for phrase, line in reader.phrase_lines.items():
            if phrase in owners:
                file, other = owners[phrase]
                problems.append(Problem(path.name, line, "phrases", f"{phrase!r} stands in {file}:{other} too"))
            owners.setdefault(phrase, (path.name, line))
        if entry is not None:
            entries.append(entry)
    return entries, problems
