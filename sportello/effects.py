"""Carrying out what the engine asked for, within the turn's transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot.actions import (
    Action,
    CloseTicket,
    CountFeedback,
    Erase,
    ListGroup,
    MakeUrgent,
    MediatorText,
    OpenTicket,
    Reason,
    ReportPlace,
    Say,
    SetReachable,
)
from bot.events import Event, GroupListed, HeldAlready, Queued
from bot.topics import REST, SECTIONS, section_of
from handoff.hours import DeskHours
from handoff.queue import situation
from sportello.presenting import Presenter
from sportello.transcribing import Turn
from store import budgets, conversations, feedback, inbox, outbox, quarantine, tickets
from store.conversations import Author
from store.outbox import Priority

# The page reads the transcript itself: there is no platform to send anything to.
WITHOUT_PLATFORM: Final = frozenset({"web"})
# Where a platform lets us write for less than this, no mediator can be expected to answer in time.
BRIEF: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Effects:
    """Carries actions out. Some lead to an event that the engine gets in the same turn."""

    presenter: Callable[[], Presenter]
    hours: DeskHours
    new_id: Callable[[], UUID]

    async def apply(self, turn: Turn, action: Action, *, inbox_id: int, staff_id: UUID | None) -> Event | None:
        """Carry out one action; gives the event that follows from it, or None."""
        match action:
            case Say():
                found = self.presenter().cases_of(action)
                if found is not None:
                    return found
                self._say(turn, action, staff_id)
            case ListGroup():
                return self._listed(action)
            case OpenTicket():
                return await self._open_ticket(turn, action)
            case MakeUrgent():
                if await tickets.make_urgent(turn.connection, UUID(action.ticket)):
                    turn.append(Author.SYSTEM, {"code": "urgent", "values": {}})
            case ReportPlace():
                return await self._situation(turn, UUID(action.ticket))
            case CloseTicket():
                await tickets.close(turn.connection, UUID(action.ticket), outcome=action.outcome.value, now=turn.now)
                turn.append(Author.SYSTEM, {"code": "closed", "values": {"outcome": action.outcome.value}})
            case CountFeedback():
                await feedback.count_feedback(
                    turn.connection,
                    action.slug,
                    turn.state.language,
                    helpful=action.helpful,
                    day=turn.now.astimezone(self.hours.zone).date(),
                )
            case Erase():
                await _erase(turn, but=inbox_id)
            case SetReachable():
                turn.reachable = action.reachable
                if not action.reachable:
                    turn.outgoing.clear()
                    await outbox.cancel_all(turn.connection, turn.conversation.id, now=turn.now)
        return None

    def _listed(self, action: ListGroup) -> GroupListed:
        """List the entries of a group or a section, and which sections of the group have any."""
        entries = [entry for entry in self.presenter().entries.values() if entry.group == action.group]
        parts = {entry.slug: section_of(entry.group, entry.section) for entry in entries}
        sections = (*SECTIONS[action.group], REST)
        return GroupListed(
            action.group,
            tuple(slug for slug, section in parts.items() if action.section in {None, section}),
            action.section,
            tuple(section for section in sections if section in parts.values()),
        )

    def _say(self, turn: Turn, say: Say, staff_id: UUID | None) -> None:
        code = turn.state.language
        presenter = self.presenter()
        body = presenter.body(say, code)
        by_mediator = isinstance(say.parts[0], MediatorText)
        if by_mediator:
            seq = turn.append(Author.MEDIATOR, {"text": body["blocks"][0]["text"]}, staff_id=staff_id)
        else:
            seq = turn.append(Author.BOT, body, language=code)
        if turn.conversation.address.channel in WITHOUT_PLATFORM:
            return
        message = presenter.outbound(body, code, seq)
        turn.send(Priority.MEDIATOR if by_mediator else Priority.LIVE, message.to_json(), seq)

    async def _open_ticket(self, turn: Turn, action: OpenTicket) -> Event | None:
        ticket = await tickets.open_ticket(
            turn.connection,
            new_id=self.new_id(),
            conversation_id=turn.conversation.id,
            language=turn.state.language,
            reason=action.reason.value,
            urgent=action.reason is Reason.DANGER,
            question_seq=action.question,
            now=turn.now,
        )
        turn.append(Author.SYSTEM, {"code": "queued", "values": {"reason": action.reason.value}})
        stands = await self._situation(turn, ticket)
        # One that is open already may be with a mediator, where the state was begun anew meanwhile.
        return HeldAlready(str(ticket)) if stands is None else stands

    async def _situation(self, turn: Turn, ticket: UUID) -> Queued | None:
        """Tell where the resident stands, and whether only a moment is left in which we may answer."""
        stands = await situation(turn.connection, ticket, self.hours, turn.now)
        window = await budgets.of(turn.connection, turn.conversation.id)
        if stands is None or window is None:
            return stands
        return replace(stands, brief=window.until - turn.now < BRIEF)


async def _erase(turn: Turn, *, but: int) -> None:
    """Delete the texts of a conversation wherever they are; its row stays, so that it can go on."""
    conversation_id = turn.conversation.id
    turn.added.clear()
    turn.outgoing.clear()
    await conversations.erase_messages(turn.connection, conversation_id)
    await inbox.erase_payloads(turn.connection, conversation_id, but=but)
    await outbox.erase(turn.connection, conversation_id, now=turn.now)
    await tickets.forget_question(turn.connection, conversation_id)
    await quarantine.forget(turn.connection, conversation_id)
