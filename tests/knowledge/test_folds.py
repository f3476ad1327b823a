"""A calibration is fitted on phrases hidden in turn, also where entries have few of them."""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from knowledge.calibration import Calibration, unfitted
from knowledge.directions import unit
from knowledge.embedding import Vectors
from knowledge.fitting import ENTRIES_FROM, fit
from knowledge.folds import Told, ask, hidden_entries
from knowledge.labels import DANGERS, ELSEWHERE, Phrase
from knowledge.search import Evidence, Index, Vocabularies
from knowledge.weighing import Masks

SIZE = 24
LANGUAGES = ("it", "en", "es", "ro")
SIGNS = (ELSEWHERE, *sorted(DANGERS)[:2])


def phrases_of(entries: int, languages: int, each: int) -> list[Phrase]:
    labels = [f"entry-{number:02}" for number in range(entries)]
    found = [
        Phrase(label, code, code, f"{label} {code} {number}")
        for label in labels
        for code in LANGUAGES[:languages]
        for number in range(each)
    ]
    return found + [Phrase(label, "it", "it", f"{label} {number}") for label in SIGNS for number in range(12)]


def vectors_of(phrases: Sequence[Phrase]) -> Vectors:
    """Give vectors of which those of one label are near each other."""

    def seeded(text: str) -> np.ndarray:
        return np.random.default_rng(crc32(text.encode())).normal(size=SIZE)

    rows = np.stack([seeded(phrase.label) + 0.4 * seeded(phrase.text) for phrase in phrases])
    return unit(rows.astype(np.float32))


def told_of(entries: int, languages: int, each: int) -> Told:
    phrases = phrases_of(entries, languages, each)
    return Told(phrases, vectors_of(phrases), None)


def asked_of(told: Told, text: str, label: str) -> tuple[Evidence, Masks]:
    """Ask an index of all that is told for something that a label is near to."""
    index = Index(told.phrases, told.vectors, Vocabularies())
    vector = vectors_of([Phrase(label, "it", "it", text)])[0]
    return index.evidence(text, "it", vector), Masks.of(index.labels)


@pytest.mark.parametrize(
    ("entries", "languages", "each", "likely"),
    [
        # Of eight phrases six or seven are left while others are hidden, of twenty-four sixteen.
        (12, 2, 4, True),
        (12, 1, 10, True),
        (12, 4, 4, True),
        (12, 4, 6, False),
        (12, 2, 1, False),
        (12, 1, 2, False),
    ],
)
def test_hidden_phrases_are_asked_of_an_index_with_the_head_that_messages_meet(
    entries: int, languages: int, each: int, *, likely: bool
) -> None:
    told = told_of(entries, languages, each)
    evidence, _ = asked_of(told, "something", "entry-01")
    assert evidence.likely is likely
    asked, _ = ask(told, Vocabularies())
    assert {one.evidence.likely for one in asked} == {likely}
    fitted = fit(told, Vocabularies())
    assert fitted.likely is likely
    assert Calibration.from_json(fitted.to_json()).likely is likely


def test_more_work_than_a_likelihood_may_take_is_none_while_phrases_are_hidden() -> None:
    told = told_of(240, 1, 10)
    part, _ = ask(Told(told.phrases, told.vectors, None), Vocabularies())
    assert {one.evidence.likely for one in part} == {asked_of(told, "x", "entry-01")[0].likely} == {False}


@pytest.mark.parametrize(("languages", "each"), [(2, 1), (4, 1), (1, 2), (2, 3)])
def test_an_entry_with_little_more_than_its_question_is_never_hidden_as_a_whole(languages: int, each: int) -> None:
    told = told_of(12, languages, each)
    asked, masks = ask(told, Vocabularies())
    assert {one.phrase.label for one in asked} == {phrase.label for phrase in told.phrases}
    labels = sorted({phrase.label for phrase in told.phrases})
    for one in asked:
        assert len(one.evidence.places) == len(masks.entries)
        assert labels[one.place] == one.phrase.label
    fitted = fit(told, Vocabularies())
    assert fitted.reliability["by_meaning"]["all"]["right"] > 0.5
    sure = fitted.judge(*asked_of(told, "something", "entry-03"), kind="it")
    assert sure.correct > 0.5


def test_one_entry_with_nothing_but_its_questions_does_not_displace_the_others() -> None:
    many = told_of(12, 4, 6)
    alone = [Phrase("aaa", code, code, f"aaa {code}") for code in LANGUAGES]
    phrases = [*alone, *many.phrases]
    asked, masks = ask(Told(phrases, vectors_of(phrases), None), Vocabularies())
    assert {len(one.evidence.places) for one in asked} == {len(masks.entries)}
    assert sum(one.phrase.label == "aaa" for one in asked) == len(alone)


def test_entries_of_one_phrase_each_cannot_be_asked_for() -> None:
    told = told_of(20, 1, 1)
    assert hidden_entries(told.phrases) == 0
    assert fit(told, Vocabularies()).reliability == {"fitted": False}
    assert hidden_entries(told_of(20, 2, 1).phrases) == 20
    assert hidden_entries([]) == 0


@pytest.mark.parametrize("each", [1, 6])
def test_too_few_entries_to_fit_on_are_still_offered(each: int) -> None:
    told = told_of(ENTRIES_FROM - 1, 2, each)
    rough = fit(told, Vocabularies())
    assert rough.reliability == {"fitted": False}
    clear = rough.judge(*asked_of(told, "something", "entry-02"), kind="it")
    assert clear.correct > 0.3
    danger = rough.judge(*asked_of(told, "something", SIGNS[1]), kind="it")
    assert danger.danger > 0.7
    assert danger.correct < clear.correct / 2


@pytest.mark.parametrize(("before", "after"), [((12, 4, 6), (12, 2, 6)), ((12, 2, 6), (12, 4, 6))])
def test_figures_of_another_head_are_not_taken(before: tuple[int, int, int], after: tuple[int, int, int]) -> None:
    """An edit may bring the entries over the border; until they are fitted anew, what was fitted last stands in."""
    old, new = fit(told_of(*before), Vocabularies()), told_of(*after)
    evidence, masks = asked_of(new, "something", "entry-02")
    judged = old.judge(evidence, masks, kind="it")
    rough = replace(unfitted(), spelling=old.spelling).judge(evidence, masks, kind="it")
    assert (judged.correct, judged.danger) == (rough.correct, rough.danger)
    assert judged.correct > 0.3
    danger = old.judge(*asked_of(new, "something", SIGNS[1]), kind="it")
    assert danger.danger > 0.7
