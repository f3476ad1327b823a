"""When a channel needs attention: a rule over what is known of it."""

from datetime import timedelta

import pytest

from handoff.channels import Concern, DeskChannel, concerns
from store.health import ChannelHealth
from tests.conftest import START

PHONE = DeskChannel("phone", "1", beats=True)
OTHER = DeskChannel("telegram", "1")


def health(**ago: float) -> ChannelHealth:
    """Make a row from minutes ago."""
    moments = {name: START - timedelta(minutes=minutes) for name, minutes in ago.items()}
    empty = dict.fromkeys(("last_in_at", "last_out_at", "last_error_at", "heartbeat_at"))
    return ChannelHealth("phone", "1", last_error="no connection", **(empty | moments))


@pytest.mark.parametrize(
    ("channel", "found", "expected"),
    [
        (OTHER, None, ()),
        (OTHER, health(), ()),
        (OTHER, health(last_out_at=1, last_error_at=2), ()),
        (OTHER, health(last_out_at=2, last_error_at=1), (Concern.ERROR,)),
        (OTHER, health(last_error_at=10_000), (Concern.ERROR,)),
        (OTHER, health(last_error_at=1, last_out_at=1), ()),
        (PHONE, None, (Concern.HEARTBEAT,)),
        (PHONE, health(heartbeat_at=5), ()),
        (PHONE, health(heartbeat_at=5.1), (Concern.HEARTBEAT,)),
        (PHONE, health(last_error_at=1), (Concern.HEARTBEAT, Concern.ERROR)),
    ],
)
def test_a_channel_that_needs_attention(
    channel: DeskChannel, found: ChannelHealth | None, expected: tuple[Concern, ...]
) -> None:
    assert concerns(channel, found, in_doubt=False, now=START) == expected
    assert concerns(channel, found, in_doubt=True, now=START) == (*expected, Concern.UNKNOWN)
