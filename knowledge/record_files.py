"""The files of the records: `records/contacts.yaml`, `amounts.yaml` and `windows.yaml`, each a list."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import yaml

from knowledge.entry import STATUSES
from knowledge.records import (
    NAME_MAX,
    TEXT_MAX,
    UNITS,
    Amount,
    Contact,
    Kind,
    Record,
    Records,
    Window,
    WrongFieldError,
    amount_value,
    checked,
    kind_of,
    name_of,
    to_json,
)
from knowledge.yamlfile import Problem, YamlFile, line_of

FOLDER: Final = "records"
_CONTACT_FIELDS: Final = ("address", "phones", "email", "hours", "appointment", "languages", "checked_on")


def read_records(folder: Path) -> tuple[Records, list[Problem]]:
    """Read the records of a folder of entries; they are whole only where there is no problem.

    A folder without `records` has none, which is no problem.
    """
    found: list[Record] = []
    problems: list[Problem] = []
    readers: dict[Kind, Callable[[YamlFile, yaml.Node, str], Record | None]] = {
        Kind.CONTACT: _contact,
        Kind.AMOUNT: _amount,
        Kind.WINDOW: _window,
    }
    for kind, read in readers.items():
        path = folder / FOLDER / f"{kind.value}.yaml"
        if not path.exists():
            continue
        file = YamlFile(path, f"{FOLDER}/{path.name}")
        root = file.root()
        names: set[str] = set()
        for place, node in enumerate([] if root is None else file.items(root, "file", least=0), 1):
            record = _sound(file, node, f"[{place}]", read)
            if record is None:
                continue
            if name_of(record) in names:
                file.add(line_of(node), f"[{place}]", f"{name_of(record)!r} stands twice")
            names.add(name_of(record))
            found.append(record)
        problems += file.problems
    return Records.of(found), problems


def _sound(
    file: YamlFile, node: yaml.Node, where: str, read: Callable[[YamlFile, yaml.Node, str], Record | None]
) -> Record | None:
    before = len(file.problems)
    try:
        record = read(file, node, where)
        return None if record is None or len(file.problems) > before else checked(record)
    except WrongFieldError as error:
        file.add(line_of(node), f"{where}.{error.field}", str(error))
        return None


def _contact(file: YamlFile, node: yaml.Node, where: str) -> Record | None:
    fields = file.mapping(node, where, required=("id", "name", "source", "status"), allowed=_CONTACT_FIELDS)

    def texts(name: str) -> tuple[str, ...]:
        nodes = file.sequence(fields, name, f"{where}.{name}", least=0)
        return tuple(file.scalar(item, f"{where}.{name}[{n}]", longest=40) for n, item in enumerate(nodes, 1))

    return Contact(
        id=file.text(fields, "id", f"{where}.id", longest=NAME_MAX),
        name=file.text(fields, "name", f"{where}.name", longest=TEXT_MAX),
        address=file.text(fields, "address", f"{where}.address", longest=TEXT_MAX),
        phones=texts("phones"),
        email=file.text(fields, "email", f"{where}.email", longest=TEXT_MAX),
        hours=file.text(fields, "hours", f"{where}.hours", longest=TEXT_MAX),
        appointment=file.flag(fields, "appointment", f"{where}.appointment"),
        languages=texts("languages"),
        status=file.one_of(fields, "status", STATUSES, f"{where}.status"),
        source=file.text(fields, "source", f"{where}.source", longest=TEXT_MAX),
        checked_on=file.date(fields, "checked_on", f"{where}.checked_on"),
    )


def _amount(file: YamlFile, node: yaml.Node, where: str) -> Record | None:
    fields = file.mapping(node, where, required=("name", "year", "value", "unit", "source", "status"))
    value = file.text(fields, "value", f"{where}.value", longest=20)
    return Amount(
        name=file.text(fields, "name", f"{where}.name", longest=NAME_MAX),
        year=file.whole(fields, "year", f"{where}.year"),
        value=amount_value(value) if value else Decimal(0),
        unit=file.one_of(fields, "unit", UNITS, f"{where}.unit"),
        source=file.text(fields, "source", f"{where}.source", longest=TEXT_MAX),
        status=file.one_of(fields, "status", STATUSES, f"{where}.status"),
    )


def _window(file: YamlFile, node: yaml.Node, where: str) -> Record | None:
    fields = file.mapping(node, where, required=("name", "source", "status"), allowed=("opens", "closes"))
    return Window(
        name=file.text(fields, "name", f"{where}.name", longest=NAME_MAX),
        opens=file.date(fields, "opens", f"{where}.opens"),
        closes=file.date(fields, "closes", f"{where}.closes"),
        source=file.text(fields, "source", f"{where}.source", longest=TEXT_MAX),
        status=file.one_of(fields, "status", STATUSES, f"{where}.status"),
    )


def _line(record: Record) -> str:
    text: str = yaml.safe_dump(
        to_json(record), allow_unicode=True, sort_keys=False, default_flow_style=True, width=10**6
    )
    return text


def write_records(records: Records, folder: Path) -> list[Path]:
    """Write the records' files, a record a line; gives the files."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for kind in Kind:
        lines = ["- " + _line(record) for record in records.all() if kind_of(record) is kind]
        path = place / f"{kind.value}.yaml"
        path.write_text("".join(lines) or "[]\n", encoding="utf-8")
        written.append(path)
    return written
