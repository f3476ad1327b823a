"""Golden conversations: what is said and done, event by event, with the state written and read between them."""

import json
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.actions import (
    Action,
    EmergencyCard,
    EntryAnswer,
    ListGroup,
    MediatorText,
    OpenTicket,
    ReportPlace,
    Say,
    Wording,
)
from bot.engine import step
from bot.events import (
    CasesFound,
    ChoiceExpired,
    ChoiceMade,
    Event,
    GroupListed,
    Left,
    Match,
    MediaKind,
    MediaReceived,
    MediatorClosed,
    MediatorGaveBack,
    MediatorJoined,
    MediatorReplied,
    MessageSetAside,
    Question,
    Queued,
    Returned,
    SpokenInGroup,
    Started,
    TextReceived,
    Understanding,
    Verdict,
)
from bot.picks import Pick, Verb
from bot.sayings import asks_case
from bot.signals import Danger, Talk
from bot.state import State, dump, load

FOLDER = Path(__file__).parent / "conversations"
TICKET = "ticket-1"
CASES = {"health-registration": ("non-eu", "eu")}
# The entries of each group by section: the first group is too long for one list.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "services": {
        "permits": tuple(f"residence-permit-{number}" for number in range(1, 11)),
        "health": ("night-doctor", "family-doctor"),
        "": ("identity-card",),
    },
    "work": {"jobs": ("dismissal",), "rights": ("unpaid-wages",)},
    "training": {"": ("italian-course",)},
}


def _conversations() -> list[Any]:
    cases = []
    for path in sorted(FOLDER.glob("*.yaml")):
        cases += [
            pytest.param(path.stem, conversation, id=f"{path.stem}: {conversation['name']}")
            for conversation in yaml.safe_load(path.read_text(encoding="utf-8"))
        ]
    return cases


def _understanding(state: State, given: dict[str, Any]) -> Understanding:
    question = _question(given)
    return Understanding(
        language=given.get("language", given.get("perhaps", state.language)),
        certain="language" in given,
        verdict=question.verdict,
        matches=question.matches,
        others=tuple(_question(other) for other in given.get("others", ())),
        more=given.get("more", False),
        talk=Talk(given["talk"]) if "talk" in given else None,
        danger=Danger(f"emergency-{given['danger']}") if "danger" in given else None,
        gentle=given.get("gentle", False),
        rival=given.get("rival"),
    )


def _question(given: dict[str, Any]) -> Question:
    if "answer" in given:
        return Question(Verdict.ANSWER, (Match(given["answer"], 1.0),))
    if "offer" in given:
        return Question(Verdict.OFFER, tuple(Match(slug, 0.5) for slug in given["offer"]))
    return Question(Verdict.ABSTAIN)


def _tap(state: State, tapped: str) -> Event:
    if tapped == "expired":
        return ChoiceExpired()
    verb, _, argument = tapped.partition(":")
    for choice in state.offered:
        if choice.pick.verb is Verb(verb) and argument in {"", choice.pick.argument}:
            return ChoiceMade(choice.pick)
    return ChoiceMade(Pick(Verb(verb), argument))


def _event(state: State, given: dict[str, Any], seq: int) -> Event:
    if "text" in given:
        return TextReceived(seq, str(given["text"]), _understanding(state, given.get("understood", {})))
    if "tap" in given:
        return _tap(state, given["tap"])
    if "media" in given:
        return MediaReceived(seq, MediaKind(given["media"]))
    if "mediator" in given:
        mediators: dict[str, Event] = {
            "joined": MediatorJoined(TICKET),
            "replied": MediatorReplied(TICKET, given.get("content", "")),
            "closed": MediatorClosed(TICKET),
            "gave-back": MediatorGaveBack(TICKET),
        }
        return mediators[given["mediator"]]
    simple: dict[str, Event] = {
        "start": Started(str(given.get("start", ""))),
        "group": SpokenInGroup(),
        "left": Left(),
        "returned": Returned(),
        "failed": MessageSetAside(),
    }
    return next(event for name, event in simple.items() if name in given)


def _follows(action: Action, queue: dict[str, Any]) -> Event | None:
    if isinstance(action, ListGroup):
        parts = GROUPS[action.group]
        asked = parts if action.section is None else {action.section: parts.get(action.section, ())}
        return GroupListed(action.group, sum(asked.values(), ()), action.section, tuple(parts))
    if isinstance(action, OpenTicket | ReportPlace):
        opens_at = queue.get("opens_at")
        moment = None if opens_at is None else datetime.fromisoformat(opens_at)
        return Queued(TICKET, queue.get("place", 1), queue.get("on_duty", True), moment)
    return None


def _cases(say: Say) -> CasesFound | None:
    """Find the cases, as a turn does, before a message is said."""
    slugs = [part.slug for part in say.parts if isinstance(part, EntryAnswer) and not part.facet]
    cases = tuple((slug, CASES[slug]) for slug in slugs if slug in CASES)
    return CasesFound(say, cases) if cases and not asks_case(say) else None


def _told(actions: list[Action]) -> list[str]:
    told = []
    for say in actions:
        if isinstance(say, Say):
            for part in say.parts:
                match part:
                    case Wording():
                        told.append(part.id)
                    case EmergencyCard():
                        told.append(f"{'gentle' if part.gentle else 'card'}:{part.danger.removeprefix('emergency-')}")
                    case EntryAnswer():
                        told.append(f"entry:{part.slug}" + (f"#{part.facet}" if part.facet else ""))
                    case MediatorText():
                        told.append(f"mediator:{part.text}")
    return told


@pytest.mark.parametrize(("language", "conversation"), _conversations())
def test_conversation(language: str, conversation: dict[str, Any]) -> None:
    state = State(language=language)
    for seq, given in enumerate(conversation["events"], 1):
        events: deque[Event] = deque([_event(state, given, seq)])
        actions: list[Action] = []
        while events:
            stepped = step(state, events.popleft())
            state = load(json.loads(json.dumps(dump(stepped.state))))
            for action in stepped.actions:
                found = _cases(action) if isinstance(action, Say) else None
                if found is None:
                    actions.append(action)
                follower = found or _follows(action, conversation.get("queue", {}))
                if follower is not None:
                    events.append(follower)
        assert _told(actions) == given["says"], given
        assert [type(a).__name__ for a in actions if not isinstance(a, Say)] == given.get("does", []), given
        if "reason" in given:
            assert [a.reason.value for a in actions if isinstance(a, OpenTicket)] == [given["reason"]], given
        if "messages" in given:
            spoken = [action for action in actions if isinstance(action, Say)]
            assert [[c.pick.verb.value for c in say.choices] for say in spoken] == given["messages"], given
        if "choices" in given:
            last = [action for action in actions if isinstance(action, Say)][-1]
            assert [choice.pick.verb.value for choice in last.choices] == given["choices"], given
        if "picks" in given:
            last = [action for action in actions if isinstance(action, Say)][-1]
            assert [f"{c.pick.verb}:{c.pick.argument}".rstrip(":") for c in last.choices] == given["picks"], given
        if "stage" in given:
            assert state.stage.value == given["stage"], given
        if "language" in given:
            assert state.language == given["language"], given


def test_there_are_at_least_25_in_five_languages() -> None:
    cases = _conversations()
    assert len(cases) >= 25
    assert len({case.values[0] for case in cases}) == 5
