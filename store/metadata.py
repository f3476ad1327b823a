"""The one collection of tables, the column types they share, and pieces of statements that are planned once."""

from sqlalchemy import ColumnElement, DateTime, MetaData, Text, case, literal_column, select, true
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)
# A missing document is SQL's NULL, never the JSON value null: two kinds of nothing are one too many.
Document = JSONB(none_as_null=True)


def fixed(word: str) -> ColumnElement[str]:
    """Give a status or kind of ours as a part of the statement itself, and not as a value sent with it.

    A prepared statement is planned once for all values (PostgreSQL: "Generic plan"), and such a plan uses an index
    on some of the rows only where the statement itself says that it wants no others. `word` is never what
    somebody wrote.
    """
    return literal_column(f"'{word}'", Text)


def there_is_none(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Give the condition that no row meets all these, looked up for one row after the other.

    With an OFFSET, of nothing, PostgreSQL does not make a join of it: for the first row of a queue a join would read
    all that waits behind it.
    """
    return ~select(literal_column("1")).where(*conditions).offset(literal_column("0")).exists()


def unguessed(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Give a condition on a value that is sent along, in a shape that PostgreSQL takes for as likely whatever it is.

    A comparison with a moment that it does not know yet it takes for a third of all rows. Then the plan for all
    values looks dearer than one for each, and it plans again at every execution, which takes longer than these
    statements do.
    """
    return case((condition, true()))
