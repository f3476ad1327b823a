"""Cities elsewhere: what names one, what does not, and what follows for an answer."""

import pytest

from bot.events import Verdict
from knowledge import deciding
from knowledge.labels import ELSEWHERE, SIGNALS, entry_phrases, signal_phrases
from knowledge.places import about_elsewhere, names_city_elsewhere
from knowledge.reader import empty
from knowledge.understanding import Understander
from tests.starter import starter


@pytest.mark.parametrize(
    "text",
    [
        "a che ora apre l'anagrafe di Milano",
        "open a bank account in Dubai",
        "在温州怎么办身份证",
        "لاہور میں شناختی کارڈ",
        "دبئی میں اکاؤنٹ کھلوانا ہے",
        "ঢাকায় পাসপোর্ট",
        "মিলানে বাসা ভাড়া",
        "ਅੰਮ੍ਰਿਤਸਰ ਵਿੱਚ ਲਾਇਸੈਂਸ",
        "permis de conduire à New York",
        "прописка у варшаві",
        "letra ne tiranë",
    ],
)
def test_a_city_elsewhere_is_seen_in_every_script(text: str) -> None:
    assert names_city_elsewhere(text)


@pytest.mark.parametrize(
    "text",
    [
        "mi sposto da Milano a Prato, come cambio residenza",
        "从米兰搬到普拉托",
        "dove è la questura di Firenze",
        "vengo dal Pakistan e cerco lavoro",
        "اولادي وصلو من تونس",
        "daca am permis expirat",
        "il faut qu'il vienne avec moi",
        "老公是罗马尼亚人 怎么登记",
        "si trabajo en negro me multan",
        "appuntamento in via Roma",
        "mi chiamo Sofia",
        "dubaiano",
    ],
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert not names_city_elsewhere(text)


def test_no_phrase_of_an_entry_about_prato_names_one_but_many_that_no_entry_answers_do() -> None:
    phrases = [(phrase.label, phrase.text) for phrase in entry_phrases(starter())]
    abroad = about_elsewhere(phrases)
    assert {"residence-permit-travel", "qualification-recognition", "driving-licence-conversion"} <= abroad
    assert not {"identity-card", "bank-account", "residence-registration"} & abroad
    here = [text for label, text in phrases if label not in abroad and names_city_elsewhere(text)]
    assert len(here) <= 3, here
    elsewhere = [phrase for phrase in signal_phrases() if phrase.label == ELSEWHERE]
    assert sum(names_city_elsewhere(phrase.text) for phrase in elsewhere) >= 40
    assert empty().abroad.isdisjoint(SIGNALS)


async def test_an_entry_about_prato_is_offered_and_not_given_where_a_city_elsewhere_is_named(
    speller: Understander,
) -> None:
    current = speller.reader
    _, judgement = current.by_spelling("carta di identità nuova", "it")
    sure = deciding.Thresholds(answer=judgement.correct - 0.01)
    here = deciding.decide(current, judgement, sure, by_meaning=True)
    there = deciding.decide(current, judgement, sure, by_meaning=True, elsewhere=True)
    assert (here.verdict, there.verdict) == (Verdict.ANSWER, Verdict.OFFER)
    assert here.matches == there.matches
    _, judgement = current.by_spelling("convertire la patente straniera", "it")
    sure = deciding.Thresholds(answer=judgement.correct - 0.01)
    assert current.label(judgement.ranked[0]) in current.abroad
    assert deciding.decide(current, judgement, sure, by_meaning=True, elsewhere=True).verdict is Verdict.ANSWER
