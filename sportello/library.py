"""The entries of the moment in this process, and the index made of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

import structlog

from bot.topics import GROUPS, REST, SECTIONS, in_parts, label_of, section_of
from bot.wording import Catalogue
from channels.webchat import TopicEntry, TopicGroup, TopicSection
from knowledge import loading
from knowledge.embedding import EmbedderUnavailableError
from knowledge.entry import Entry, translation_for
from knowledge.loading import Knowledge
from knowledge.reader import Reader
from knowledge.records import Records
from knowledge.search import Vocabularies
from knowledge.understanding import Understander
from sportello.presenting import Presenter
from store.database import Database

log = structlog.get_logger(__name__)

# An edit changes a few texts; this many take about a second of the model's time.
EMBEDDED_AT_ONCE: Final = 120
# Any word will do, to see whether the model answers.
_WORD: Final = "Prato"


class Library:
    """Holds what was published last. Everything in it is immutable and replaced as a whole."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        understander: Understander | None,
        today: Callable[[], date],
        vocabularies: Vocabularies,
    ) -> None:
        """Begin empty; without an understander only the pages are served from here.

        The vocabularies remember what was counted before, so that reading again after an edit is quick.
        """
        self._database = database
        self._understander = understander
        self._presenter = Presenter(catalogue, {}, Records(), today)
        self._loaded: Knowledge | None = None
        self._vocabularies = vocabularies
        # Set once there are entries to show, and once messages can be understood, which takes seconds more.
        self.known = asyncio.Event()
        self.understood = asyncio.Event()

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
        return self.known.is_set()

    async def refresh(self) -> bool:
        """Read what is published; where the entries changed, make the reader anew; take both into use.

        False where nothing changed. A few new texts are embedded on the way. Where there are many, as at a first
        start, spelling must do until `complete` has embedded them.
        """
        async with self._database.read() as connection:
            knowledge = await loading.load(connection)
        if knowledge == self._loaded:
            return False
        self._show(knowledge)
        reader = None
        if self._loaded is None or _matched(knowledge.entries) != _matched(self._loaded.entries):
            reader = await self._read(knowledge.entries, at_most=EMBEDDED_AT_ONCE)
        # Only now: what failed on the way is read again at the next call, and `complete` does not read beside this.
        self.take(knowledge, reader)
        return True

    def take(self, knowledge: Knowledge, reader: Reader | None) -> None:
        """Take into use what was read; without a reader messages are understood as before."""
        self._show(knowledge)
        self._loaded = knowledge
        if reader is not None and self._understander is not None:
            self._understander.adopt(reader.in_use())
        self.understood.set()

    def _show(self, knowledge: Knowledge) -> None:
        entries = {entry.slug: entry for entry in knowledge.entries}
        self._presenter = replace(self._presenter, entries=entries, records=knowledge.records)
        self.known.set()

    async def warm(self) -> None:
        """Start the model, so that the first resident does not wait for it; raises EmbedderUnavailableError."""
        if self._understander is not None and self._understander.embedder.has_model:
            await self._understander.embedder.embed([_WORD])

    async def complete(self) -> bool:
        """Embed what is missing, however much, and take the whole reader into use; also where the model was away."""
        understander = self._understander
        if understander is None or self._loaded is None or understander.reader.by_meaning:
            return False
        if not understander.embedder.has_model:
            return False
        try:
            await understander.embedder.embed([_WORD])
        except EmbedderUnavailableError:
            # Asked again and again while the model is away: too often to make an index each time.
            return False
        entries = self._loaded.entries
        reader = await self._read(entries, at_most=None)
        if reader is None or not reader.by_meaning or self._loaded.entries is not entries:
            # Edited meanwhile, which takes a few seconds more: the next call does it.
            return False
        understander.adopt(reader.in_use())
        return True

    async def _read(self, entries: tuple[Entry, ...], *, at_most: int | None) -> Reader | None:
        understander = self._understander
        if understander is None:
            return None
        reader = await loading.build(
            self._database, understander.embedder, entries, self._vocabularies, at_most=at_most
        )
        log.info("knowledge_read", entries=len(entries), by_meaning=reader.by_meaning)
        return reader

    async def calibrate(self, now: datetime) -> bool:
        """Fit the calibration of new entries, which takes seconds; they are answered by the last one meanwhile."""
        understander = self._understander
        if understander is None or understander.reader.calibrated or not self._loaded:
            return False
        reader = understander.reader
        calibrated = await loading.calibrate(self._database, understander.embedder, reader, now=now)
        if understander.reader is reader:
            understander.adopt(calibrated.in_use())
            log.info("knowledge_calibrated", error=calibrated.calibration.reliability.get("by_meaning", {}).get("all"))
        return True

    def topics(self, code: str) -> tuple[TopicGroup, ...]:
        """Give the groups with their entries for the resident's page."""
        return tuple(self._topics(group, code) for group in GROUPS)

    def _topics(self, group: str, code: str) -> TopicGroup:
        """Give a group as the bot lists it: whole, or in sections where it is long."""
        titles: dict[str, list[TopicEntry]] = {section: [] for section in (*SECTIONS[group], REST)}
        everything: list[TopicEntry] = []
        for entry in self.entries.values():
            if entry.group == group:
                translation = translation_for(entry, code)
                everything.append(TopicEntry(entry.slug, translation.question, translation.language))
                titles[section_of(group, entry.section)].append(everything[-1])
        sections = tuple(
            TopicSection(label_of(section), tuple(entries)) for section, entries in titles.items() if entries
        )
        if in_parts(len(everything), len(sections)):
            return TopicGroup(group, sections=sections)
        return TopicGroup(group, tuple(everything))


def _matched(entries: Sequence[Entry]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Give what the index is made of: a corrected answer must not wait until thousands of phrases are read again."""
    return [
        (entry.slug, code, translation.question, translation.phrases)
        for entry in entries
        for code, translation in entry.translations.items()
    ]
