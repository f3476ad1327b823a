"""What an editor does with a translation: check, publish, restore, compare. Nothing is ever overwritten."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from knowledge.entry import (
    ANSWER_MAX,
    LABEL_MAX,
    MACHINE_DRAFT,
    PHRASE_MAX,
    PHRASES_MAX,
    QUESTION_MAX,
    REVIEWED,
    SOURCE,
    Case,
    Reading,
)
from knowledge.exchange import content_of
from knowledge.files import normalised
from knowledge.filling import known, placeholders
from knowledge.keeping import cases_of, reading_of, record_of
from knowledge.records import Records
from knowledge.yamlfile import controlled
from store import entries as store
from store import publishing
from store import records as record_store
from store.database import Read, Write
from store.entries import Revision
from store.publishing import Content, Publication

_PIECES: Final = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A translation as it stands in the editor's form.

    `minor`, of the Italian: its meaning stays, so the other languages stay as new as they are. `follows`, of
    the others: the text says what the Italian of version `italian` says.
    """

    question: str
    answer: str
    phrases: tuple[str, ...]
    reviewed: bool
    cases: Mapping[str, Case] = field(default_factory=dict)
    minor: bool = False
    follows: bool = False
    italian: int | None = None

    @classmethod
    def of_form(
        cls,
        *,
        question: str,
        answer: str,
        phrases: str,
        reviewed: bool,
        cases: Mapping[str, tuple[str, str]],
        minor: bool = False,
        follows: bool = False,
        italian: int | None = None,
    ) -> "Draft":
        """Read the form: phrases stand one a line, empty lines and repetitions count for nothing.

        `cases` are pairs of label and answer by facet.
        """
        lines = [_line(line) for line in phrases.splitlines()]
        unique = {normalised(line): line for line in reversed(lines) if line}
        return cls(
            question=_line(question),
            answer=_text(answer),
            phrases=tuple(line for line in lines if line and unique.pop(normalised(line), None) is not None),
            reviewed=reviewed,
            cases={facet: Case(_line(label), _text(told)) for facet, (label, told) in cases.items()},
            minor=minor,
            follows=follows,
            italian=italian,
        )

    def content(self, source_version: int | None, reading: Reading | None = None) -> Content:
        """Give what the store keeps."""
        return content_of(
            question=self.question,
            answer=self.answer,
            phrases=self.phrases,
            cases=self.cases,
            source_version=source_version,
            state=REVIEWED if self.reviewed else MACHINE_DRAFT,
            reading=reading if self.reviewed else None,
        )

    def says_the_same(self, current: Revision) -> bool:
        """Tell whether residents read the same: phrases they never see."""
        return (self.question, self.answer, self.cases) == (current.question, current.answer, cases_of(current))

    def read_by(self, editor: Reading, current: Revision | None) -> Reading:
        """Give who read the text: whoever read it before, as long as it says the same, else the editor."""
        same = current is not None and current.state == REVIEWED and self.says_the_same(current)
        return (reading_of(current) if same and current is not None else None) or editor

    def version_after(self, language: str, current: Revision | None) -> int | None:
        """Give the version of the Italian that the text will be, or say, once it is published.

        Phrases are no translations of one another, so changing them leaves the version as it is.
        """
        if language == SOURCE:
            if current is None:
                return 1
            version = current.source_version or 1
            return version if self.says_the_same(current) or self.minor else version + 1
        return self.italian if current is None or self.follows else current.source_version


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


