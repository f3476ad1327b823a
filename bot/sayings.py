"""What the bot says: the messages of the engine, put together from wordings and choices. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.actions import EmergencyCard, EntryAnswer, Part, Say, Value, Wording
from bot.events import Queued
from bot.languages import CODES, language
from bot.picks import Choice, Pick, Verb, case_of, case_pick
from bot.signals import Danger
from bot.state import State
from bot.topics import GROUPS, label_of, named

PERSON: Final = Choice(Pick(Verb.PERSON), "bot.choice.person")
MENU: Final = Choice(Pick(Verb.MENU), "bot.choice.menu")
LANGUAGES: Final = Choice(Pick(Verb.LANGUAGES), "bot.choice.languages")
STOP: Final = Choice(Pick(Verb.STOP), "bot.choice.stop_waiting")
ACCEPT_PERSON: Final = Choice(Pick(Verb.PERSON), "bot.choice.yes_person")
CLEAR: Final = Choice(Pick(Verb.DELETE), "danger.choice.clear")
DECLINE_PERSON: Final = Choice(Pick(Verb.DECLINE_PERSON), "bot.choice.no_person")


# Where somebody else who looks at the phone is a danger of its own, the chat can be cleared from the card.
_NOT_FOR_OTHERS: Final = frozenset(
    {Danger.VIOLENCE, Danger.TRAFFICKING, Danger.PASSPORT_TAKEN, Danger.UNPAID_THREAT, Danger.CHILD}
)


def wording(message: str, /, count: int | None = None, **values: Value) -> Wording:
    """Name a text of the catalogue with its values."""
    return Wording(message, tuple(values.items()), count)


def saying(state: State, *parts: Part | str, choices: Sequence[Choice] = ()) -> Say:
    """Make a message; the first one of a conversation begins with who speaks: an automatic service."""
    told = tuple(Wording(part) if isinstance(part, str) else part for part in parts)
    notice = () if state.introduced else (Wording("bot.notice"),)
    return Say(parts=notice + told, choices=tuple(choices))


def welcome(state: State) -> Say:
    """Greet, say how to go on, and give the topics."""
    return saying(state, "bot.welcome", choices=(*_groups(), PERSON, LANGUAGES))


def menu(state: State) -> Say:
    """Give the groups of topics and the things that always work."""
    return saying(state, "bot.menu", choices=(*_groups(), PERSON, LANGUAGES))


def choice_expired(state: State) -> Say:
    """Say that a button is too old, and give the menu."""
    return saying(state, "bot.choice_expired", "bot.menu", choices=(*_groups(), PERSON, LANGUAGES))


def group_declined() -> Say:
    """Decline to talk in a group; who we are is said where we talk."""
    return Say((Wording("bot.group_declined"),))


def group_listed(state: State, group: str, slugs: Sequence[str]) -> Say:
    """Give the entries of a group."""
    return saying(state, f"bot.group.{group}", choices=(*_entries(slugs), MENU, PERSON))


def sections_listed(state: State, group: str, sections: Sequence[str]) -> Say:
    """Give the sections of a group."""
    parts = tuple(Choice(Pick(Verb.SECTION, named(group, section)), label_of(section)) for section in sections)
    return saying(state, f"bot.group.{group}", choices=(*parts, MENU, PERSON))


def section_listed(state: State, group: str, section: str, slugs: Sequence[str]) -> Say:
    """Give the entries of a section, with the way back to its group."""
    choices = (*_entries(slugs), _group(group), MENU, PERSON)
    return saying(state, label_of(section), "bot.section", choices=choices)


def answer(state: State, slug: str, *before: Part) -> Say:
    """Answer with an entry, or a case of it, ask whether it helped and show the way to a person.

    `slug` is as the argument of `Verb.ENTRY`.
    """
    slug, facet = case_of(slug)
    choices = (
        Choice(Pick(Verb.HELPFUL, slug), "bot.choice.helpful"),
        Choice(Pick(Verb.NOT_HELPFUL, slug), "bot.choice.not_helpful"),
        PERSON,
    )
    return saying(state, *before, EntryAnswer(slug, facet), "bot.did_it_help", choices=choices)


def which_case(say: Say, cases: Sequence[tuple[str, Sequence[str]]]) -> Say:
    """Ask under an answer which case it is, with a button each, before asking whether it helped."""
    asked = tuple(Choice(case_pick(slug, facet)) for slug, facets in cases for facet in facets)
    others = tuple(choice for choice in say.choices if choice.pick.verb not in {Verb.HELPFUL, Verb.NOT_HELPFUL})
    parts = tuple(part for part in say.parts if part != Wording("bot.did_it_help"))
    return Say((*parts, Wording("bot.which_case")), (*asked, *others))


def asks_case(say: Say) -> bool:
    """Tell whether a message asks which case it is."""
    return Wording("bot.which_case") in say.parts


def answer_before_another(state: State, slug: str, *before: Part) -> Say:
    """Answer with an entry, where a further answer follows that asks whether it helped."""
    return saying(state, *before, EntryAnswer(slug), choices=(PERSON,))


def answer_again(state: State, slugs: Sequence[str]) -> Say:
    """Say that the language has changed, and give the last answers in the new one."""
    return answer(state, slugs[-1], Wording("bot.language_set"), *map(EntryAnswer, slugs[:-1]))


def asking_language(say: Say, codes: Sequence[str]) -> Say:
    """Ask below a message in which of two languages to write, each in its own words."""
    asked = tuple(Wording("bot.write_in", (("language", language(code).autonym),), language=code) for code in codes)
    choices = tuple(Choice(Pick(Verb.LANGUAGE, code)) for code in codes)
    return Say(parts=say.parts + asked, choices=choices + say.choices)


def danger(state: State, kind: Danger, slugs: Sequence[str]) -> Say:
    """Show the emergency card, then what answers, and offer a person.

    The card comes even before the notice that the service is automatic, which stands below it.
    """
    below = saying(state, *map(EntryAnswer, slugs), "danger.offer", choices=(ACCEPT_PERSON, *_clear(kind), MENU))
    return replace(below, parts=(EmergencyCard(kind), *below.parts))


def danger_while_waiting(state: State, kind: Danger, slugs: Sequence[str]) -> Say:
    """Show the emergency card to somebody who waits for a person, then what answers."""
    below = saying(state, *map(EntryAnswer, slugs), "danger.first_in_queue", choices=(MENU, *_clear(kind), STOP))
    return replace(below, parts=(EmergencyCard(kind), *below.parts))


def did_you_mean(state: State, slugs: Sequence[str], *before: Part) -> Say:
    """Offer entries, and a person."""
    return saying(state, *before, "bot.did_you_mean", choices=(*_entries(slugs), PERSON, MENU))


def also_asked(state: State, slugs: Sequence[str], *before: Part) -> Say:
    """Give what else was asked, to be picked one after the other: all of it at once nobody would read."""
    return saying(state, *before, "bot.also_asked", choices=(*_entries(slugs), PERSON, MENU))


def unknown(state: State, *before: Part) -> Say:
    """Say plainly that there is no answer, and offer a person and the topics."""
    return saying(state, *before, "bot.unknown", choices=(ACCEPT_PERSON, DECLINE_PERSON, MENU))


def insult(state: State) -> Say:
    """Take no offence, and offer a person."""
    return saying(state, "bot.insult", choices=(ACCEPT_PERSON, DECLINE_PERSON, MENU))


def advert(state: State) -> Say:
    """Say what the desk is for, and give the topics."""
    return saying(state, "bot.advert", choices=(*_groups(), PERSON, LANGUAGES))


def languages(state: State) -> Say:
    """Let the resident pick a language; each stands in its own name."""
    return saying(state, "bot.languages", choices=tuple(Choice(Pick(Verb.LANGUAGE, code)) for code in CODES))


def confirm_deletion(state: State) -> Say:
    """Ask before deleting."""
    choices = (
        # The harmless one first: it is what a stray "1" means.
        Choice(Pick(Verb.KEEP), "bot.choice.delete_no"),
        Choice(Pick(Verb.DELETE_CONFIRMED), "bot.choice.delete_yes"),
    )
    return saying(state, "bot.delete_confirm", choices=choices)


def queued(state: State, event: Queued) -> Say:
    """Say at which place the resident waits, from when there is somebody, and whether to write for an answer."""
    parts: list[Part] = [wording("bot.waiting.place", place=event.place)]
    if event.on_duty:
        parts.append(Wording("bot.waiting.on_duty"))
    elif event.opens_at is not None:
        parts.append(wording("bot.waiting.opens_at", opens_at=event.opens_at))
    else:
        parts.append(Wording("bot.waiting.nobody"))
    if event.brief:
        parts.append(Wording("bot.waiting.write"))
    parts.append(Wording("bot.waiting.meanwhile"))
    return saying(state, *parts, choices=(MENU, STOP))


def _clear(kind: Danger) -> tuple[Choice, ...]:
    return (CLEAR,) if kind in _NOT_FOR_OTHERS else ()


def _entries(slugs: Sequence[str]) -> tuple[Choice, ...]:
    return tuple(Choice(Pick(Verb.ENTRY, slug)) for slug in slugs)


def _group(group: str) -> Choice:
    return Choice(Pick(Verb.GROUP, group), f"bot.choice.group.{group}")


def _groups() -> tuple[Choice, ...]:
    return tuple(map(_group, GROUPS))
