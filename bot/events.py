"""What can happen to a conversation. Time, ids and the outcome of look-ups come in with the event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.actions import Say
from bot.picks import Pick
from bot.signals import Danger, Talk


class Verdict(StrEnum):
    """What the understanding of a text allows."""

    ANSWER = "answer"
    OFFER = "offer"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that may answer, with its probability, between 0 and 1."""

    slug: str
    probability: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a message, and what may answer it: see `Understanding`."""

    verdict: Verdict
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was understood of a text.

    `language` is a code of `bot.languages`; `certain` says that it may change the language of the
    conversation; `rival` is a second language that it may as well be. `matches` are best first; with
    `ANSWER` the first one answers, with `OFFER` the first three are offered, with `ABSTAIN` none is used.
    `others` are the further questions of the same message; `more` says that it may hold some that were not looked at.
    `danger` comes before everything else, and is `gentle` where somebody asks for information about it; `talk` is what
    the message is where it asks nothing.
    """

    language: str
    certain: bool
    verdict: Verdict
    matches: tuple[Match, ...] = ()
    others: tuple[Question, ...] = ()
    more: bool = False
    talk: Talk | None = None
    danger: Danger | None = None
    gentle: bool = False
    rival: str | None = None


class MediaKind(StrEnum):
    """What a resident can send beside text."""

    PHOTO = "photo"
    VOICE = "voice"
    VIDEO = "video"
    DOCUMENT = "document"
    LOCATION = "location"
    CONTACT = "contact"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Started:
    """The resident opened the conversation, perhaps through a link that carries a payload."""

    payload: str = ""


@dataclass(frozen=True, slots=True)
class TextReceived:
    """The resident wrote; `seq` is the place of the text in the transcript.

    `picked` is what the text means where it is the label of a choice of the last list.
    """

    seq: int
    text: str
    understanding: Understanding
    edited: bool = False
    picked: Pick | None = None


@dataclass(frozen=True, slots=True)
class MediaReceived:
    """The resident sent something that is not text; `seq` is its place in the transcript."""

    seq: int
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class ChoiceMade:
    """The resident tapped a button, or used a control of the page that means the same."""

    pick: Pick


@dataclass(frozen=True, slots=True)
class ChoiceExpired:
    """The resident tapped a button whose meaning is gone."""


@dataclass(frozen=True, slots=True)
class GroupListed:
    """Follows `ListGroup`: the entries of a group, or of one section of it, in their order.

    `sections` are those that hold entries of the group, in their order; "" is the rest.
    """

    group: str
    slugs: tuple[str, ...]
    section: str | None = None
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CasesFound:
    """Follows `Say` where an answer in it differs by case: the message, not said yet, and the facets by slug."""

    say: Say
    cases: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Queued:
    """Follows `OpenTicket` and `ReportPlace`: where the resident stands.

    `place` counts from 1. `on_duty` says that a mediator is there now; otherwise `opens_at` is when
    the desk opens next, or None where it is open by the clock or nobody has set its hours. `brief`: the platform lets
    us answer for a moment only, unless the resident writes something.
    """

    ticket: str
    place: int
    on_duty: bool
    opens_at: datetime | None = None
    brief: bool = False


@dataclass(frozen=True, slots=True)
class HeldAlready:
    """Follows `OpenTicket` where a mediator has the conversation, though its state had been lost."""

    ticket: str


@dataclass(frozen=True, slots=True)
class MediatorJoined:
    """A mediator claimed the ticket."""

    ticket: str


@dataclass(frozen=True, slots=True)
class MediatorReplied:
    """The mediator who holds the ticket wrote to the resident."""

    ticket: str
    text: str


@dataclass(frozen=True, slots=True)
class MediatorClosed:
    """The mediator closed the ticket. `missed` is what the resident wrote or sent that the mediator had not seen."""

    ticket: str
    missed: tuple[TextReceived | MediaReceived, ...] = ()


@dataclass(frozen=True, slots=True)
class MediatorGaveBack:
    """The mediator gave the conversation back to the bot; `missed` as with `MediatorClosed`."""

    ticket: str
    missed: tuple[TextReceived | MediaReceived, ...] = ()


@dataclass(frozen=True, slots=True)
class SpokenInGroup:
    """Somebody wrote in a group chat, where Sportello does not talk."""


@dataclass(frozen=True, slots=True)
class Left:
    """The resident blocked the account or left it."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The resident unblocked the account."""


@dataclass(frozen=True, slots=True)
class MessageSetAside:
    """A message of the resident made the program fail and was set aside for an administrator."""


Event = (
    Started
    | TextReceived
    | MediaReceived
    | ChoiceMade
    | ChoiceExpired
    | GroupListed
    | CasesFound
    | Queued
    | HeldAlready
    | MediatorJoined
    | MediatorReplied
    | MediatorClosed
    | MediatorGaveBack
    | SpokenInGroup
    | Left
    | Returned
    | MessageSetAside
)
