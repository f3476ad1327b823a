"""What a text leads to that steers nothing: danger first, then small talk, then each of its questions."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from bot import sayings, steering
from bot.actions import EmergencyCard, MakeUrgent, Part, Say, Wording
from bot.events import Question, TextReceived, Understanding, Verdict
from bot.languages import CODES
from bot.signals import Danger, Talk
from bot.state import Stage, State
from bot.steering import HELD, Step, in_language_of, said

# Answers in full in reply to one message, entries that are offered for a question, and in one list: a list with two
# more choices below it is still one to tap on WhatsApp and WeCom, which have room for ten.
IN_FULL_AT_MOST: Final = 3
OFFERED_AT_MOST: Final = 3
LISTED_AT_MOST: Final = 8


def danger(state: State, event: TextReceived, kind: Danger) -> Step:
    """Show the emergency card and offer a person; whoever waits for one already comes first from now on."""
    # Whatever else is asked where a child is in danger, an entry is no answer.
    slugs = () if kind is Danger.CHILD else _divided(_questions(event.understanding))[1]
    asked = replace(in_language_of(state, event), question=event.seq, answered=slugs)
    if state.stage is Stage.WAITING and state.ticket is not None:
        return said(asked, sayings.danger_while_waiting(asked, kind, slugs), MakeUrgent(state.ticket))
    return said(replace(asked, urgent=True), sayings.danger(asked, kind, slugs), stage=Stage.OFFERED)


def small_talk(state: State, event: TextReceived, talk: Talk) -> Step:
    """Answer small talk; while waiting it is left to the mediator, as other small words are."""
    spoken = in_language_of(state, event)
    if talk is Talk.PERSON:
        asked = spoken if spoken.question is not None else replace(spoken, question=event.seq)
        return steering.person(asked, event)
    if state.stage in HELD:
        if talk is not Talk.ROBOT:
            return steering.text_kept(state)
        return said(state, sayings.saying(state, "bot.robot", "bot.still_waiting", choices=(sayings.STOP,)))
    match talk:
        case Talk.GREETING:
            return said(spoken, sayings.welcome(spoken))
        case Talk.THANKS:
            return said(spoken, sayings.saying(spoken, "bot.thanks", choices=(sayings.MENU,)))
        case Talk.ROBOT:
            return said(spoken, sayings.saying(spoken, "bot.robot", choices=(sayings.PERSON, sayings.MENU)))
        case Talk.INSULT:
            return said(spoken, sayings.insult(spoken), stage=Stage.OFFERED)
        case Talk.ADVERT:
            return said(spoken, sayings.advert(spoken))


def answer(state: State, event: TextReceived) -> Step:
    """Answer the first questions of a text, in a message each, and offer the others in one; say what has no answer."""
    understanding = event.understanding
    questions = _questions(understanding)
    in_full, slugs, rest = _divided(questions)
    asked = replace(in_language_of(state, event), question=event.seq, answered=slugs)
    before = _gentle_card(understanding)
    if not in_full and not rest:
        says, stage = [sayings.unknown(asked, *before)], Stage.OFFERED
    else:
        told = _told_last(understanding, questions)
        says = []
        for place, question in enumerate(in_full, 1):
            last = told if place == len(in_full) and not rest else ()
            says.append(_answered(_introduced(asked, says), question, slugs, (*before, *last)))
            before = ()
        if rest:
            says.append(_offered(_introduced(asked, says), rest, slugs, (*before, *told)))
        stage = Stage.CHOOSING if rest else Stage.OPEN
    if _may_be_another_language(state, asked, understanding):
        says[-1] = sayings.asking_language(says[-1], (understanding.language, understanding.rival or ""))
    return said(asked, *says, stage=stage)


def answer_while_waiting(state: State, event: TextReceived) -> Step:
    """Answer what is sure; anything else is kept for the mediator, which is said once."""
    before = _gentle_card(event.understanding)
    sure = [question for question in _questions(event.understanding) if question.verdict is Verdict.ANSWER]
    in_full, slugs, rest = _divided(sure)
    if in_full:
        still = (*before, Wording("bot.still_waiting"))
        says = [_answered(state, question, slugs, () if place else still) for place, question in enumerate(in_full)]
        if rest:
            says.append(_offered(state, rest, slugs, ()))
        return said(replace(state, answered=slugs), *says)
    if state.noted and not before:
        return Step(state)
    return said(replace(state, noted=True), sayings.saying(state, *before, "bot.noted", choices=(sayings.STOP,)))


def _questions(understanding: Understanding) -> list[Question]:
    """Give the questions of a text, each entry answering once; a verdict without entries is none."""
    questions: list[Question] = []
    first = Question(understanding.verdict, understanding.matches)
    for question in (first, *understanding.others):
        if not question.matches or question.verdict is Verdict.ABSTAIN:
            questions.append(Question(Verdict.ABSTAIN))
        elif question.verdict is Verdict.OFFER or question.matches[0].slug not in _slugs(questions):
            questions.append(question)
    return questions


def _slugs(questions: Sequence[Question]) -> tuple[str, ...]:
    return tuple(question.matches[0].slug for question in questions if question.verdict is Verdict.ANSWER)


def _divided(questions: Sequence[Question]) -> tuple[list[Question], tuple[str, ...], list[Question]]:
    """Give the questions that are answered in full, the entries of these, and those of which entries are offered."""
    sure = [question for question in questions if question.verdict is Verdict.ANSWER][:IN_FULL_AT_MOST]
    slugs = _slugs(sure)
    rest = [
        question
        for question in questions
        if question not in sure and any(match.slug not in slugs for match in question.matches)
    ]
    return sure, slugs, rest


def _introduced(state: State, says: Sequence[Say]) -> State:
    return replace(state, introduced=True) if says else state


def _told_last(understanding: Understanding, questions: Sequence[Question]) -> tuple[Part, ...]:
    """Give what stands before the last message: that something has no answer, or was not looked at."""
    unanswered = any(question.verdict is Verdict.ABSTAIN for question in questions)
    told = (unanswered, "bot.no_answer_to_part"), (understanding.more, "bot.more_questions")
    return tuple(Wording(message) for so, message in told if so)


def _answered(state: State, question: Question, slugs: tuple[str, ...], before: tuple[Part, ...]) -> Say:
    """Answer one question; only the last answer asks whether it helped."""
    slug = question.matches[0].slug
    if slug == slugs[-1]:
        return sayings.answer(state, slug, *before)
    return sayings.answer_before_another(state, slug, *before)


def _offered(state: State, questions: Sequence[Question], slugs: tuple[str, ...], before: tuple[Part, ...]) -> Say:
    """Offer what may answer questions, in one list, that can be answered by number: the best of each question first."""
    lists = [
        [match.slug for match in (question.matches[:1] if question.verdict is Verdict.ANSWER else question.matches)]
        for question in questions
    ]
    found = [slug for row in zip_longest(*(one[:OFFERED_AT_MOST] for one in lists)) for slug in row if slug is not None]
    entries = [slug for slug in dict.fromkeys(found) if slug not in slugs][:LISTED_AT_MOST]
    if any(question.verdict is Verdict.ANSWER for question in questions):
        return sayings.also_asked(state, entries, *before)
    return sayings.did_you_mean(state, entries, *before)


def _gentle_card(understanding: Understanding) -> tuple[Part, ...]:
    if understanding.danger is None:
        return ()
    return (EmergencyCard(understanding.danger, gentle=True),)


def _may_be_another_language(before: State, after: State, understanding: Understanding) -> bool:
    """Tell whether to ask which of two languages it is: at the first question, or where the language changes."""
    if understanding.rival is None or understanding.rival == understanding.language or before.chosen:
        return False
    if not {understanding.rival, understanding.language} <= set(CODES):
        return False
    return before.question is None or before.language != after.language
