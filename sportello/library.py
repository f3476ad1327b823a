"""The entries of the moment in this process, and the index made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import structlog

from bot.wording import Catalogue
from channels.webchat import TopicEntry, TopicGroup
from knowledge import loading
from knowledge.entry import GROUPS, Entry, translation_for
from knowledge.loading import Knowledge
from knowledge.records import Records
from knowledge.understanding import Understander
from sportello.presenting import Presenter
from store.database import Database

log = structlog.get_logger(__name__)


class Library:
    """Holds what was published last. Everything in it is immutable and replaced as a whole."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        understander: Understander | None,
        today: Callable[[], date],
    ) -> None:
        """Begin empty; without an understander only the pages are served from here."""
        self._database = database
        self._understander = understander
        self._presenter = Presenter(catalogue, {}, Records(), today)
        self._loaded: Knowledge | None = None

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
        """Read what is published; build the index anew where what it is made of changed; take both into use.

        False where nothing changed.
        """
        async with self._database.read() as connection:
            knowledge = await loading.load(connection)
        if knowledge == self._loaded:
            return False
        changed = self._loaded is None or _matched(knowledge.entries) != _matched(self._loaded.entries)
        if self._understander is not None and changed:
            index = await loading.build(self._database, self._understander.embedder, knowledge.entries)
            self._understander.adopt(index)
        self._presenter = replace(
            self._presenter,
            entries={entry.slug: entry for entry in knowledge.entries},
            records=knowledge.records,
        )
        self._loaded = knowledge
        log.info("knowledge_loaded", entries=len(knowledge.entries))
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


def _matched(entries: Sequence[Entry]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Give what the index is made of: a corrected answer must not wait until thousands of phrases are read again."""
    return [
        (entry.slug, code, translation.question, translation.phrases)
        for entry in entries
        for code, translation in entry.translations.items()
    ]
