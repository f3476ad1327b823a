"""Contacts, amounts and windows, and every change to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from store.database import Read, Write
from store.metadata import Document, Moment, metadata
from store.notify import Topic, notify
from store.staff import staff


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        metadata,
        # The name by which answers name the record.
        Column("id", Text, primary_key=True),
        *columns,
        Column("source", Text, nullable=False),
        # "verified" or "to verify".
        Column("status", Text, nullable=False),
        # Grows with every change.
        Column("revision", Integer, nullable=False),
        # Who changed it last; NULL: it came from a file.
        Column("author", ForeignKey("staff.id")),
        Column("changed_at", Moment, nullable=False),
    )


contacts = _table(
    "contacts",
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("email", Text, nullable=False),
    # As in "mon-fri 09:00-13:00", or "always"; empty: not known.
    Column("hours", Text, nullable=False),
    Column("appointment", Boolean, nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("checked_on", Date),
)
amounts = _table(
    "amounts",
    Column("year", Integer, nullable=False),
    Column("value", Numeric, nullable=False),
    # "EUR", "number" or "percent".
    Column("unit", Text, nullable=False),
)
windows = _table("windows", Column("opens", Date), Column("closes", Date))

record_changes = Table(
    "record_changes",
    metadata,
    # The name of the record's table.
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("author", ForeignKey("staff.id")),
    Column("changed_at", Moment, nullable=False),
    # The record as it was, NULL where it is new, and as it is since then.
    Column("before", Document),
    Column("after", JSONB, nullable=False),
    PrimaryKeyConstraint("kind", "id", "revision"),
)

TABLES: Final = {table.name: table for table in (contacts, amounts, windows)}
_KEPT_BESIDE: Final = frozenset({"id", "revision", "author", "changed_at"})


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as it stands; `kind` is the name of its table, `values` are by column."""

    kind: str
    id: str
    values: Mapping[str, Any]
    revision: int
    author: UUID | None
    author_name: str | None
    changed_at: datetime

    @property
    def document(self) -> dict[str, Any]:
        """Give the values as they stand among the changes."""
        return as_document(self.values)


def as_document(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values as JSON has them: days in ISO form, decimal numbers as texts."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


async def everything(connection: Read) -> list[RecordRow]:
    """Give all records by kind and id."""
    found: list[RecordRow] = []
    for kind, table in TABLES.items():
        rows = await connection.execute(
            select(*table.c, staff.c.name.label("author_name"))
            .select_from(table.outerjoin(staff, staff.c.id == table.c.author))
            .order_by(table.c.id)
        )
        for row in rows.mappings():
            values = {column.name: row[column] for column in table.c if column.name not in _KEPT_BESIDE}
            found.append(
                RecordRow(
                    kind=kind,
                    id=row[table.c.id],
                    values=values,
                    revision=row[table.c.revision],
                    author=row[table.c.author],
                    author_name=row["author_name"],
                    changed_at=row[table.c.changed_at],
                )
            )
    return found


async def imported(connection: Read) -> dict[tuple[str, str], dict[str, Any]]:
    """Give, by kind and id, what came last from a file."""
    key = (record_changes.c.kind, record_changes.c.id)
    last = (
        select(*key, func.max(record_changes.c.revision).label("revision"))
        .where(record_changes.c.author.is_(None))
        .group_by(*key)
        .subquery()
    )
    rows = await connection.execute(
        select(*key, record_changes.c.after).join(
            last,
            (last.c.kind == record_changes.c.kind)
            & (last.c.id == record_changes.c.id)
            & (last.c.revision == record_changes.c.revision),
        )
    )
    return {(row.kind, row.id): row.after for row in rows}


async def save(
    connection: Write,
    kind: str,
    record_id: str,
    values: Mapping[str, Any],
    *,
    base: int,
    author: UUID | None,
    now: datetime,
) -> bool:
    """Add a record (`base` 0), or change the one whose revision is `base`.

    False where somebody changed it since: then nothing is changed.
    """
    table = TABLES[kind]
    names = [column.name for column in table.c if column.name not in _KEPT_BESIDE]
    stamp = {"revision": base + 1, "author": author, "changed_at": now}
    before: dict[str, Any] | None = None
    if base:
        columns = [table.c[name] for name in names]
        locked = select(*columns).where(table.c.id == record_id, table.c.revision == base).with_for_update()
        row = (await connection.execute(locked)).mappings().one_or_none()
        if row is None:
            return False
        before = as_document({name: row[table.c[name]] for name in names})
        await connection.execute(update(table).where(table.c.id == record_id).values(**values, **stamp))
    else:
        added = await connection.execute(
            insert(table).values(id=record_id, **values, **stamp).on_conflict_do_nothing().returning(table.c.id)
        )
        if added.scalar_one_or_none() is None:
            return False
    await connection.execute(
        insert(record_changes).values(kind=kind, id=record_id, before=before, after=as_document(values), **stamp)
    )
    notify(connection, Topic.KNOWLEDGE)
    return True
