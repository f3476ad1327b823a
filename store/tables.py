"""Every table, by name: importing this module fills the metadata for the migrations."""

from store import calibrations, conversations, entries, feedback, inbox, limits, outbox, pacing, staff, tickets
from store.metadata import metadata

MODULES = (calibrations, conversations, entries, feedback, inbox, limits, outbox, pacing, staff, tickets)

__all__ = ["MODULES", "metadata"]
