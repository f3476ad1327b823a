"""The relay by hand: an operator with the phone in hand pastes what arrived, and sends what is answered.

For imo and for any personal account, as of WeChat, that offers no interface. Nothing here touches the app.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.events import MediaKind
from bot.languages import CODES
from channels.adapter import Capabilities, Inbound, InboundKind, MediaRef
from channels.phone_identity import cleaned
from channels.receiving import Received, receive, storable
from store import conversations, handovers, health, quarantine, relay_acts
from store.conversations import Address, Conversation
from store.database import Read, Write
from store.outbox import OutboxStatus
from store.quarantine import QuarantineStatus
from store.relay_acts import Act
from store.staff import StaffMember
from web.forms import typed

CHANNEL: Final = "relay"
TEXT_MAX: Final = 4000
NAME_MAX: Final = 100
# What an operator says has arrived; the thing itself stays on the phone.
KINDS: Final = ("text", MediaKind.PHOTO.value, MediaKind.VOICE.value)
# One text to copy, whatever its length: the app's own limit is not known, and the operator sees what it takes.
CAPABILITIES: Final = Capabilities(
    text_max=100_000, unit="utf-16", choices_max=0, chat_interval=timedelta(), account_interval=timedelta()
)
# The language in which residents first wrote on each app in Prato, until they write.
_HINTS: Final = {"imo": "ur", "wechat": "zh"}
# Which app a notification is of, by the package's name.
_APPS: Final = {
    "com.imo.android.imoim": "imo",
    "com.tencent.mm": "wechat",
    "com.whatsapp": "whatsapp",
    "com.whatsapp.w4b": "whatsapp",
}
NOT_SENT: Final = "the operator could not send it"


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, or was done before with the same key; `thread` is the conversation."""

    thread: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was changed; `message` is an id of the catalogue."""

    message: str


Result = Done | Refused


def app_of(package: str) -> str:
    """Give the app of a notification's package."""
    return _APPS.get(package, "other")


async def thread(connection: Read, conversation_id: UUID) -> Conversation | None:
    """Give a conversation of the relay desk; None for any other."""
    found = await conversations.get(connection, conversation_id)
    return found if found is not None and found.address.channel == CHANNEL else None


async def open_thread(connection: Write, app: str, name: str, *, language: str, new_id: UUID, now: datetime) -> Result:
    """Open the conversation with somebody whom the phone shows under a name, adding it where it is new."""
    name = cleaned(storable(name))
    if not name:
        return Refused("relay.problem.name")
    if len(name) > NAME_MAX:
        return Refused("relay.problem.name_long")
    opened = await conversations.find_or_add(
        connection,
        new_id=new_id,
        address=Address(CHANNEL, app, name),
        user_ref=name,
        language_hint=language if language in CODES else _HINTS.get(app),
        now=now,
    )
    await health.open_channel(connection, channel=CHANNEL, account=app)
    return Done(opened)


async def paste(
    connection: Write,
    conversation: Conversation,
    member: StaffMember,
    text: str,
    *,
    kind: str,
    key: UUID,
    new_id: UUID,
    now: datetime,
) -> Result:
    """Store what a resident wrote, as an operator pasted it; a photo or a voice message may come without words."""
    text = typed(storable(text))
    if not text and kind not in KINDS[1:]:
        return Refused("desk.problem.empty")
    if len(text) > TEXT_MAX:
        return Refused("desk.problem.too_long")
    media = MediaRef(kind, "") if kind in KINDS[1:] else None
    event_key = f"paste:{key}"
    received = await _receive(connection, conversation, text, media=media, event_key=event_key, new_id=new_id, now=now)
    if received.is_new:
        pasted_to = received.conversation_id
        await relay_acts.remember(
            connection, Act.PASTED, staff_id=member.id, of=event_key, conversation_id=pasted_to, now=now
        )
    return Done(received.conversation_id)


async def _receive(
    connection: Write,
    conversation: Conversation,
    text: str,
    *,
    media: MediaRef | None,
    event_key: str,
    new_id: UUID,
    now: datetime,
) -> Received:
    address = conversation.address
    inbound = Inbound(
        channel=CHANNEL,
        account=address.account,
        event_key=event_key,
        thread=address.thread,
        user_ref=address.thread,
        kind=InboundKind.TEXT if media is None else InboundKind.MEDIA,
        text=text or None,
        media=media,
    )
    received = await receive(connection, inbound, new_id=new_id, now=now)
    await health.came_in(connection, channel=CHANNEL, account=address.account, now=now)
    return received


async def mark(connection: Write, outbox_id: int, member: StaffMember, *, sent: bool, now: datetime) -> Result:
    """End an answer as the operator says. Twice the same is harmless; two operators who differ are told."""
    status = OutboxStatus.SENT if sent else OutboxStatus.NEEDS_PERSON
    ended = await handovers.end(
        connection,
        outbox_id,
        channel=CHANNEL,
        account=None,
        status=status,
        error=None if sent else NOT_SENT,
        now=now,
    )
    if ended is None or ended.status is not status:
        return Refused("relay.problem.gone")
    if ended.is_new:
        act = Act.SENT if sent else Act.FAILED
        await relay_acts.remember(
            connection, act, staff_id=member.id, of=str(outbox_id), conversation_id=ended.conversation_id, now=now
        )
    return Done(ended.conversation_id)


async def assign(
    connection: Write, quarantine_id: int, to: UUID | None, member: StaffMember, *, new_id: UUID, now: datetime
) -> Result:
    """Give a message in quarantine to a conversation of the relay desk, or to a new one under the sender's name.

    Only of the relay desk: where a machine could not tell who wrote, no machine answers.
    """
    waiting = await quarantine.one_waiting(connection, quarantine_id)
    if waiting is None:
        return Refused("relay.problem.gone")
    if to is None:
        name = waiting.sender[:NAME_MAX]
        opened = await open_thread(connection, app_of(waiting.app), name, language="", new_id=new_id, now=now)
        if isinstance(opened, Refused) or opened.thread is None:
            return opened
        to = opened.thread
    conversation = await thread(connection, to)
    if conversation is None:
        return Refused("relay.problem.gone")
    event_key = f"quarantine:{quarantine_id}"
    await _receive(connection, conversation, waiting.text, media=None, event_key=event_key, new_id=new_id, now=now)
    await quarantine.decide(
        connection, quarantine_id, status=QuarantineStatus.ASSIGNED, conversation_id=conversation.id, now=now
    )
    await relay_acts.remember(
        connection,
        Act.ASSIGNED,
        staff_id=member.id,
        of=str(quarantine_id),
        conversation_id=conversation.id,
        now=now,
    )
    return Done(conversation.id)


async def drop(connection: Write, quarantine_id: int, member: StaffMember, *, now: datetime) -> Result:
    """Drop a message in quarantine: its text is gone at once."""
    waiting = await quarantine.one_waiting(connection, quarantine_id)
    if waiting is None:
        return Refused("relay.problem.gone")
    await quarantine.decide(connection, quarantine_id, status=QuarantineStatus.DROPPED, conversation_id=None, now=now)
    await relay_acts.remember(
        connection, Act.DROPPED, staff_id=member.id, of=str(quarantine_id), conversation_id=None, now=now
    )
    return Done()
