"""From what the bot says to what is stored, shown and sent: texts, answers with their marks, and choices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.actions import EmergencyCard, EntryAnswer, MediatorText, Part, Say, Wording
from bot.events import CasesFound
from bot.languages import DEFAULT, language
from bot.picks import Choice, Pick, Verb, case_of
from bot.sayings import asks_case
from bot.wording import Catalogue
from channels.adapter import Outbound, OutboundChoice
from knowledge.entry import Entry, Translation, case_for, translation_for
from knowledge.filling import fill
from knowledge.records import Records
from sportello.cards import emergency_card


def answer_of(entry: Entry, facet: str, code: str) -> tuple[Translation, str, str] | None:
    """Give the translation for a reader with the heading and text of its general answer, or of a case's.

    None where no language has the case any more.
    """
    if not facet:
        translation = translation_for(entry, code)
        return translation, translation.question, translation.answer
    found = case_for(entry, facet, code)
    if found is None:
        return None
    translation, case = found
    return translation, f"{translation.question} · {case.label}", case.answer


@dataclass(frozen=True, slots=True)
class Presenter:
    """Puts messages together from the catalogue, and the entries and records of the moment.

    `today` gives the day in Prato, by which windows are open or closed.
    """

    catalogue: Catalogue
    entries: Mapping[str, Entry]
    records: Records
    today: Callable[[], date]

    def body(self, say: Say, code: str) -> dict[str, Any]:
        """Give a message as it is stored in the transcript."""
        return {
            "blocks": [self._block(part, code) for part in say.parts],
            "choices": [
                {"label": self.label(choice, code), "language": self._label_language(choice, code)}
                | {"pick": choice.pick.to_json()}
                for choice in say.choices
            ],
        }

    def cases_of(self, say: Say) -> CasesFound | None:
        """Give the cases of the answers in a message that does not ask for them yet; None where there are none."""
        if asks_case(say):
            return None
        general = [part.slug for part in say.parts if isinstance(part, EntryAnswer) and not part.facet]
        cases = tuple((slug, facets) for slug in general if (facets := self._facets(slug)))
        return CasesFound(say, cases) if cases else None

    def _facets(self, slug: str) -> tuple[str, ...]:
        entry = self.entries.get(slug)
        if entry is None:
            return ()
        return tuple(facet for facet in entry.facets if case_for(entry, facet, DEFAULT) is not None)

    def label(self, choice: Choice, code: str) -> str:
        """Give the text of a choice."""
        if choice.label:
            return self.catalogue.text(choice.label, code)
        if choice.pick.verb is Verb.LANGUAGE:
            return language(choice.pick.argument).autonym
        named = self._named(choice, code)
        return choice.pick.argument if named is None else named[1]

    def pick_label(self, pick: Pick, code: str) -> str:
        """Give the text under which a pick of a page's own control stands in the transcript."""
        labels = {
            Verb.GROUP: f"bot.choice.group.{pick.argument}",
            Verb.MENU: "bot.choice.menu",
            Verb.PERSON: "bot.choice.person",
            Verb.LANGUAGES: "bot.choice.languages",
            Verb.STOP: "bot.choice.stop_waiting",
            Verb.DELETE: "bot.choice.delete",
        }
        return self.label(Choice(pick, labels.get(pick.verb, "")), code)

    def _label_language(self, choice: Choice, code: str) -> str:
        if choice.pick.verb is Verb.LANGUAGE:
            return choice.pick.argument
        named = None if choice.label else self._named(choice, code)
        return code if named is None else named[0].language

    def _named(self, choice: Choice, code: str) -> tuple[Translation, str] | None:
        """Give the translation and the words that name an entry, or a case of one, on its button."""
        slug, facet = case_of(choice.pick.argument)
        entry = self.entries.get(slug)
        if entry is None:
            return None
        found = case_for(entry, facet, code) if facet else None
        if found is not None:
            return found[0], found[1].label
        translation = translation_for(entry, code)
        return translation, translation.question

    def _block(self, part: Part, code: str) -> dict[str, Any]:
        if isinstance(part, Wording):
            code = part.language or code
            return {"kind": "text", "text": self.catalogue.text(part, code), "language": code}
        if isinstance(part, EmergencyCard):
            return emergency_card(self.catalogue, part, code, self.records.contacts)
        if isinstance(part, MediatorText):
            return {"kind": "text", "text": part.text, "language": None}
        return self._answer(part, code)

    def _answer(self, part: EntryAnswer, code: str) -> dict[str, Any]:
        entry = self.entries.get(part.slug)
        found = None if entry is None else answer_of(entry, part.facet, code)
        if entry is None or found is None:
            return {"kind": "text", "text": self.catalogue.text("bot.answer.gone", code), "language": code}
        translation, question, answer = found
        return {
            "kind": "answer",
            "slug": entry.slug,
            "revision": translation.revision,
            "question": question,
            "text": fill(answer, translation.language, self.records, self.today(), self.catalogue),
            "language": translation.language,
            "sources": [
                {"name": source.name, "url": source.url, "checked_on": source.checked_on.isoformat()}
                for source in entry.sources
            ],
            "draft": translation.unread,
            "to_verify": entry.to_verify,
        }

    def in_italian(self, block: Mapping[str, Any]) -> str | None:
        """Give the Italian of an answer in another language, as it reads today; None where there is none.

        Which case an answer is stands nowhere but in its heading.
        """
        entry = self.entries.get(block.get("slug", ""))
        if entry is None or block["language"] == DEFAULT:
            return None
        for facet in ("", *entry.facets):
            same = answer_of(entry, facet, block["language"])
            italian = answer_of(entry, facet, DEFAULT)
            if same is not None and same[1] == block["question"] and italian is not None:
                return fill(italian[2], DEFAULT, self.records, self.today(), self.catalogue)
        return None

    def outbound(self, body: dict[str, Any], code: str, seq: int) -> Outbound:
        """Give a stored message as plain text for a platform; `seq` is its place in the transcript."""
        paragraphs: list[str] = []
        for block in body["blocks"]:
            paragraphs.append(block["text"])
            if block["kind"] == "answer":
                paragraphs.append("\n".join(self._marks(block, code)))
        choices = tuple(
            OutboundChoice(f"{seq}.{place}", choice["label"]) for place, choice in enumerate(body["choices"])
        )
        return Outbound(code, tuple(paragraph for paragraph in paragraphs if paragraph), choices)

    def _marks(self, block: dict[str, Any], code: str) -> list[str]:
        marks: list[str] = []
        # Who has still to verify a fact has looked it up, and not checked it.
        when = "bot.answer.gathered_on" if block["to_verify"] else "bot.answer.checked_on"
        for source in block["sources"]:
            named = Wording("bot.answer.source", (("source", source["name"]),))
            checked = Wording(when, (("date", date.fromisoformat(source["checked_on"])),))
            marks.append(f"{self.catalogue.text(named, code)} ({self.catalogue.text(checked, code)})")
        if block["to_verify"]:
            marks.append(self.catalogue.text("bot.answer.to_verify", code))
        if block["draft"]:
            marks.append(self.catalogue.text("bot.answer.draft", code))
        return marks
