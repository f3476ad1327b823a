"""How the channels are, for the desk: what each last did, what needs attention, and what may still be written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from store import access_tokens, budgets, cursors, health, traffic
from store.access_tokens import StoredToken
from store.database import Read
from store.health import ChannelHealth
from store.traffic import Traffic

# A phone gives a sign of life every two minutes (its guide): after five it is not there.
SILENT: Final = timedelta(minutes=5)
# So long a doubt is worth a mediator's look.
RECENT: Final = timedelta(hours=24)
# The notice stands on every page of the desk, so it is looked up no more often than this.
LOOKED_UP: Final = timedelta(seconds=15)
# So near, a time of day says enough.
TODAY: Final = timedelta(hours=12)


class Concern(StrEnum):
    """Why a channel needs attention."""

    HEARTBEAT = "heartbeat"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeskChannel:
    """A channel as the program was set up: `account` is None where it is off.

    `windowed` says that its platform lets us write for a while only, `messages` how many then, None where any
    number. `beats`: a phone gives signs of life. `named`: there may be several, told apart by `account`.
    """

    id: str
    account: str | None
    windowed: bool = False
    messages: int | None = None
    beats: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What the page shows of a channel; the parts are None where the channel has no such thing."""

    channel: DeskChannel
    health: ChannelHealth | None = None
    token: StoredToken | None = None
    rung_at: datetime | None = None
    traffic: Traffic = traffic.NONE
    concerns: tuple[Concern, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a platform lets us write to a chat: nothing where `until` is None or over, or `left` is 0.

    `near` says that a time of day is enough to tell `until`.
    """

    until: datetime | None = None
    left: int | None = None
    total: int | None = None
    near: bool = True


class Channels:
    """Looks up how the channels of this program are. One for each process."""

    def __init__(self, known: Sequence[DeskChannel], clock: Callable[[], datetime]) -> None:
        """Take the channels in the order in which pages list them."""
        self._known = tuple(known)
        self._clock = clock
        self._looked_up: datetime | None = None
        self._attention: tuple[str, ...] = ()

    async def states(self, connection: Read) -> list[ChannelState]:
        """Give all channels, those that are off too."""
        now = self._clock()
        rows = {(row.channel, row.account): row for row in await health.everything(connection)}
        counts = await traffic.everything(connection, now=now)
        doubts = await traffic.in_doubt(connection, since=now - RECENT)
        states: list[ChannelState] = []
        for channel in self._known:
            if channel.account is None:
                states.append(ChannelState(channel))
                continue
            key = (channel.id, channel.account)
            found = rows.get(key)
            states.append(
                ChannelState(
                    channel,
                    health=found,
                    token=await access_tokens.read(connection, channel=channel.id, account=channel.account),
                    rung_at=await cursors.rung_at(connection, channel=channel.id, account=channel.account),
                    traffic=counts.get(key, traffic.NONE),
                    concerns=concerns(channel, found, in_doubt=key in doubts, now=now),
                )
            )
        return states

    async def attention(self, connection: Read) -> tuple[str, ...]:
        """Give the ids of the channels that need attention, as they were a few seconds ago.

        Not of phones that are silent: each of them is an alarm of its own.
        """
        now = self._clock()
        if self._looked_up is None or now - self._looked_up >= LOOKED_UP:
            rows = {(row.channel, row.account): row for row in await health.everything(connection)}
            doubts = await traffic.in_doubt(connection, since=now - RECENT)
            worrying: dict[str, None] = {}
            for channel in self._known:
                if channel.account is None:
                    continue
                key = (channel.id, channel.account)
                found = concerns(channel, rows.get(key), in_doubt=key in doubts, now=now)
                if set(found) - {Concern.HEARTBEAT}:
                    worrying[channel.id] = None
            self._attention = tuple(worrying)
            self._looked_up = now
        return self._attention

    async def allowance(self, connection: Read, channel_id: str, conversation_id: UUID) -> Allowance | None:
        """Give what may still be written to a chat; None where its platform sets no limit."""
        channel = next((known for known in self._known if known.id == channel_id and known.windowed), None)
        if channel is None:
            return None
        now = self._clock()
        found = await budgets.of(connection, conversation_id)
        if found is None or found.until <= now:
            return Allowance()
        return Allowance(found.until, found.remaining, channel.messages, near=found.until - now < TODAY)


def concerns(
    channel: DeskChannel, found: ChannelHealth | None, *, in_doubt: bool, now: datetime
) -> tuple[Concern, ...]:
    """Say why a channel that is on needs attention; empty where it does not."""
    reasons: list[Concern] = []
    beat_at = None if found is None else found.heartbeat_at
    if channel.beats and (beat_at is None or now - beat_at > SILENT):
        reasons.append(Concern.HEARTBEAT)
    failed_at = None if found is None else found.last_error_at
    worked_at = None if found is None else found.last_out_at
    if failed_at is not None and (worked_at is None or failed_at > worked_at):
        reasons.append(Concern.ERROR)
    if in_doubt:
        reasons.append(Concern.UNKNOWN)
    return tuple(reasons)
