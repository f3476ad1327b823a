"""What each event does in each stage: small functions that the table of `bot.engine` names.

Every function takes the state and an event and gives a `Step`. None of them remembers anything.
"""

from dataclasses import replace

from bot import answering, sayings, topics
from bot.actions import CloseTicket, MediatorText, Outcome, Say, SetReachable
from bot.events import (
    CasesFound,
    GroupListed,
    HeldAlready,
    Left,
    MediaReceived,
    MediatorClosed,
    MediatorGaveBack,
    MediatorJoined,
    MediatorReplied,
    MessageSetAside,
    Queued,
    Returned,
    SpokenInGroup,
    Started,
    TextReceived,
)
from bot.picks import Verb
from bot.state import Stage, State
from bot.steering import HELD, Handler, Step, released, said, settled, steered


def nothing(state: State, _event: object) -> Step:
    """Leave everything as it is."""
    return Step(state)


# --- what residents do -------------------------------------------------------------------------


def started(state: State, _event: Started) -> Step:
    """Greet whoever opens the conversation, also for the second time."""
    return said(replace(state, answered=()), sayings.welcome(state))


def text_for_bot(state: State, event: TextReceived) -> Step:
    """Show the way out of danger, steer, pick by number, talk a little, or answer."""
    return _text(state, event, answering.answer)


def text_while_waiting(state: State, event: TextReceived) -> Step:
    """Do as always; what cannot be answered is kept for the mediator, which is said once."""
    return _text(state, event, answering.answer_while_waiting)


def _text(state: State, event: TextReceived, answer: Handler) -> Step:
    understanding = event.understanding
    if understanding.danger is not None and not understanding.gentle and not _answers_us(event):
        return answering.danger(state, event, understanding.danger)
    handled = steered(state, event)
    if handled is not None:
        return handled
    if understanding.talk is not None and understanding.danger is None:
        return answering.small_talk(state, event, understanding.talk)
    return answer(state, event)


def _answers_us(event: TextReceived) -> bool:
    """Tell whether a text is word for word on a button that names nothing that may have happened to the resident.

    "Yes, it helped me" is spelt as a cry for help is. The title of an entry, or a case of it, may tell of danger.
    """
    return event.picked is not None and event.picked.verb is not Verb.ENTRY


def text_for_mediator(state: State, event: TextReceived) -> Step:
    """Leave the text to the mediator, who reads the transcript; only the steering words are ours."""
    handled = steered(state, event)
    return Step(state) if handled is None else handled


def media(state: State, event: MediaReceived) -> Step:
    """Say that only people can look at it; it is kept for them."""
    asked = state if state.question is not None else replace(state, question=event.seq)
    say = sayings.saying(state, "bot.media", choices=(sayings.ACCEPT_PERSON, sayings.DECLINE_PERSON, sayings.MENU))
    return said(asked, say, stage=Stage.OFFERED)


def media_while_waiting(state: State, _event: MediaReceived) -> Step:
    """Say that it is kept for the mediator."""
    return said(state, sayings.saying(state, "bot.media_kept", choices=(sayings.STOP,)))


def spoken_in_group(state: State, _event: SpokenInGroup) -> Step:
    """Decline, once: what is asked here is nobody else's business."""
    if state.introduced:
        return Step(state)
    return Step(replace(state, introduced=True, stage=settled(state)), (sayings.group_declined(),))


def left(state: State, _event: Left) -> Step:
    """Give up the place in the queue; nobody can be reached."""
    closing = () if state.ticket is None else (CloseTicket(state.ticket, Outcome.RESIDENT_LEFT),)
    return Step(released(state), (SetReachable(reachable=False), *closing))


def returned(state: State, _event: Returned) -> Step:
    """Be silent until spoken to, but remember that it is possible to answer."""
    return Step(state, (SetReachable(reachable=True),))


# --- what follows from actions -----------------------------------------------------------------


def group_listed(state: State, event: GroupListed) -> Step:
    """Show the entries of a group or a section; of a group with many entries, its sections."""
    stage = settled(state) if state.stage in HELD else Stage.CHOOSING
    if event.section is not None:
        say = sayings.section_listed(state, event.group, event.section, event.slugs)
    elif topics.in_parts(len(event.slugs), len(event.sections)):
        say = sayings.sections_listed(state, event.group, event.sections)
    else:
        say = sayings.group_listed(state, event.group, event.slugs)
    return said(replace(state, answered=()), say, stage=stage)


def cases_found(state: State, event: CasesFound) -> Step:
    """Answer in general, and ask which case it is. Which one is picked is remembered nowhere."""
    say = sayings.which_case(event.say, event.cases)
    return Step(replace(state, offered=say.choices), (say,))


def queued(state: State, event: Queued) -> Step:
    """Say where the resident stands."""
    if state.stage is Stage.WITH_MEDIATOR:
        return Step(state)
    waiting = replace(state, ticket=event.ticket, stage=Stage.WAITING)
    return said(waiting, sayings.queued(waiting, event))


def held_already(state: State, event: HeldAlready) -> Step:
    """Find the way back to the mediator."""
    held = replace(state, ticket=event.ticket, offered=(), answered=())
    return said(held, sayings.saying(held, "bot.mediator_joined"), stage=Stage.WITH_MEDIATOR)


def message_set_aside(state: State, _event: MessageSetAside) -> Step:
    """Apologise and offer a person."""
    if state.stage in HELD:
        return said(state, sayings.saying(state, "bot.failed_held"))
    say = sayings.saying(state, "bot.failed", choices=(sayings.ACCEPT_PERSON, sayings.DECLINE_PERSON))
    return said(state, say, stage=Stage.OFFERED)


# --- what mediators do -------------------------------------------------------------------------


def mediator_joined(state: State, event: MediatorJoined) -> Step:
    """Say that from here on a person answers."""
    if state.ticket != event.ticket:
        return Step(state)
    say = sayings.saying(state, "bot.mediator_joined")
    return said(replace(state, offered=(), answered=()), say, stage=Stage.WITH_MEDIATOR)


def mediator_replied(state: State, event: MediatorReplied) -> Step:
    """Pass on what the mediator wrote, as long as they hold the conversation."""
    if state.ticket != event.ticket:
        return Step(state)
    return Step(replace(state, offered=()), (Say((MediatorText(event.text),)),))


def mediator_closed(state: State, event: MediatorClosed) -> Step:
    """Say goodbye for the mediator; the bot answers again."""
    return _ended(state, event, "bot.mediator_closed")


def mediator_gave_back(state: State, event: MediatorGaveBack) -> Step:
    """Say that the automatic service answers again."""
    return _ended(state, event, "bot.mediator_gave_back")


def _ended(state: State, event: MediatorClosed | MediatorGaveBack, wording: str) -> Step:
    """Say it, and answer what the resident sent that nobody had seen; a number in it was no choice of ours."""
    if state.ticket != event.ticket:
        return Step(state)
    freed = released(state)
    step = said(freed, sayings.saying(freed, wording, choices=(sayings.MENU, sayings.PERSON)))
    for missed in event.missed:
        state = replace(step.state, offered=())
        answered = text_for_bot(state, missed) if isinstance(missed, TextReceived) else media(state, missed)
        step = Step(answered.state, (*step.actions, *answered.actions))
    return step
