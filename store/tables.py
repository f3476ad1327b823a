"""Every table, by name: importing this module fills the metadata for the migrations."""

from store import (
    access_tokens,
    budgets,
    calibrations,
    conversations,
    cursors,
    entries,
    feedback,
    health,
    inbox,
    limits,
    outbox,
    pacing,
    quarantine,
    records,
    relay_acts,
    staff,
    tickets,
)
from store.metadata import metadata

MODULES = (
    access_tokens,
    budgets,
    calibrations,
    conversations,
    cursors,
    entries,
    feedback,
    health,
    inbox,
    limits,
    outbox,
    pacing,
    quarantine,
    records,
    relay_acts,
    staff,
    tickets,
)

__all__ = ["MODULES", "metadata"]
