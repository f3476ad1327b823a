"""What the bot may ask for. Actions are data; a turn carries them out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.picks import Choice
from bot.signals import Danger

Value = str | int | datetime | date | timedelta


@dataclass(frozen=True, slots=True)
class Wording:
    """A text of the catalogue with its values; `count` picks the plural form where it has any.

    `language` is a code of `bot.languages` where the text is not in the language of the conversation.
    """

    id: str
    values: tuple[tuple[str, Value], ...] = ()
    count: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """The answer of an entry, with its source and its marks: the general one, or that for the case of a facet."""

    slug: str
    facet: str = ""


@dataclass(frozen=True, slots=True)
class EmergencyCard:
    """What to do in danger, with the numbers to call; only the numbers where it is `gentle`."""

    danger: Danger
    gentle: bool = False


@dataclass(frozen=True, slots=True)
class MediatorText:
    """What a mediator wrote, as it was written."""

    text: str


Part = Wording | EntryAnswer | EmergencyCard | MediatorText


@dataclass(frozen=True, slots=True)
class Say:
    """One message to the resident."""

    parts: tuple[Part, ...]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class ListGroup:
    """Ask for the entries of a group, or of one section of it; `GroupListed` follows."""

    group: str
    section: str | None = None


class Reason(StrEnum):
    """Why a ticket was opened."""

    ASKED = "asked"
    UNKNOWN = "unknown"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Put the resident in the queue; `Queued` follows. `question` is a place in the transcript.

    A ticket with the reason `DANGER` is urgent: it comes before all that are not.
    """

    reason: Reason
    question: int | None


@dataclass(frozen=True, slots=True)
class MakeUrgent:
    """Let a ticket come before all that are not urgent."""

    ticket: str


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Ask where the resident stands in the queue; `Queued` follows, or nothing where the ticket is gone."""

    ticket: str


class Outcome(StrEnum):
    """How a ticket ended."""

    SOLVED = "solved"
    REFERRED = "referred"
    NO_REPLY = "no-reply"
    GIVEN_BACK = "given-back"
    RESIDENT_STOPPED = "resident-stopped"
    RESIDENT_LEFT = "resident-left"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class CloseTicket:
    """End a ticket from the resident's side."""

    ticket: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CountFeedback:
    """Count whether an answer helped; nothing about the resident is kept with it."""

    slug: str
    helpful: bool


@dataclass(frozen=True, slots=True)
class Erase:
    """Delete all that is stored of the conversation."""


@dataclass(frozen=True, slots=True)
class SetReachable:
    """Remember whether the platform still lets us write to the resident."""

    reachable: bool


Action = Say | ListGroup | OpenTicket | MakeUrgent | ReportPlace | CloseTicket | CountFeedback | Erase | SetReachable
