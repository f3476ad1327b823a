"""Messages of several questions: each is answered or offered, and what is none is left alone."""

from typing import Final

import pytest

from bot.events import Question, Understanding, Verdict
from knowledge.understanding import Understander


def _slugs(found: Understanding) -> list[str]:
    questions = (Question(found.verdict, found.matches), *found.others)
    return [question.matches[0].slug for question in questions if question.verdict is Verdict.ANSWER]


MANY: Final = {
    "residence-permit-renewal": "rinnovo permesso di soggiorno",
    "night-doctor": "numero della guardia medica",
    "tax-code": "codice fiscale",
    "italian-course": "corso di italiano",
    "isee": "isee",
    "spid-digital-identity": "spid",
    "citizenship": "cittadinanza italiana",
    "unemployment-benefit": "disoccupazione",
}


@pytest.mark.parametrize("mark", ["{}? ", "{}\n", "- {}\n", "1) {} "], ids=["asked", "lines", "bullets", "numbers"])
async def test_each_of_eight_questions_is_answered_however_short(speller: Understander, mark: str) -> None:
    text = "".join(mark.format(words) for words in MANY.values())
    found = await speller.understand(text, language="", hint=None, chosen=False)
    assert (_slugs(found), found.more) == (list(MANY), False)


async def test_a_ninth_question_is_not_looked_at_and_that_is_told(speller: Understander) -> None:
    text = "? ".join((*MANY.values(), "carta di identità?"))
    found = await speller.understand(text, language="", hint=None, chosen=False)
    assert (_slugs(found), found.more) == (list(MANY), True)


@pytest.mark.parametrize("words", ["scusi?", "Singh Gurpreet\n", "ciao?", "fuoco\n"])
async def test_one_or_two_words_beside_a_question_are_none_where_nothing_answers_them(
    speller: Understander, words: str
) -> None:
    text = f"{words} rinnovo permesso di soggiorno?"
    found = await speller.understand(text, language="", hint=None, chosen=False)
    assert (found.matches[0].slug, found.others, found.danger) == ("residence-permit-renewal", (), None)
