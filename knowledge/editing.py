"""What an editor does with a translation: check, publish, restore, compare. Nothing is ever overwritten."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from knowledge.entry import ANSWER_MAX, MACHINE_DRAFT, PHRASE_MAX, PHRASES_MAX, QUESTION_MAX, REVIEWED, digest
from knowledge.files import normalised
from store import entries as store
from store.database import Read, Write
from store.entries import Content, Revision

_PIECES: Final = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A translation as it stands in the editor's form."""

    question: str
    answer: str
    phrases: tuple[str, ...]
    reviewed: bool

    @classmethod
    def of_form(cls, *, question: str, answer: str, phrases: str, reviewed: bool) -> "Draft":
        """Read the form: phrases stand one a line, empty lines and repetitions count for nothing."""
        lines = [_storable(line) for line in phrases.splitlines()]
        unique = {normalised(line): line for line in reversed(lines) if line}
        return cls(
            question=_storable(question),
            answer=_storable(answer.replace("\r\n", "\n")),
            phrases=tuple(line for line in lines if line and unique.pop(normalised(line), None) is not None),
            reviewed=reviewed,
        )

    @property
    def content(self) -> Content:
        """Give what the store keeps."""
        state = REVIEWED if self.reviewed else MACHINE_DRAFT
        return Content(
            self.question, self.answer, self.phrases, state, digest(self.question, self.answer, self.phrases, state)
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a draft: the field, an id of the catalogue and its values."""

    field: str
    message: str
    values: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Published:
    """The draft is what readers see from now on."""

    revision: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody published another version meanwhile; nothing was changed."""

    current: Revision


Mark = Literal["same", "added", "removed"]


def _storable(text: str) -> str:
    """Give a text that PostgreSQL can keep: without NUL and without lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


async def faults(connection: Read, slug: str, draft: Draft) -> list[Fault]:
    """Give everything that keeps a draft from being published."""
    found: list[Fault] = []
    for field, text, longest in (
        ("question", draft.question, QUESTION_MAX),
        ("answer", draft.answer, ANSWER_MAX),
    ):
        if not text:
            found.append(Fault(field, "editing.fault.empty", {}))
        elif len(text) > longest:
            found.append(Fault(field, "editing.fault.long", {"longest": longest, "length": len(text)}))
    if not draft.phrases:
        found.append(Fault("phrases", "editing.fault.no_phrase", {}))
    if len(draft.phrases) > PHRASES_MAX:
        found.append(Fault("phrases", "editing.fault.many", {"most": PHRASES_MAX}))
    found += [
        Fault("phrases", "editing.fault.phrase_long", {"phrase": phrase[:40], "longest": PHRASE_MAX})
        for phrase in draft.phrases
        if len(phrase) > PHRASE_MAX
    ]
    mine = {normalised(phrase): phrase for phrase in draft.phrases}
    for revision in await store.published(connection):
        if revision.slug != slug:
            shared = (mine[key] for key in map(normalised, revision.phrases) if key in mine)
            found += [
                Fault("phrases", "editing.fault.shared", {"phrase": phrase, "entry": revision.slug})
                for phrase in shared
            ]
    return found


async def publish(
    connection: Write, slug: str, language: str, draft: Draft, *, base: int, author: UUID, now: datetime
) -> Published | Conflict:
    """Publish a draft that was made from version `base`; the draft has no faults."""
    return await _publish(connection, slug, language, draft.content, base=base, author=author, restored=None, now=now)


async def restore(
    connection: Write, slug: str, language: str, number: int, *, base: int, author: UUID, now: datetime
) -> Published | Conflict | None:
    """Publish an old version again, as a new one; None where there is no such version."""
    old = await store.revision(connection, slug, language, number)
    if old is None:
        return None
    content = Content(old.question, old.answer, old.phrases, old.state, old.digest)
    return await _publish(connection, slug, language, content, base=base, author=author, restored=number, now=now)


async def _publish(
    connection: Write,
    slug: str,
    language: str,
    content: Content,
    *,
    base: int,
    author: UUID,
    restored: int | None,
    now: datetime,
) -> Published | Conflict:
    current = await store.published_of(connection, slug, language)
    if current is not None and current.revision == base and current.digest == content.digest:
        return Published(base)
    if current is None or current.revision == base:
        number = await store.publish(
            connection, slug, language, content, base=base, author=author, restored_from=restored, now=now
        )
        if number is not None:
            return Published(number)
        current = await store.published_of(connection, slug, language)
    if current is None:
        raise LookupError(f"{slug} ({language}) has versions but none is published")
    return Conflict(current)


def differences(old: str, new: str) -> list[tuple[Mark, str]]:
    """Give the new text in pieces, each the same as in the old one, added to it, or removed from it."""
    before, after = _PIECES.findall(old), _PIECES.findall(new)
    pieces: list[tuple[Mark, str]] = []
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(after[b_from:b_to])))
            continue
        if a_to > a_from:
            pieces.append(("removed", "".join(before[a_from:a_to])))
        if b_to > b_from:
            pieces.append(("added", "".join(after[b_from:b_to])))
    return pieces


def compared(old: Revision | None, new: Revision | Content) -> list[tuple[str, list[tuple[Mark, str]]]]:
    """Give the differences of every field that differs, by its name."""
    fields: Sequence[tuple[str, str, str]] = (
        ("question", old.question if old else "", new.question),
        ("answer", old.answer if old else "", new.answer),
        ("phrases", "\n".join(old.phrases) if old else "", "\n".join(new.phrases)),
        ("state", old.state if old else "", new.state),
    )
    return [(name, differences(before, after)) for name, before, after in fields if before != after]
