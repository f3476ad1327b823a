"""A row of the transcript as a page shows it: one view for the resident's page and the desk, page and stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from bot.languages import CODES, language
from store.conversations import Author, Message
from store.outbox import OutboxStatus

Audience = Literal["resident", "staff"]

# A page that anybody in Prato may be reading.
QUICK_EXIT: Final = "https://www.comune.prato.it"

# What staff must know of a message on its way; one that arrived, or is on its way, needs no word. One that went as a
# part of another has that one's trouble.
_TROUBLES = frozenset(OutboxStatus) - {
    OutboxStatus.SENT,
    OutboxStatus.QUEUED,
    OutboxStatus.SENDING,
    OutboxStatus.MERGED,
}


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A source under an answer."""

    name: str
    url: str | None
    checked_on: date


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number to call; `digits` is what a telephone dials."""

    phone: str
    about: str
    name: str

    @property
    def digits(self) -> str:
        """Give the number without spaces."""
        return "".join(self.phone.split())


@dataclass(frozen=True, slots=True)
class ShownCard:
    """What stands on an emergency card, as `sportello.cards` made it."""

    words: tuple[str, ...]
    numbers: tuple[ShownNumber, ...]
    notes: tuple[str, ...]
    say: str
    say_intro: str
    meaning: str
    local: tuple[str, ...]
    leave: bool


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """A paragraph, an answer or a card, in a language; `tag` is None where nobody knows it."""

    text: str
    tag: str | None
    question: str | None = None
    sources: tuple[ShownSource, ...] = ()
    draft: bool = False
    to_verify: bool = False
    card: ShownCard | None = None

    @property
    def is_answer(self) -> bool:
        """Tell whether it is an entry's answer."""
        return self.question is not None


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """A button under a message; `id` is opaque."""

    id: str
    label: str
    tag: str | None


# What a browser shows by itself, for each kind of medium.
_PLAYERS: Final = {"photo": "image", "voice": "audio", "video": "video"}
# A place or a card: there is no file to fetch.
_WITHOUT_FILE: Final = frozenset({"location", "contact"})


@dataclass(frozen=True, slots=True)
class ShownMedium:
    """A medium of a message; `place` counts within it from 0, `ref` is the platform's name of it."""

    kind: str
    place: int
    ref: str
    name: str | None = None

    @property
    def player(self) -> str | None:
        """Tell what shows it within the page: image, audio or video; None where it can only be downloaded."""
        return _PLAYERS.get(self.kind)

    @property
    def has_file(self) -> bool:
        """Tell whether there is something to fetch: what an operator only noted has no reference."""
        return bool(self.ref) and self.kind not in _WITHOUT_FILE

    @property
    def where(self) -> str | None:
        """Give the coordinates of a location."""
        return self.ref if self.kind == "location" else None


def shown_media(body: Mapping[str, Any]) -> tuple[ShownMedium, ...]:
    """Give the media of a row of the transcript, in their order."""
    return tuple(
        ShownMedium(medium["kind"], place, medium["ref"], medium.get("name"))
        for place, medium in enumerate(media_of(body))
    )


def media_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the references of a row of the transcript: the first, and those that were sent together with it."""
    first = body.get("media")
    return [] if first is None else [first, *body.get("more_media", ())]


@dataclass(frozen=True, slots=True)
class MessageView:
    """What `web/message.html` renders.

    `edits` and `joins` are the places of the row that it changes, and of the album that it belongs to; `scene`
    is the link or poster by which somebody came.
    """

    seq: int
    author: str
    mine: bool
    name: str | None
    blocks: tuple[ShownBlock, ...]
    choices: tuple[ShownChoice, ...]
    at: datetime
    media: tuple[ShownMedium, ...] = ()
    picked: str | None = None
    edited: bool = False
    edits: int | None = None
    joins: int | None = None
    scene: str | None = None
    code: str | None = None
    values: Mapping[str, Any] | None = None
    trouble: str | None = None

    @property
    def leave(self) -> str | None:
        """Give where to go where the page should be left at once, else None."""
        return QUICK_EXIT if any(block.card is not None and block.card.leave for block in self.blocks) else None


def _tag(code: str | None) -> str | None:
    return language(code).tag if code in CODES else None


def message_view(
    message: Message,
    *,
    audience: Audience,
    names: Mapping[UUID, str] | None = None,
    delivery: OutboxStatus | None = None,
) -> MessageView:
    """Make the view of one row."""
    body = message.body
    resident = message.author is Author.RESIDENT
    name = names.get(message.staff_id) if names and message.staff_id else None
    return MessageView(
        seq=message.seq,
        author=message.author.value,
        mine=resident == (audience == "resident"),
        name=name if audience == "staff" else None,
        blocks=_blocks(message),
        choices=tuple(
            ShownChoice(f"{message.seq}.{place}", choice["label"], _tag(choice["language"]))
            for place, choice in enumerate(body.get("choices", ()))
        ),
        at=message.created_at,
        media=shown_media(body),
        picked=body.get("pick"),
        edited=bool(body.get("edited")),
        edits=body.get("edits"),
        joins=body.get("joins"),
        scene=body.get("scene") if audience == "staff" else None,
        code="started" if body.get("started") else body.get("code"),
        values=body.get("values"),
        trouble=delivery.value if audience == "staff" and delivery in _TROUBLES and delivery is not None else None,
    )


def message_views(
    messages: Sequence[Message],
    *,
    audience: Audience,
    names: Mapping[UUID, str] | None = None,
    deliveries: Mapping[int, OutboxStatus] | None = None,
) -> list[MessageView]:
    """Make the views of rows, in their order."""
    return [
        message_view(message, audience=audience, names=names, delivery=(deliveries or {}).get(message.seq))
        for message in messages
    ]


def answer_view(block: Mapping[str, Any], *, at: datetime) -> MessageView:
    """Make the view of a single answer, as the editors' preview shows it."""
    message = Message(UUID(int=0), 0, Author.BOT, None, block["language"], {"blocks": [block], "choices": []}, at)
    return message_view(message, audience="resident")


def _blocks(message: Message) -> tuple[ShownBlock, ...]:
    body = message.body
    if "blocks" in body:
        return tuple(_block(block) for block in body["blocks"])
    if body.get("text"):
        # Whoever typed it: the tag is a guess at best, and the direction follows the letters.
        return (ShownBlock(body["text"], _tag(message.language)),)
    return ()


def _card(block: Mapping[str, Any]) -> ShownCard:
    return ShownCard(
        words=tuple(block["words"]),
        numbers=tuple(ShownNumber(**number) for number in block["numbers"]),
        notes=tuple(block["notes"]),
        say=block["say"],
        say_intro=block["say_intro"],
        meaning=block["meaning"],
        local=tuple(block["local"]),
        leave=block["leave"],
    )


def _block(block: Mapping[str, Any]) -> ShownBlock:
    if block["kind"] == "card":
        return ShownBlock(block["text"], _tag(block["language"]), card=_card(block))
    if block["kind"] != "answer":
        return ShownBlock(block["text"], _tag(block["language"]))
    return ShownBlock(
        text=block["text"],
        tag=_tag(block["language"]),
        question=block["question"],
        sources=tuple(
            ShownSource(source["name"], source["url"], date.fromisoformat(source["checked_on"]))
            for source in block["sources"]
        ),
        draft=block["draft"],
        to_verify=block["to_verify"],
    )
