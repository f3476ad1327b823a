"""The engine: one function, and the table that says what each event does in each stage."""

from typing import Final

from bot import stages, steering
from bot.events import (
    CasesFound,
    ChoiceExpired,
    ChoiceMade,
    Event,
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
from bot.state import Stage, State
from bot.steering import Handler, Step

_EVERYWHERE: Final[dict[type[Event], Handler]] = {
    Started: stages.started,
    ChoiceMade: steering.choice,
    ChoiceExpired: steering.choice_expired,
    GroupListed: stages.group_listed,
    CasesFound: stages.cases_found,
    Queued: stages.queued,
    HeldAlready: stages.held_already,
    MediatorJoined: stages.mediator_joined,
    MediatorReplied: stages.mediator_replied,
    MediatorClosed: stages.mediator_closed,
    MediatorGaveBack: stages.mediator_gave_back,
    SpokenInGroup: stages.spoken_in_group,
    Left: stages.left,
    Returned: stages.returned,
    MessageSetAside: stages.message_set_aside,
}
_FREE: Final[dict[type[Event], Handler]] = {
    **_EVERYWHERE,
    TextReceived: stages.text_for_bot,
    MediaReceived: stages.media,
}
TABLE: Final[dict[Stage, dict[type[Event], Handler]]] = {
    Stage.NEW: _FREE,
    Stage.OPEN: _FREE,
    Stage.CHOOSING: _FREE,
    Stage.OFFERED: _FREE,
    Stage.WAITING: {
        **_EVERYWHERE,
        TextReceived: stages.text_while_waiting,
        MediaReceived: stages.media_while_waiting,
    },
    Stage.WITH_MEDIATOR: {
        **_EVERYWHERE,
        SpokenInGroup: stages.nothing,
        TextReceived: stages.text_for_mediator,
        MediaReceived: stages.nothing,
    },
}


def step(state: State, event: Event) -> Step:
    """Give what an event leads to: the next state, and the actions to carry out. Total and deterministic."""
    return TABLE[state.stage][type(event)](state, event)
