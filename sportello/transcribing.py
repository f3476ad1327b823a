"""One turn's hold on a conversation: its state, and the rows it adds to the transcript."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from bot.languages import CODES, DEFAULT, closest
from bot.state import Stage, State, StateError, load
from store.conversations import Author, Conversation, Message
from store.database import Write
from store.notify import Topic, notify
from store.outbox import OutboxKind, Priority
from store.turn import Outcome, Outgoing, keep

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Turn:
    """What a turn works on. It lives within one transaction that holds the conversation's row."""

    connection: Write
    conversation: Conversation
    now: datetime
    state: State
    reachable: bool
    seq: int
    added: list[Message] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)

    def append(
        self, author: Author, body: dict[str, Any], *, language: str | None = None, staff_id: UUID | None = None
    ) -> int:
        """Add a row to the transcript, stored at the end of the turn; gives its number."""
        self.seq += 1
        self.added.append(Message(self.conversation.id, self.seq, author, staff_id, language, body, self.now))
        return self.seq

    def send(self, priority: Priority, payload: dict[str, Any], seq: int) -> None:
        """Let a message go to the platform, once the turn is over; `seq` is its number in the transcript."""
        self.outgoing.append(Outgoing(OutboxKind.MESSAGE, priority, payload, seq))

    async def store(self, state: dict[str, Any], *inbox_ids: int) -> None:
        """Store what the turn leaves behind; the rows that it was about are done."""
        if self.state.stage is Stage.WITH_MEDIATOR:
            # The lists of the desk show which conversations wait for a reply.
            notify(self.connection, Topic.QUEUE)
        outcome = Outcome(
            conversation_id=self.conversation.id,
            address=self.conversation.address,
            state=state,
            language=self.state.language,
            last_seq=self.seq,
            reachable=self.reachable,
            said=self.added,
            outgoing=self.outgoing,
            inbox_ids=inbox_ids,
        )
        await keep(self.connection, outcome, now=self.now)


def begin(connection: Write, conversation: Conversation, now: datetime) -> Turn:
    """Begin a turn where the conversation stands; a new one begins in the language of the resident's app."""
    language = conversation.language if conversation.language in CODES else closest(conversation.language_hint)
    state = State(language=language or DEFAULT)
    if conversation.state is not None:
        try:
            state = load(conversation.state)
        except StateError:
            # Begun anew: better than a resident whom nothing answers any more. A ticket of theirs stays open.
            log.error("state_begun_anew", conversation=str(conversation.id))  # noqa: TRY400 - no trace: it may quote texts
    return Turn(connection, conversation, now, state, conversation.reachable, conversation.last_seq)
