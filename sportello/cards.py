"""Emergency cards: what to do now, whom to call, and what to say to whoever answers. Pure.

The numbers are those of the contacts, which editors correct for all languages at once; where a record fails, a card
shows what stands in `_AT_LEAST` (docs/decisions/0028-numbers-of-the-cards.md). No text of the catalogue has digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.actions import EmergencyCard, Value, Wording
from bot.languages import DEFAULT
from bot.signals import Danger
from bot.wording import Catalogue, isolate
from knowledge.checking import Finding
from knowledge.records import Contact, Record, Records

# The language of whoever answers the phone, or stands beside.
LOCAL: Final = DEFAULT


@dataclass(frozen=True, slots=True)
class Line:
    """A telephone line. `languages` are codes of the languages it is known to speak; empty: not known."""

    id: str
    name: str
    phone: str
    languages: frozenset[str] = frozenset()


# The European emergency number. It stands on every card, whatever the records say.
EMERGENCY: Final = Line("emergency-112", "Numero unico di emergenza", "112")
# What a card shows where a record is gone or has no number: of the lines that sentences of the cards name, so that
# no sentence has a hole. As checked on 2026-11-23; `id` is that of the contact.
_AT_LEAST: Final[Mapping[str, Line]] = {
    line.id: line
    for line in (
        EMERGENCY,
        Line(
            "violence-1522",
            "Numero antiviolenza e stalking 1522",
            "1522",
            frozenset({"it", "en", "fr", "es", "uk", "ar", "sq"}),
        ),
        Line("trafficking-italy", "Numero verde antitratta", "800 290 290"),
        Line("satis", "SATIS Toscana", "800 600 500"),
        Line("child-114", "Emergenza infanzia 114", "114"),
        Line("child-19696", "Telefono Azzurro", "19696"),
        Line("housing-emergency", "Emergenza abitativa del Comune", "800 922 912"),
    )
}
# The emergency number stands first everywhere; never more than three. What may be missing comes last.
_NUMBERS: Final[Mapping[Danger, tuple[str, ...]]] = {
    Danger.VIOLENCE: ("emergency-112", "violence-1522", "la-nara"),
    Danger.UNPAID_THREAT: ("emergency-112", "trafficking-italy", "itl"),
    Danger.PASSPORT_TAKEN: ("emergency-112", "trafficking-italy", "satis"),
    Danger.TRAFFICKING: ("emergency-112", "trafficking-italy", "satis"),
    Danger.SUICIDE: ("emergency-112",),
    Danger.ACCIDENT: ("emergency-112",),
    Danger.MEDICAL: ("emergency-112",),
    Danger.CHILD: ("emergency-112", "child-114", "child-19696"),
    Danger.FIRE: ("emergency-112",),
    Danger.HOMELESS_TONIGHT: ("emergency-112", "housing-emergency"),
}
# The contacts that some card shows.
CALLED: Final = frozenset(line for lines in _NUMBERS.values() for line in lines)
# Who is in such danger may have to hide the page from somebody who comes near.
_TO_LEAVE_QUICKLY: Final = frozenset({Danger.VIOLENCE, Danger.TRAFFICKING, Danger.CHILD})


def lines_for(danger: Danger, contacts: Mapping[str, Contact]) -> tuple[Line, ...]:
    """Give the lines of a card, the emergency number first, from the contacts by id."""
    lines = (_line(line, contacts) for line in _NUMBERS[danger])
    return tuple(line for line in lines if line is not None)


def _line(line_id: str, contacts: Mapping[str, Contact]) -> Line | None:
    contact = contacts.get(line_id)
    if line_id == EMERGENCY.id or contact is None or not contact.phones:
        return _AT_LEAST.get(line_id)
    return Line(line_id, contact.name, contact.phones[0], frozenset(contact.languages))


def fault_of(record: Record) -> str | None:
    """Give what is wrong with a record that the cards need, as an id of the catalogue; None where nothing is."""
    if not isinstance(record, Contact):
        return None
    if record.id == EMERGENCY.id and record.phones[:1] != (EMERGENCY.phone,):
        return "editing.record.fault.emergency"
    return None if record.phones or record.id not in CALLED else "editing.record.fault.called"


def findings(records: Records) -> list[Finding]:
    """Tell which contacts a card misses, or has without their number; none where a folder has no contacts at all."""
    found: list[Finding] = []
    for line_id in sorted(CALLED if records.contacts else ()):
        contact = records.contacts.get(line_id)
        if contact is None:
            found.append(Finding("records", "", line_id, "is missing, and an emergency card shows its number"))
        elif fault_of(contact) is not None:
            found.append(Finding("records", "", line_id, "must have its number, which an emergency card shows"))
    return found


def emergency_card(
    catalogue: Catalogue, part: EmergencyCard, code: str, contacts: Mapping[str, Contact]
) -> dict[str, Any]:
    """Give a card as it is stored in the transcript; its `text` is all of it, for a platform without links.

    `notes` say what to know before calling; `say` is a sentence to read aloud, `meaning` the same in the
    resident's language; `local` repeats the card for somebody beside them. A gentle card has only its advice
    and the numbers.
    """
    called = lines_for(part.danger, contacts)
    own = _words(catalogue, part, code, called)
    foreign = code != LOCAL and not part.gentle
    card: dict[str, Any] = {
        "kind": "card",
        "danger": part.danger.value,
        "language": code,
        "words": own,
        "numbers": [
            {"phone": line.phone, "about": catalogue.text(f"danger.line.{line.id}", code), "name": line.name}
            for line in called
        ],
        "notes": _notes(catalogue, called, code) if foreign else [],
        "say": _phrase(catalogue, code, LOCAL) if foreign else "",
        "say_intro": catalogue.text("danger.read_aloud", code) if foreign else "",
        "meaning": _phrase(catalogue, code, code) if foreign else "",
        "local": _words(catalogue, part, LOCAL, called) if foreign else [],
        "leave": part.danger in _TO_LEAVE_QUICKLY and not part.gentle,
    }
    return card | {"text": _as_text(card)}


def _words(catalogue: Catalogue, part: EmergencyCard, code: str, lines: tuple[Line, ...]) -> list[str]:
    """Give the line of care and the action, or the one line of a gentle card."""
    if part.gentle:
        return [catalogue.text(_with_numbers("danger.gentle", lines[:1]), code)]
    kind = part.danger.value.removeprefix("emergency-")
    return [
        catalogue.text(f"danger.{kind}.care", code),
        catalogue.text(_with_numbers(f"danger.{kind}.action", lines), code),
    ]


def _with_numbers(message: str, lines: tuple[Line, ...]) -> Wording:
    values: tuple[tuple[str, Value], ...] = tuple(
        (name, line.phone) for name, line in zip(("first", "second", "third"), lines, strict=False)
    )
    return Wording(message, values)


def _notes(catalogue: Catalogue, lines: tuple[Line, ...], code: str) -> list[str]:
    """Say which of the lines are known not to speak the resident's language, and which finds an interpreter."""
    language = catalogue.language_name(code, code)
    missing = [line for line in lines if line.languages and code not in line.languages]
    wordings = [
        Wording("danger.not_spoken", (("number", line.phone), ("language", language), ("emergency", lines[0].phone)))
        for line in missing
    ]
    return [
        catalogue.text(wording, code)
        for wording in wordings or [Wording("danger.interpreter", (("emergency", lines[0].phone),))]
    ]


def _phrase(catalogue: Catalogue, spoken: str, code: str) -> str:
    """Give the sentence that asks for an interpreter, in a language."""
    return catalogue.text(Wording("danger.phrase", (("language", catalogue.language_name(spoken, code)),)), code)


def _as_text(card: Mapping[str, Any]) -> str:
    numbers = [f"{isolate(number['phone'])}: {number['about']}" for number in card["numbers"]]
    aloud = [card["say_intro"], f"«{card['say']}»", f"({card['meaning']})"] if card["say"] else []
    paragraphs = (card["words"], numbers, card["notes"], aloud, [isolate(line) for line in card["local"]])
    return "\n\n".join("\n".join(paragraph) for paragraph in paragraphs if paragraph)
