"""The figures of turns and deliveries, for Prometheus."""

from dataclasses import dataclass
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """Counters of one process; none of them says anything about a resident."""

    understood: Counter
    turns: Counter
    turn_seconds: Histogram
    scenes: Counter
    deliveries: Counter
    delivery_seconds: Histogram
    phone_silent: Gauge

    @classmethod
    def on(cls, registry: CollectorRegistry) -> Self:
        """Make the counters on a registry."""
        return cls(
            understood=Counter(
                "sportello_understood", "Messages by what decided their understanding", ["means"], registry=registry
            ),
            turns=Counter("sportello_turns", "Turns by how they ended", ["outcome"], registry=registry),
            turn_seconds=Histogram(
                "sportello_turn_seconds", "From receiving to the end of the turn", registry=registry, buckets=SECONDS
            ),
            scenes=Counter(
                "sportello_scenes",
                "Conversations opened through a link or poster; other: one that no setting names",
                ["channel", "scene"],
                registry=registry,
            ),
            deliveries=Counter(
                "sportello_deliveries", "Messages sent, by result", ["channel", "result"], registry=registry
            ),
            delivery_seconds=Histogram(
                "sportello_delivery_seconds",
                "From the end of the turn to the platform's answer",
                ["channel"],
                registry=registry,
                buckets=SECONDS,
            ),
            phone_silent=Gauge(
                "sportello_phone_silent",
                "1 where a phone gave no sign of life for 5 minutes",
                ["phone"],
                registry=registry,
            ),
        )
