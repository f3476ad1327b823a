"""What a text leads to that steers nothing: danger first, then small talk, then each of its questions."""

from dataclasses import replace
from typing import Final

from bot import sayings, steering
from bot.actions import EmergencyCard, MakeUrgent, Part, Say, Wording
from bot.events import Question, TextReceived, Understanding, Verdict
from bot.languages import CODES
from bot.signals import Danger, Talk
from bot.state import Stage, State
from bot.steering import HELD, Step, in_language_of, said

OTHERS_AT_MOST: Final = 2


def danger(state: State, event: TextReceived, kind: Danger) -> Step:
    """Show the emergency card and offer a person; whoever waits for one already comes first from now on."""
    # Whatever else is asked where a child is in danger, an entry is no answer.
    slugs = () if kind is Danger.CHILD else _slugs(_questions(event.understanding))
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
    """Answer or offer, in a message for each question of the text; what has no answer is told plainly."""
    understanding = event.understanding
    questions = _questions(understanding)
    known = [question for question in questions if question.verdict is not Verdict.ABSTAIN]
    slugs = _slugs(questions)
    asked = replace(in_language_of(state, event), question=event.seq, answered=slugs)
    says: list[Say] = []
    before = _gentle_card(understanding)
    for place, question in enumerate(known, 1):
        if place == len(known) < len(questions):
            before = (*before, Wording("bot.no_answer_to_part"))
        says.append(_said_to(asked if not says else replace(asked, introduced=True), question, slugs, before))
        before = ()
    if not known:
        says, stage = [sayings.unknown(asked, *before)], Stage.OFFERED
    else:
        stage = Stage.OPEN if known[-1].verdict is Verdict.ANSWER else Stage.CHOOSING
    if _may_be_another_language(state, asked, understanding):
        says[-1] = sayings.asking_language(says[-1], (understanding.language, understanding.rival or ""))
    return said(asked, *says, stage=stage)


def answer_while_waiting(state: State, event: TextReceived) -> Step:
    """Answer what is sure; anything else is kept for the mediator, which is said once."""
    before = _gentle_card(event.understanding)
    questions = [question for question in _questions(event.understanding) if question.verdict is Verdict.ANSWER]
    if questions:
        slugs = _slugs(questions)
        still = (*before, Wording("bot.still_waiting"))
        says = [_said_to(state, question, slugs, () if place else still) for place, question in enumerate(questions)]
        return said(replace(state, answered=slugs), *says)
    if state.noted and not before:
        return Step(state)
    return said(replace(state, noted=True), sayings.saying(state, *before, "bot.noted", choices=(sayings.STOP,)))


def _questions(understanding: Understanding) -> list[Question]:
    """Give the questions of a text, at most three, each entry answering once; a verdict without entries is none."""
    questions: list[Question] = []
    first = Question(understanding.verdict, understanding.matches)
    for question in (first, *understanding.others[:OTHERS_AT_MOST]):
        if not question.matches or question.verdict is Verdict.ABSTAIN:
            questions.append(Question(Verdict.ABSTAIN))
        elif question.verdict is Verdict.OFFER or question.matches[0].slug not in _slugs(questions):
            questions.append(question)
    return questions


def _slugs(questions: list[Question]) -> tuple[str, ...]:
    return tuple(question.matches[0].slug for question in questions if question.verdict is Verdict.ANSWER)


def _said_to(state: State, question: Question, slugs: tuple[str, ...], before: tuple[Part, ...]) -> Say:
    """Answer or offer for one question; only the last answer asks whether it helped."""
    if question.verdict is Verdict.OFFER:
        return sayings.did_you_mean(state, question.matches, *before)
    slug = question.matches[0].slug
    if slug == slugs[-1]:
        return sayings.answer(state, slug, *before)
    return sayings.answer_before_another(state, slug, *before)


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
