"""Where a conversation stands: a frozen value, stored as versioned JSON."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bot.languages import CODES
from bot.picks import Choice

VERSION: Final = 1


class Stage(StrEnum):
    """The stages of a conversation."""

    NEW = "new"
    OPEN = "open"
    CHOOSING = "choosing"
    OFFERED = "offered"
    WAITING = "waiting"
    WITH_MEDIATOR = "with-mediator"


class StateError(ValueError):
    """The stored state cannot be read."""


@dataclass(frozen=True, slots=True)
class State:
    """All that the engine knows of a conversation.

    `introduced`: the resident was told that the service is automatic. `chosen`: the language was
    picked by the resident, so that no text changes it. `offered`: the last list, for answers by
    number. `question`: place of the last question in the transcript. `noted`: while waiting, the
    resident was told once that what they add reaches the mediator. `urgent`: an emergency card was shown,
    and the person it offers was neither taken nor declined. `answered`: the entries that answered the last
    question, to be shown again in another language.
    """

    language: str
    stage: Stage = Stage.NEW
    introduced: bool = False
    chosen: bool = False
    offered: tuple[Choice, ...] = ()
    question: int | None = None
    ticket: str | None = None
    noted: bool = False
    urgent: bool = False
    answered: tuple[str, ...] = ()


def dump(state: State) -> dict[str, Any]:
    """Write a state as JSON values."""
    return {
        "v": VERSION,
        "language": state.language,
        "stage": state.stage.value,
        "introduced": state.introduced,
        "chosen": state.chosen,
        "offered": [choice.to_json() for choice in state.offered],
        "question": state.question,
        "ticket": state.ticket,
        "noted": state.noted,
        "urgent": state.urgent,
        "answered": list(state.answered),
    }


def load(data: Any) -> State:
    """Read what `dump` wrote; raises StateError on anything else."""
    try:
        version, language = data["v"], data["language"]
        question, ticket = data["question"], data["ticket"]
        state = State(
            language=str(language),
            stage=Stage(data["stage"]),
            introduced=bool(data["introduced"]),
            chosen=bool(data["chosen"]),
            offered=tuple(Choice.from_json(choice) for choice in data["offered"]),
            question=None if question is None else int(question),
            ticket=None if ticket is None else str(ticket),
            noted=bool(data["noted"]),
            # States stored before these were known have neither.
            urgent=bool(data.get("urgent", False)),
            answered=tuple(str(slug) for slug in data.get("answered", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the stored state cannot be read: {error!r}") from error
    if version != VERSION or language not in CODES:
        raise StateError(f"a state of version {version!r} in language {language!r} cannot be read")
    return state
