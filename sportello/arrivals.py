"""From an inbox row to the engine's event, with the row of the transcript that keeps what the resident did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from bot.actions import Outcome
from bot.commands import command_of, label_of, language_named, number_of
from bot.events import (
    ChoiceExpired,
    ChoiceMade,
    Event,
    Left,
    MediaKind,
    MediaReceived,
    MediatorClosed,
    MediatorGaveBack,
    MediatorJoined,
    MediatorReplied,
    MessageSetAside,
    Returned,
    SpokenInGroup,
    Started,
    TextReceived,
    Understanding,
    Verdict,
)
from bot.languages import CODES, closest
from bot.picks import Pick, Verb
from bot.state import Stage
from knowledge.understanding import Understander
from sportello.presenting import Presenter
from sportello.transcribing import Turn
from sportello.undelivered import undelivered
from store import conversations, tickets
from store.conversations import PLACE_MAX, Author

SET_ASIDE: Final = "message-set-aside"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Reads inbox rows. Understanding a text is the only slow part, and runs beside the event loop."""

    understander: Understander
    presenter: Callable[[], Presenter]

    async def event(self, turn: Turn, payload: dict[str, Any]) -> Event | None:
        """Give the event of a row, None where it is one for the transcript alone.

        Raises KeyError or ValueError where the row is none that this program writes.
        """
        kind = payload["kind"]
        if kind == "text":
            return await self._text(turn, payload["text"], _named(payload))
        if kind == "edited":
            return await self._edited(turn, payload)
        if kind == "media":
            return await self._media(turn, payload)
        if kind == "choice":
            return await self._choice(turn, payload["choice_id"])
        if kind == "pick":
            return self._pick(turn, payload["text"])
        if kind == "undelivered":
            return await undelivered(turn, payload, self.presenter())
        if kind == "opened":
            turn.append(Author.RESIDENT, {"started": True, "scene": payload["payload"]})
            return None
        if kind == "note":
            await _noted(turn, payload)
            return None
        if kind == "mediator-replied":
            return await _replied(turn, payload)
        if kind in {"mediator-closed", "mediator-gave-back"}:
            return await self._ended(turn, payload)
        return _plain(turn, kind, payload)

    async def _text(self, turn: Turn, text: str, more: dict[str, Any], *, edited: bool = False) -> Event:
        turn.reachable = True
        body = {"text": text} | more
        understanding = await self._understood(turn, text)
        seq = turn.append(Author.RESIDENT, body, language=understanding.language)
        return TextReceived(seq, text, understanding, edited=edited, picked=self._picked(turn, text))

    def _picked(self, turn: Turn, text: str) -> Pick | None:
        """Give the choice of the last list whose label a text is: not every platform has buttons."""
        presenter, offered = self.presenter(), turn.state.offered
        place = label_of(text, [presenter.label(choice, turn.state.language) for choice in offered])
        return None if place is None else offered[place].pick

    async def _edited(self, turn: Turn, payload: dict[str, Any]) -> Event | None:
        """Keep what a message says now beside what it said before; only another text is answered anew."""
        text, media, message_id = payload.get("text"), payload.get("media"), payload.get("message_id")
        before = None
        if message_id is not None:
            before = await conversations.said_in(turn.connection, turn.conversation.id, message_id)
        if before is not None and before.body.get("text") == text and before.body.get("media") == media:
            return None
        more = _named(payload) | {"edited": True} | ({"edits": before.seq} if before is not None else {})
        if text is not None and media is None:
            return await self._text(turn, text, more, edited=True)
        turn.append(Author.RESIDENT, _media_body([payload]) | more)
        return None

    async def _understood(self, turn: Turn, text: str) -> Understanding:
        """Understand a text, unless nobody would use it: steering words, and what a mediator reads."""
        state = turn.state
        if _steers(text) or state.stage is Stage.WITH_MEDIATOR:
            return Understanding(state.language, certain=False, verdict=Verdict.ABSTAIN)
        return await self._asked(turn, text)

    async def _asked(self, turn: Turn, text: str) -> Understanding:
        state = turn.state
        # Before anything was said, the language of the state is only a default.
        known = state.language if state.introduced or state.chosen else ""
        understood = await self.understander.understand(
            text, language=known, hint=closest(turn.conversation.language_hint), chosen=state.chosen
        )
        return understood if understood.language in CODES else replace(understood, language=state.language)

    async def _ended(self, turn: Turn, payload: dict[str, Any]) -> Event:
        missed = await self._missed(turn, payload)
        if payload["kind"] == "mediator-closed":
            turn.append(Author.SYSTEM, {"code": "closed", "values": {"outcome": payload["outcome"]}})
            return MediatorClosed(payload["ticket"], missed)
        turn.append(Author.SYSTEM, {"code": "gave-back", "values": {}})
        return MediatorGaveBack(payload["ticket"], missed)

    async def _missed(self, turn: Turn, payload: dict[str, Any]) -> tuple[TextReceived | MediaReceived, ...]:
        """Give what a resident sent after the last row that the mediator saw, for the bot to answer: nobody else will.

        While a mediator has a conversation, nothing is said to what the resident sends, steering words apart.
        """
        seen = payload.get("seen")
        if seen is None or turn.state.ticket != payload["ticket"] or turn.state.stage is not Stage.WITH_MEDIATOR:
            return ()
        rows = await conversations.transcript(
            turn.connection, turn.conversation.id, since=seen, authors=(Author.RESIDENT,)
        )
        written = {row.seq: row.body["text"] for row in rows if row.body.get("text") and "media" not in row.body}
        texts = {seq: text for seq, text in written.items() if not _steers(text)}
        # What was only changed got no reply when it came, either.
        media = [row for row in rows if "media" in row.body and not row.body.get("edited")]
        missed: list[TextReceived | MediaReceived] = []
        if texts:
            text = "\n".join(texts.values())
            missed.append(TextReceived(max(texts), text, await self._asked(turn, text)))
        if media:
            missed.append(MediaReceived(media[-1].seq, MediaKind(media[-1].body["media"]["kind"])))
        return tuple(missed)

    async def _media(self, turn: Turn, payload: dict[str, Any]) -> Event | None:
        """Keep media; those of one album are one message with one reply, and what comes later joins them silently."""
        turn.reachable = True
        together = [payload, *payload.get("others", ())]
        body = _media_body(together) | _named(*together)
        if album := payload.get("album"):
            first = await conversations.album(turn.connection, turn.conversation.id, album)
            if first is not None:
                turn.append(Author.RESIDENT, body | {"joins": first.seq})
                return None
            body["album"] = album
        seq = turn.append(Author.RESIDENT, body)
        return MediaReceived(seq, MediaKind(payload["media"]["kind"]))

    async def _choice(self, turn: Turn, choice_id: str) -> Event:
        """Look up what a button meant; buttons of deleted messages mean nothing any more."""
        turn.reachable = True
        seq, _, place = choice_id.partition(".")
        if not (seq.isdecimal() and place.isdecimal() and len(choice_id) < 20 and int(seq) <= PLACE_MAX):  # noqa: PLR2004 - as ids are made
            return ChoiceExpired()
        message = await conversations.message(turn.connection, turn.conversation.id, int(seq))
        choices = [] if message is None else message.body.get("choices", [])
        if int(place) >= len(choices):
            return ChoiceExpired()
        chosen = choices[int(place)]
        turn.append(Author.RESIDENT, {"pick": chosen["label"]}, language=chosen["language"])
        return ChoiceMade(Pick.from_json(chosen["pick"]))

    def _pick(self, turn: Turn, text: str) -> Event:
        verb, _, argument = text.partition(":")
        try:
            pick = Pick(Verb(verb), argument)
        except ValueError:
            return ChoiceExpired()
        code = turn.state.language
        turn.append(Author.RESIDENT, {"pick": self.presenter().pick_label(pick, code)}, language=code)
        return ChoiceMade(pick)