def _text(text: str) -> str:
    """Give a text that PostgreSQL and the files can keep: without control characters and lone surrogates."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").encode("utf-8", "replace").decode()
    return "".join(character for character in lines if not controlled(character)).strip()


def _line(text: str) -> str:
    """Give such a text on one line."""
    return " ".join(_text(text).split())


async def faults(connection: Read, slug: str, draft: Draft) -> list[Fault]:
    """Give everything that keeps a draft from being published."""
    found = [*_faults_of_texts(draft), *_faults_of_phrases(draft)]
    mine = {normalised(phrase): phrase for phrase in draft.phrases}
    for revision in await store.published(connection):
        if revision.slug != slug:
            shared = (mine[key] for key in map(normalised, revision.phrases) if key in mine)
            found += [
                Fault("phrases", "editing.fault.shared", {"phrase": phrase, "entry": revision.slug})
                for phrase in shared
            ]
    records = Records.of([record_of(row) for row in await record_store.everything(connection)])
    answers = [draft.answer, *(case.answer for case in draft.cases.values())]
    unknown = {
        f"{kind}:{name}" for answer in answers for kind, name in placeholders(answer) if not known(kind, name, records)
    }
    return found + [Fault("answer", "editing.fault.unknown_record", {"name": name}) for name in sorted(unknown)]


def _faults_of_texts(draft: Draft) -> list[Fault]:
    fields = [("question", draft.question, QUESTION_MAX), ("answer", draft.answer, ANSWER_MAX)]
    for facet, case in draft.cases.items():
        fields += [(f"label.{facet}", case.label, LABEL_MAX), (f"answer.{facet}", case.answer, ANSWER_MAX)]
    found: list[Fault] = []
    for name, text, longest in fields:
        if not text:
            found.append(Fault(name, "editing.fault.empty", {}))
        elif len(text) > longest:
            found.append(Fault(name, "editing.fault.long", {"longest": longest, "length": len(text)}))
    return found


def _faults_of_phrases(draft: Draft) -> list[Fault]:
    found: list[Fault] = []
    if not draft.phrases:
        found.append(Fault("phrases", "editing.fault.no_phrase", {}))
    if len(draft.phrases) > PHRASES_MAX:
        found.append(Fault("phrases", "editing.fault.many", {"most": PHRASES_MAX}))
    return found + [
        Fault("phrases", "editing.fault.phrase_long", {"phrase": phrase[:40], "longest": PHRASE_MAX})
        for phrase in draft.phrases
        if len(phrase) > PHRASE_MAX
    ]


async def publish(
    connection: Write,
    slug: str,
    language: str,
    draft: Draft,
    *,
    base: int,
    author: UUID,
    editor: Reading,
    now: datetime,
) -> Published | Conflict:
    """Publish a draft that was made from version `base` and has no faults; `editor` is who does it today."""
    current = await store.published_of(connection, slug, language)
    content = draft.content(draft.version_after(language, current), draft.read_by(editor, current))
    publication = Publication(slug, language, content, base=base, author=author)
    return await _publish(connection, publication, current, now)


async def restore(
    connection: Write, slug: str, language: str, number: int, *, base: int, author: UUID, now: datetime
) -> Published | Conflict | None:
    """Publish an old version again, as a new one; None where there is no such version."""
    old = await store.revision(connection, slug, language, number)
    if old is None:
        return None
    current = await store.published_of(connection, slug, language)
    draft = Draft(old.question, old.answer, old.phrases, reviewed=old.state == REVIEWED, cases=cases_of(old))
    # An Italian text that comes back says something else than the one before it: its version grows too.
    version = draft.version_after(language, current) if language == SOURCE else old.source_version
    publication = Publication(
        slug, language, draft.content(version, reading_of(old)), base=base, author=author, restored_from=number
    )
    return await _publish(connection, publication, current, now)


async def _publish(
    connection: Write, publication: Publication, current: Revision | None, now: datetime
) -> Published | Conflict:
    base = publication.base
    if current is not None and current.revision == base and current.digest == publication.content.digest:
        return Published(base)
    if current is None or current.revision == base:
        if await publishing.publish(connection, [publication], now=now):
            return Published(base + 1)
        current = await store.published_of(connection, publication.slug, publication.language)
    if current is None:
        raise LookupError(f"{publication.slug} ({publication.language}) has versions but none is published")
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
    before, after = _told(old), _told(new)
    return [
        (name, differences(before.get(name, ""), after.get(name, "")))
        for name in dict.fromkeys((*after, *before))
        if before.get(name, "") != after.get(name, "")
    ]


def _told(version: Revision | Content | None) -> dict[str, str]:
    """Give the fields of a version as texts, by name."""
    if version is None:
        return {}
    told = {"question": version.question, "answer": version.answer}
    for facet, case in sorted(version.cases.items()):
        told |= {f"label.{facet}": case["label"], f"answer.{facet}": case["answer"]}
    number = version.source_version
    return told | {
        "phrases": "\n".join(version.phrases),
        "state": version.state,
        "version": "" if number is None else str(number),
    }
