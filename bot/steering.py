"""The words and picks that mean the same in every stage, and how a step is made of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import sayings, topics
from bot.actions import (
    Action,
    CloseTicket,
    CountFeedback,
    Erase,
    ListGroup,
    OpenTicket,
    Outcome,
    Reason,
    ReportPlace,
    Say,
)
from bot.commands import Command, command_of, language_named, number_of
from bot.events import ChoiceExpired, ChoiceMade, TextReceived
from bot.languages import CODES
from bot.picks import Pick, Verb, case_of
from bot.state import Stage, State


@dataclass(frozen=True, slots=True)
class Step:
    """What one event leads to."""

    state: State
    actions: tuple[Action, ...] = ()


Handler = Callable[[State, Any], Step]
HELD = (Stage.WAITING, Stage.WITH_MEDIATOR)


def said(state: State, *actions: Action, stage: Stage | None = None) -> Step:
    """Say something: it introduces the service, and the choices of the last message can be answered by number."""
    last = [action for action in actions if isinstance(action, Say)][-1]
    introduced = replace(state, introduced=True, offered=last.choices, stage=stage or settled(state))
    return Step(introduced, actions)


def settled(state: State) -> Stage:
    """Give the stage after an ordinary message: held conversations stay held, all others are open."""
    return state.stage if state.stage in HELD else Stage.OPEN


def choice(state: State, event: ChoiceMade) -> Step:
    """Do what the pick means; it means the same in every stage."""
    return _PICKS[event.pick.verb](state, event.pick)


def choice_expired(state: State, _event: ChoiceExpired) -> Step:
    """Say that the button is too old, and give the menu."""
    return said(state, sayings.choice_expired(state))


def steered(state: State, event: TextReceived) -> Step | None:
    """Carry out a number or label of the last list, a language's name or a steering word; None for any other text."""
    number = number_of(event.text)
    if number is not None and 1 <= number <= len(state.offered):
        if event.edited:
            # Meant for the list that stood above the message when it was written, and that is gone.
            return None if state.stage in HELD else choice_expired(state, ChoiceExpired())
        return choice(state, ChoiceMade(state.offered[number - 1].pick))
    if event.picked is not None:
        return choice(state, ChoiceMade(event.picked))
    named = language_named(event.text)
    if named is not None:
        return _language(state, Pick(Verb.LANGUAGE, named))
    command = command_of(event.text)
    return None if command is None else _COMMANDS[command](state, event)


def in_language_of(state: State, event: TextReceived) -> State:
    """Follow the resident into another language, unless they picked one."""
    understanding = event.understanding
    if state.chosen or not understanding.certain or understanding.language not in CODES:
        return state
    return replace(state, language=understanding.language)


def released(state: State) -> State:
    """Give the state after the ticket is over."""
    return replace(state, stage=Stage.OPEN, ticket=None, noted=False, urgent=False, offered=(), answered=())


def _menu(state: State, _: object) -> Step:
    return said(replace(state, answered=()), sayings.menu(state))


def _languages(state: State, _: object) -> Step:
    return said(state, sayings.languages(state))


def _language(state: State, pick: Pick) -> Step:
    if pick.argument not in CODES:
        return choice_expired(state, ChoiceExpired())
    spoken = replace(state, language=pick.argument, chosen=True)
    if state.answered and pick.argument != state.language:
        return said(spoken, sayings.answer_again(spoken, state.answered))
    choices = () if state.stage in HELD else (sayings.MENU, sayings.PERSON)
    return said(spoken, sayings.saying(spoken, "bot.language_set", choices=choices))


def _stop(state: State, _: object) -> Step:
    if state.ticket is not None:
        closed = CloseTicket(state.ticket, Outcome.RESIDENT_STOPPED)
        freed = released(state)
        return said(freed, sayings.saying(state, "bot.stopped_waiting", choices=(sayings.MENU,)), closed)
    return said(state, sayings.saying(state, "bot.stopped", choices=(sayings.MENU,)))


def _delete(state: State, _: object) -> Step:
    return said(state, sayings.confirm_deletion(state))


def _delete_confirmed(state: State, _: object) -> Step:
    closing = () if state.ticket is None else (CloseTicket(state.ticket, Outcome.ERASED),)
    fresh = State(language=state.language, stage=Stage.OPEN, introduced=True, chosen=state.chosen)
    return Step(fresh, (*closing, Erase(), sayings.saying(fresh, "bot.deleted")))


def _keep(state: State, _: object) -> Step:
    return said(state, sayings.saying(state, "bot.kept", choices=(sayings.MENU,)))