def _named(*payloads: dict[str, Any]) -> dict[str, Any]:
    """Give the platform's ids of messages, to know them again when they are edited."""
    ids = [payload["message_id"] for payload in payloads if payload.get("message_id") is not None]
    return {"message_ids": ids} if ids else {}


def _media_body(payloads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Give what the transcript keeps of media that were sent together: the first, the others, and all captions."""
    first, *others = [payload["media"] for payload in payloads if payload.get("media") is not None] or [None]
    captions = [payload["text"] for payload in payloads if payload.get("text")]
    body: dict[str, Any] = {} if first is None else {"media": first}
    if others:
        body["more_media"] = others
    if captions:
        body["text"] = "\n".join(captions)
    return body


def _steers(text: str) -> bool:
    """Tell whether a whole text is a steering word, a number of a list or the name of a language."""
    return (command_of(text) or number_of(text) or language_named(text)) is not None


async def _noted(turn: Turn, payload: dict[str, Any]) -> None:
    """Keep what a mediator wrote for the staff alone; not where the resident erased the conversation meanwhile."""
    about = await tickets.get(turn.connection, UUID(payload["ticket"]))
    if about is not None and about.outcome != Outcome.ERASED:
        turn.append(Author.NOTE, {"text": payload["text"]}, staff_id=UUID(payload["staff"]))


async def _replied(turn: Turn, payload: dict[str, Any]) -> Event:
    if turn.state.ticket != payload["ticket"]:
        # The conversation ended first. What was written stays with the staff, and says so.
        turn.append(Author.SYSTEM, {"code": "reply-too-late", "values": {}})
        await _noted(turn, payload)
    return MediatorReplied(payload["ticket"], payload["text"])


def _plain(turn: Turn, kind: str, payload: dict[str, Any]) -> Event:
    """Read the rows that need nothing looked up."""
    match kind:
        case "start":
            turn.reachable = True
            scene = payload.get("payload") or ""
            turn.append(Author.RESIDENT, {"started": True} | ({"scene": scene} if scene else {}))
            return Started(scene)
        case "group":
            return SpokenInGroup()
        case "left":
            turn.append(Author.SYSTEM, {"code": "left", "values": {}})
            return Left()
        case "returned":
            turn.append(Author.SYSTEM, {"code": "returned", "values": {}})
            return Returned()
        case "mediator-joined":
            turn.append(Author.SYSTEM, {"code": "joined", "values": {}})
            return MediatorJoined(payload["ticket"])
        case _ if kind == SET_ASIDE:
            return MessageSetAside()
        case _:
            raise ValueError(f"no turn handles {kind!r}")
