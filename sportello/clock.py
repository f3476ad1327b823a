"""Where time and ids come from. Everything else gets them as arguments."""

from datetime import UTC, datetime
from uuid import UUID, uuid4


def now() -> datetime:
    """Give the moment, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """Give an id that nobody has used."""
    return uuid4()