def person(state: State, _: object) -> Step:
    """Put the resident in the queue, or tell where they stand."""
    if state.stage is Stage.WITH_MEDIATOR:
        return said(state, sayings.saying(state, "bot.already_with_mediator"))
    if state.stage is Stage.WAITING and state.ticket is not None:
        return Step(state, (ReportPlace(state.ticket),))
    if state.urgent:
        return Step(replace(state, urgent=False), (OpenTicket(Reason.DANGER, state.question),))
    reason = Reason.UNKNOWN if state.stage is Stage.OFFERED else Reason.ASKED
    return Step(state, (OpenTicket(reason, state.question),))


def _decline_person(state: State, _: object) -> Step:
    declined = replace(state, urgent=False)
    return said(declined, sayings.saying(declined, "bot.declined_person", choices=(sayings.MENU,)))


def _entry(state: State, pick: Pick) -> Step:
    # Which case it is, is not remembered: it may tell what nobody has to know.
    slug, _ = case_of(pick.argument)
    return said(replace(state, answered=(slug,)), sayings.answer(state, pick.argument))


def _group(state: State, pick: Pick) -> Step:
    if pick.argument not in topics.GROUPS:
        return choice_expired(state, ChoiceExpired())
    return Step(state, (ListGroup(pick.argument),))


def _section(state: State, pick: Pick) -> Step:
    group, section = topics.group_and_section(pick.argument)
    if not topics.is_section(group, section):
        return choice_expired(state, ChoiceExpired())
    return Step(state, (ListGroup(group, section),))


def _helpful(state: State, pick: Pick) -> Step:
    say = sayings.saying(state, "bot.glad", choices=(sayings.MENU,))
    return said(state, say, CountFeedback(pick.argument, helpful=True))


def _not_helpful(state: State, pick: Pick) -> Step:
    counted = CountFeedback(pick.argument, helpful=False)
    if state.stage in HELD:
        return said(state, sayings.saying(state, "bot.still_waiting"), counted)
    choices = (sayings.ACCEPT_PERSON, sayings.DECLINE_PERSON, sayings.MENU)
    return said(state, sayings.saying(state, "bot.not_helped", choices=choices), counted, stage=Stage.OFFERED)


def _greeting(state: State, event: TextReceived) -> Step:
    if state.stage in HELD:
        return text_kept(state)
    greeted = replace(in_language_of(state, event), answered=())
    return said(greeted, sayings.welcome(greeted))


def _thanks(state: State, _: object) -> Step:
    if state.stage in HELD:
        return text_kept(state)
    return said(state, sayings.saying(state, "bot.thanks", choices=(sayings.MENU,)))


def _yes(state: State, _: object) -> Step:
    return _by_word(state, (Verb.DELETE_CONFIRMED, Verb.PERSON, Verb.HELPFUL))


def _no(state: State, _: object) -> Step:
    if sayings.ACCEPT_PERSON in state.offered:
        # An emergency card offers a person, and has no button to decline.
        return _decline_person(state, _)
    return _by_word(state, (Verb.KEEP, Verb.DECLINE_PERSON, Verb.NOT_HELPFUL))


def _by_word(state: State, verbs: tuple[Verb, ...]) -> Step:
    """Take a yes or no for the answer to what was asked last."""
    offered = {offer.pick.verb: offer.pick for offer in state.offered}
    if sayings.ACCEPT_PERSON not in state.offered:
        # The way to a person stands under many messages; only some of them ask for it.
        offered.pop(Verb.PERSON, None)
    for verb in verbs:
        if verb in offered:
            return choice(state, ChoiceMade(offered[verb]))
    return text_kept(state) if state.stage in HELD else said(state, sayings.menu(state))


def text_kept(state: State) -> Step:
    """Leave a small word to the mediator."""
    return Step(state)


_COMMANDS: dict[Command, Handler] = {
    Command.MENU: _menu,
    Command.LANGUAGE: _languages,
    Command.STOP: _stop,
    Command.DELETE: _delete,
    Command.PERSON: person,
    Command.YES: _yes,
    Command.NO: _no,
    Command.GREETING: _greeting,
    Command.THANKS: _thanks,
}
_PICKS: dict[Verb, Handler] = {
    Verb.ENTRY: _entry,
    Verb.GROUP: _group,
    Verb.SECTION: _section,
    Verb.MENU: _menu,
    Verb.PERSON: person,
    Verb.DECLINE_PERSON: _decline_person,
    Verb.LANGUAGES: _languages,
    Verb.LANGUAGE: _language,
    Verb.HELPFUL: _helpful,
    Verb.NOT_HELPFUL: _not_helpful,
    Verb.STOP: _stop,
    Verb.DELETE: _delete,
    Verb.DELETE_CONFIRMED: _delete_confirmed,
    Verb.KEEP: _keep,
}
