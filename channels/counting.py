"""The figures of what comes in, for Prometheus."""

from dataclasses import dataclass
from typing import Self

from prometheus_client import CollectorRegistry, Counter


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Counters of one process; none of them says anything about a resident."""

    received: Counter
    repeated: Counter
    set_aside: Counter
    rejected: Counter

    @classmethod
    def on(cls, registry: CollectorRegistry) -> Self:
        """Make the counters on a registry."""
        return cls(
            received=Counter(
                "sportello_inbox_received", "What came in and was new", ["channel", "kind"], registry=registry
            ),
            repeated=Counter("sportello_inbox_repeated", "What came in again", ["channel"], registry=registry),
            set_aside=Counter("sportello_inbox_set_aside", "What could not be parsed", ["channel"], registry=registry),
            rejected=Counter(
                "sportello_webhook_rejected", "Requests that were not the platform's", ["channel"], registry=registry
            ),
        )
