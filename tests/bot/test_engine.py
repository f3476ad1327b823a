"""Properties of the engine that hold for every state and every event."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events, sayings, topics
from bot.actions import CloseTicket, EmergencyCard, ListGroup, MakeUrgent, OpenTicket, Reason, ReportPlace, Say, Wording
from bot.engine import TABLE, step
from bot.events import ChoiceMade, Event, Match, Question, Queued, TextReceived, Understanding, Verdict
from bot.languages import CODES
from bot.picks import Choice, Pick, Verb
from bot.signals import Danger, Talk
from bot.state import Stage, State, StateError, dump, load

slugs = st.sampled_from(["identity-card", "unpaid-wages", "no-such-entry"])
arguments = st.sampled_from([*CODES, "work", "", "xx", "services/health", "training/", "work/health", "//"])
picks = st.builds(Pick, st.sampled_from(Verb), st.one_of(slugs, arguments))
choices = st.builds(Choice, picks, st.sampled_from(["", "bot.choice.menu"]))
tickets = st.sampled_from(["ticket-1", "ticket-2"])
matches = st.lists(st.builds(Match, slugs, st.floats(0, 1)), max_size=5).map(tuple)
understandings = st.builds(
    Understanding,
    st.sampled_from(CODES),
    st.booleans(),
    st.sampled_from(Verdict),
    matches,
    others=st.lists(st.builds(Question, st.sampled_from(Verdict), matches), max_size=8).map(tuple),
    more=st.booleans(),
    talk=st.none() | st.sampled_from(Talk),
    danger=st.none() | st.sampled_from(Danger),
    gentle=st.booleans(),
    rival=st.none() | st.sampled_from([*CODES, "xx"]),
)
words = st.sampled_from(
    ["menu", "زبان", "stop", "persona", "sì", "না", "2", "三", "ciao", "grazie", "cancella i miei dati"]
)


@st.composite
def states(draw: st.DrawFn) -> State:
    stage = draw(st.sampled_from(Stage))
    held = stage in {Stage.WAITING, Stage.WITH_MEDIATOR}
    return State(
        language=draw(st.sampled_from(CODES)),
        stage=stage,
        introduced=draw(st.booleans()),
        chosen=draw(st.booleans()),
        offered=tuple(draw(st.lists(choices, max_size=6))),
        question=draw(st.none() | st.integers(1, 1000)),
        ticket=draw(tickets) if held else None,
        noted=draw(st.booleans()),
        urgent=draw(st.booleans()),
        answered=tuple(draw(st.lists(slugs, max_size=3))),
    )


sections = st.sampled_from(["permits", "health", "jobs", "", "fish"])
listings = st.builds(
    events.GroupListed,
    st.sampled_from(topics.GROUPS),
    st.lists(slugs, max_size=40).map(tuple),
    st.none() | sections,
    st.lists(sections, max_size=5, unique=True).map(tuple),
)
texts = st.builds(
    TextReceived, st.integers(1, 1000), st.text() | words, understandings, st.booleans(), st.none() | picks
)
media = st.builds(events.MediaReceived, st.integers(1, 1000), st.sampled_from(events.MediaKind))
missed = st.lists(texts | media, max_size=2).map(tuple)
any_event = st.one_of(
    st.builds(events.Started, st.text(max_size=64)),
    texts,
    media,
    st.builds(ChoiceMade, picks),
    st.just(events.ChoiceExpired()),
    st.builds(events.HeldAlready, tickets),
    listings,
    st.builds(
        events.CasesFound,
        st.builds(sayings.answer, st.just(State("it")), slugs),
        st.lists(st.tuples(slugs, st.just(("eu", "minor"))), min_size=1).map(tuple),
    ),
    st.builds(
        Queued, tickets, st.integers(1, 99), st.booleans(), st.none() | st.just(datetime(2026, 1, 1, tzinfo=UTC))
    ),
    st.builds(events.MediatorJoined, tickets),
    st.builds(events.MediatorReplied, tickets, st.text(min_size=1)),
    st.builds(events.MediatorClosed, tickets, missed),
    st.builds(events.MediatorGaveBack, tickets, missed),
    st.just(events.SpokenInGroup()),
    st.just(events.Left()),
    st.just(events.Returned()),
    st.just(events.MessageSetAside()),
)


def test_the_table_knows_every_event_in_every_stage() -> None:
    every_event = set(Event.__args__)
    assert set(TABLE) == set(Stage)
    for stage, row in TABLE.items():
        assert set(row) == every_event, stage


@given(states(), any_event)
def test_a_step_is_total_and_deterministic_and_its_state_survives_a_round_trip(state: State, event: Event) -> None:
    first, second = step(state, event), step(state, event)
    assert first == second
    assert load(json.loads(json.dumps(dump(first.state)))) == first.state


@given(states(), any_event)
def test_a_held_conversation_has_a_ticket_and_a_free_one_has_none(state: State, event: Event) -> None:
    after = step(state, event).state
    assert (after.ticket is not None) == (after.stage in {Stage.WAITING, Stage.WITH_MEDIATOR})


@given(states(), any_event)
def test_nothing_is_answered_before_the_service_says_that_it_is_automatic(state: State, event: Event) -> None:
    if state.introduced or isinstance(event, events.MediatorReplied | events.SpokenInGroup):
        return
    said = [action for action in step(state, event).actions if isinstance(action, Say)]
    if said and said[0].parts != (Wording("bot.deleted"),):
        first, second = said[0].parts[0], said[0].parts[-1] if len(said[0].parts) == 1 else said[0].parts[1]
        # Whoever is in danger reads first what to do.
        assert Wording("bot.notice") == (second if isinstance(first, EmergencyCard) else first)
        assert sum(say.parts.count(Wording("bot.notice")) for say in said) == 1


@given(states(), st.text() | words, understandings, st.sampled_from(Danger))
def test_danger_shows_the_card_first_wherever_no_mediator_has_the_conversation(
    state: State, text: str, understanding: Understanding, danger: Danger
) -> None:
    alarmed = replace(understanding, danger=danger, gentle=False)
    stepped = step(state, TextReceived(7, text, alarmed))
    said = [action for action in stepped.actions if isinstance(action, Say)]
    if state.stage is Stage.WITH_MEDIATOR:
        assert not any(isinstance(part, EmergencyCard) for say in said for part in say.parts)
        return
    assert said[0].parts[0] == EmergencyCard(danger)
    assert len(said) == 1
    if state.stage is Stage.WAITING:
        assert stepped.actions[1:] == (MakeUrgent(state.ticket or ""),)
        return
    for asking in (_text("yes"), _text("1"), _text("sì"), ChoiceMade(Pick(Verb.PERSON)), _text("persona")):
        assert step(stepped.state, asking).actions == (OpenTicket(Reason.DANGER, 7),)


@given(states(), st.text(), understandings)
def test_feedback_is_asked_for_once_and_the_last_list_is_what_numbers_mean(
    state: State, text: str, understanding: Understanding
) -> None:
    stepped = step(state, TextReceived(7, text, understanding))
    said = [action for action in stepped.actions if isinstance(action, Say)]
    assert len(said) <= 3
    assert sum(choice.pick.verb is Verb.HELPFUL for say in said for choice in say.choices) <= 1
    if said:
        assert stepped.state.offered == said[-1].choices


@given(states(), picks, understandings, st.sampled_from([None, Danger.FIRE]))
def test_the_words_of_a_choice_mean_what_a_tap_means_unless_an_entry_tells_of_danger(
    state: State, pick: Pick, understanding: Understanding, danger: Danger | None
) -> None:
    understood = replace(understanding, danger=danger, gentle=False)
    stepped = step(state, TextReceived(7, "the words of the choice", understood, picked=pick))
    ours = pick.verb is not Verb.ENTRY
    if danger is None or state.stage is Stage.WITH_MEDIATOR or ours:
        assert stepped == step(state, ChoiceMade(pick))
    else:
        assert stepped == step(state, TextReceived(7, "any words", understood))


@given(states(), any_event)
def test_no_state_is_a_trap(state: State, event: Event) -> None:
    """After anything at all, a person can be reached, the menu comes, and the queue can be left."""
    after = step(state, event).state
    for asking in (ChoiceMade(Pick(Verb.PERSON)), _text("persona"), _text("人工"), _text("کسی شخص سے بات")):
        stepped = step(after, asking)
        asked = any(isinstance(action, OpenTicket | ReportPlace) for action in stepped.actions)
        assert asked or after.stage is Stage.WITH_MEDIATOR
    assert step(after, _text("menu")).actions
    assert step(after, _text("语言")).actions
    assert step(after, _text("delete my data")).actions
    stopped = step(after, _text("বন্ধ করুন"))
    assert stopped.state.ticket is None
    assert any(isinstance(action, CloseTicket) for action in stopped.actions) == (after.ticket is not None)


@given(states(), listings)
def test_a_list_is_short_or_of_one_section_and_the_menu_is_one_tap_away(
    state: State, listed: events.GroupListed
) -> None:
    (say,) = [action for action in step(state, listed).actions if isinstance(action, Say)]
    verbs = [choice.pick.verb for choice in say.choices]
    assert verbs[-2:] == [Verb.MENU, Verb.PERSON]
    if Verb.SECTION in verbs:
        picked = [topics.group_and_section(c.pick.argument) for c in say.choices if c.pick.verb is Verb.SECTION]
        assert picked == [(listed.group, section) for section in listed.sections]
        assert Verb.ENTRY not in verbs
        return
    assert verbs.count(Verb.ENTRY) == len(listed.slugs)
    assert listed.section is not None or len(listed.slugs) <= topics.LISTED_AT_MOST or len(listed.sections) < 2
    assert (Verb.GROUP in verbs) == (listed.section is not None)


@given(states(), st.sampled_from(topics.GROUPS), st.text(max_size=12) | sections)
def test_a_section_is_listed_where_the_group_has_it_and_expired_otherwise(
    state: State, group: str, section: str
) -> None:
    stepped = step(state, ChoiceMade(Pick(Verb.SECTION, topics.named(group, section))))
    if section == topics.REST or section in topics.SECTIONS[group]:
        assert stepped.actions == (ListGroup(group, section),)
        assert stepped.state == state
    else:
        assert Wording("bot.choice_expired") in stepped.actions[-1].parts  # type: ignore[union-attr]


@given(states(), understandings)
def test_a_chosen_language_is_kept(state: State, understanding: Understanding) -> None:
    if state.chosen:
        text = TextReceived(1, "qualche domanda qui", understanding)
        assert step(state, text).state.language == state.language


@pytest.mark.parametrize("stage", Stage)
def test_a_number_put_into_an_older_message_picks_nothing_from_a_newer_list(stage: Stage) -> None:
    ticket = "t" if stage in {Stage.WAITING, Stage.WITH_MEDIATOR} else None
    menu = step(State("it", stage=Stage.OPEN, introduced=True), _text("menu")).state
    state = replace(menu, stage=stage, ticket=ticket)
    written, edited = (step(state, replace(_text("2"), edited=edited)) for edited in (False, True))
    assert [type(action) for action in written.actions] == [ListGroup]
    says = [action for action in edited.actions if isinstance(action, Say)]
    assert list(edited.actions) == says
    if ticket is None:
        assert Wording("bot.choice_expired") in says[0].parts


def _text(text: str) -> TextReceived:
    return TextReceived(1, text, Understanding("it", certain=False, verdict=Verdict.ABSTAIN))


@pytest.mark.parametrize(
    "data", [None, {}, [], {"v": 2}, {"v": 1, "language": "xx"}, {**dump(State("it")), "stage": "?"}]
)
def test_a_state_that_cannot_be_read_says_so(data: object) -> None:
    with pytest.raises(StateError):
        load(data)
