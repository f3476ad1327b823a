"""The fitted directions: which fit is taken when, that they tell labels apart, and that many rows outweigh nothing."""

import numpy as np
import pytest

from knowledge.directions import unit
from knowledge.fitting import BACKGROUND, background_share
from knowledge.heads import LeastSquares, Likelihood, Row, head_of
from knowledge.meaning import Meaning
from knowledge.weighing import ENTRY_FEATURES

SIZE = 24


def rows_of(labels: int, each: int, seed: int = 0, *, spread: float = 0.3) -> tuple[Row, np.ndarray, Row]:
    """Make vectors around a middle for each label; the rows, their labels, and the sum for each label."""
    chance = np.random.default_rng(seed)
    middles = np.random.default_rng(1).standard_normal((labels, SIZE))
    owners = np.repeat(np.arange(labels), each)
    rows = unit((middles[owners] + spread * chance.standard_normal((labels * each, SIZE))).astype(np.float32))
    sums = np.stack([rows[owners == label].sum(axis=0) for label in range(labels)])
    return rows, owners, sums


@pytest.mark.parametrize(
    ("labels", "several", "kind"), [(30, True, Likelihood), (30, False, LeastSquares), (400, True, LeastSquares)]
)
def test_likelihood_is_for_several_phrases_and_little_work(
    *, labels: int, several: bool, kind: type[LeastSquares | Likelihood]
) -> None:
    assert type(head_of(*rows_of(labels, 5), several=several)) is kind


def test_directions_find_the_label_of_rows_they_have_not_seen() -> None:
    rows, owners, sums = rows_of(20, 6)
    asked, right, _ = rows_of(20, 4, seed=2)
    for head in (Likelihood(rows, owners, 20), LeastSquares(rows, owners, sums)):
        found = [int(head.of(row).argmax()) for row in asked]
        assert np.mean(found == right) > 0.97


def test_likelihood_is_a_probability_and_the_same_each_time() -> None:
    rows, owners, _ = rows_of(20, 6)
    once, again = (Likelihood(rows, owners, 20).of(rows[7]) for _ in range(2))
    assert np.array_equal(once, again)
    assert np.exp(once).sum() == pytest.approx(1, abs=1e-3)


def test_a_label_with_many_rows_draws_no_others_to_itself() -> None:
    rows, owners, _ = rows_of(2, 60, spread=1.5)
    few = np.concatenate([np.flatnonzero(owners == 0), np.flatnonzero(owners == 1)[:6]])
    head = LeastSquares(
        rows[few], owners[few], np.stack([rows[few][owners[few] == label].sum(axis=0) for label in (0, 1)])
    )
    asked, right, _ = rows_of(2, 300, seed=3, spread=1.5)
    found = np.array([int(head.of(row).argmax()) for row in asked])
    assert np.mean(found[right == 1] == 1) > 0.8
    assert np.mean(found[right == 0] == 0) > 0.8


def test_background_that_is_recognised_at_once_stands_for_less_of_what_residents_ask() -> None:
    """Questions about anything else are easy to tell; then hidden entries stand for what no entry answers."""

    def led_by(entries: float, background: float) -> np.ndarray:
        described = np.zeros(len(ENTRY_FEATURES))
        described[ENTRY_FEATURES.index("over_elsewhere")] = entries - background
        return described

    recognised, taken_for_an_entry = led_by(1, 2), led_by(2, 1)
    assert background_share([]) == 0
    assert background_share([taken_for_an_entry] * 3 + [recognised]) == BACKGROUND
    assert background_share([taken_for_an_entry] + [recognised] * 3) == pytest.approx(BACKGROUND / 2)
    assert 0 < background_share([recognised] * 4) < BACKGROUND / 2


@pytest.mark.parametrize("each", [3, 12])
def test_with_very_few_phrases_their_middle_stands_for_the_nearest(each: int) -> None:
    labels = 10
    rows, owners, _ = rows_of(labels, each)
    chosen = np.arange(len(rows))
    meaning = Meaning(["it"] * len(rows), owners, rows, chosen, np.zeros(labels, dtype=np.bool_))
    query = meaning.query(rows[0], "it")
    middles, _, _ = meaning.overall(query)
    some = np.array([0, 4])
    assert np.array_equal(meaning.nearest(query), middles) == (each < 8)
    assert meaning.nearest(query)[some] == pytest.approx(meaning.nearest_of(query, some))
