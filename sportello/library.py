"""The entries of the moment in this process, and the index made of them."""

from collections.abc import Mapping

import structlog

from bot.wording import Catalogue
from channels.webchat import TopicEntry, TopicGroup
from knowledge import loading
from knowledge.entry import GROUPS, Entry, translation_for
from knowledge.understanding import Understander
from sportello.presenting import Presenter
from store.database import Database

log = structlog.get_logger(__name__)


class Library:
    """Holds what was published last. Everything in it is immutable and replaced as a whole."""

    def __init__(self, database: Database, catalogue: Catalogue, understander: Understander | None) -> None:
        """Begin empty; without an understander only the pages are served from here."""
        self._database = database
        self._understander = understander
        self._presenter = Presenter(catalogue, {})
        self._loaded: tuple[Entry, ...] | None = None

    @property
    def presenter(self) -> Presenter:
        """Give what puts messages together from today's entries."""
        return self._presenter

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Give today's entries by slug, in the order of their groups."""
        return self._presenter.entries

    @property
    def ready(self) -> bool:
        """Tell whether the entries were read at least once."""
        return self._loaded is not None

    async def refresh(self) -> bool:
        """Read the published entries; where any changed, build the index anew and take both into use."""
        async with self._database.read() as connection:
            entries = await loading.load(connection)
        if entries == self._loaded:
            return False
        if self._understander is not None:
            index = await loading.build(self._database, self._understander.embedder, entries)
            self._understander.adopt(index)
        self._presenter = Presenter(self._presenter.catalogue, {entry.slug: entry for entry in entries})
        self._loaded = entries
        log.info("knowledge_loaded", entries=len(entries))
        return True

    def topics(self, code: str) -> tuple[TopicGroup, ...]:
        """Give the groups with their entries for the resident's page."""
        groups = []
        for group in GROUPS:
            titles = []
            for entry in self.entries.values():
                if entry.group == group:
                    translation = translation_for(entry, code)
                    titles.append(TopicEntry(entry.slug, translation.question, translation.language))
            groups.append(TopicGroup(group, tuple(titles)))
        return tuple(groups)
