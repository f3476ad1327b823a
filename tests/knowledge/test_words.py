"""Single words of a message compared with those of phrases: the arithmetic, and what decides whether it is done."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from knowledge.directions import Directions, Row, narrow, unit
from knowledge.embedding import DIMENSIONS
from knowledge.labels import ELSEWHERE, SIGNALS, Phrase, are_few, are_several
from knowledge.own_model import GraphEmbedder
from knowledge.scoring import BY_MEANING, Column
from knowledge.search import FULL, Index, Vocabularies
from knowledge.words import COMPARED, MOST_TOKENS, Words, wanted

SIZE = 4
NO_TOKENS = np.zeros((0, SIZE), dtype=np.int8)


def tokens(*, least: int = 0) -> st.SearchStrategy[Directions]:
    """Give the tokens of a text, such as no model would make: of zeros, alike, opposed."""
    return st.integers(least, 3).flatmap(
        lambda rows: arrays(np.int8, (rows, SIZE), elements=st.integers(-127, 127), fill=st.just(0))
    )


# Of each label, its phrases; of each phrase its tokens.
banks = st.lists(st.lists(tokens(), min_size=1, max_size=3), min_size=1, max_size=5)


def words_of(bank: list[list[Directions]]) -> Words:
    owners = [owner for owner, phrases in enumerate(bank) for _ in phrases]
    return Words(np.array(owners, dtype=np.intp), [rows for phrases in bank for rows in phrases])


def labels_of(*labels: int) -> np.ndarray:
    return np.array(labels, dtype=np.intp)


@given(banks, tokens(), st.data())
def test_the_best_label_is_behind_by_nothing_and_no_other_is_ahead(
    bank: list[list[Directions]], asked: Directions, data: st.DataObject
) -> None:
    some = sorted(data.draw(st.sets(st.integers(0, len(bank) - 1), min_size=1)))
    words = words_of(bank)
    behind = words.behind(asked, labels_of(*some))
    assert behind.shape == (len(some),)
    assert behind.dtype == np.float32
    assert np.isfinite(behind).all()
    assert behind.max() == 0
    # Neither way to match goes from more than 1 to less than -1.
    assert behind.min() >= -2 - 1e-5
    # How a label stands to another does not depend on which others are compared.
    everywhere = words.behind(asked, np.arange(len(bank)))[some]
    assert behind == pytest.approx(everywhere - everywhere.max(), abs=1e-5)


@given(st.lists(tokens(least=1), min_size=1, max_size=3), tokens(least=1), st.integers(1, 4))
def test_labels_that_say_the_same_are_equally_good(phrases: list[Directions], asked: Directions, labels: int) -> None:
    behind = words_of([phrases] * labels).behind(asked, np.arange(labels))
    assert behind == pytest.approx(np.zeros(labels), abs=1e-6)


@given(banks)
def test_a_text_without_tokens_is_as_far_from_all(bank: list[list[Directions]]) -> None:
    assert not words_of(bank).behind(NO_TOKENS, np.arange(len(bank))).any()


def test_phrases_without_tokens_are_like_nothing() -> None:
    told = np.array([[127, 0, 0, 0], [0, 127, 0, 0]], dtype=np.int8)
    behind = words_of([[NO_TOKENS], [told], [NO_TOKENS, told[:1]]]).behind(told, np.arange(3))
    assert behind[1] == 0
    assert behind[0] < behind[2] < 0
    assert not words_of([[NO_TOKENS], [NO_TOKENS]]).behind(told, np.arange(2)).any()


def test_the_words_of_a_text_may_be_found_in_several_phrases_and_those_of_a_phrase_in_the_text() -> None:
    axes = (np.eye(SIZE) * 127).astype(np.int8)
    # The first has the two words in one phrase, the second in two, the third has another beside them in its only one.
    bank = [[axes[[0, 1]]], [axes[[0]], axes[[1]]], [axes[[0, 1, 2]]], [axes[[2]]], [axes[[3]]]]
    behind = words_of(bank).behind(axes[[0, 1]], np.arange(5))
    assert behind[:2] == pytest.approx([0, 0], abs=1e-5)
    assert max(behind[3:]) < behind[2] < -0.01


def test_words_take_one_byte_a_number() -> None:
    random = np.random.default_rng(1)
    told = [random.integers(-127, 128, (12, DIMENSIONS), dtype=np.int8) for _ in range(200)]
    words = Words(np.arange(200), told)
    numbers = 200 * 12 * DIMENSIONS
    held = [value for value in vars(words).values() if isinstance(value, np.ndarray)]
    assert max(value.nbytes for value in held) == numbers
    assert sum(value.nbytes for value in held) < 1.02 * numbers
    # What they were made of stays as it was: an index of a part of the phrases is made of the same rows.
    again = np.random.default_rng(1)
    assert all((rows == again.integers(-127, 128, rows.shape, dtype=np.int8)).all() for rows in told)


@given(
    arrays(np.float32, (3, SIZE), elements=st.floats(-1, 1, width=32)), st.sampled_from([1e-30, 1e-6, 1.0, 1e6, 1e30])
)
def test_narrowed_rows_keep_their_direction_whatever_their_length(rows: Row, length: float) -> None:
    rows = (np.where(np.abs(rows) < 1e-3, 0, rows) * np.float32(length)).astype(np.float32)
    narrowed = narrow(rows)
    assert narrowed.dtype == np.int8
    for row, narrow_row in zip(rows, narrowed, strict=True):
        largest = np.abs(row).max()
        assert np.abs(narrow_row.astype(int)).max() == (127 if largest else 0)
        if largest:
            assert narrow_row / 127 == pytest.approx(row / largest, abs=0.5 / 127 + 1e-6)
    assert narrow(rows[:0]).shape == (0, SIZE)


@given(
    arrays(np.float32, (3, SIZE), elements=st.floats(-1, 1, width=32)), st.sampled_from([1e-12, 1e-6, 1.0, 1e6, 1e15])
)
def test_rows_are_scaled_to_length_one_but_for_zeros(rows: Row, length: float) -> None:
    rows = (np.where(np.abs(rows) < 1e-3, 0, rows) * np.float32(length)).astype(np.float32)
    scaled = unit(rows)
    assert scaled.dtype == np.float32
    for row, scaled_row in zip(rows, scaled, strict=True):
        assert np.linalg.norm(scaled_row) == pytest.approx(1 if row.any() else 0, abs=1e-5)
    assert unit(rows[:0]).shape == (0, SIZE)


# --- Whether words are compared ---------------------------------------------------------------------


def of_label(label: str, number: int, kind: str = "it", *, embedded: bool = True) -> list[Phrase]:
    return [Phrase(label, kind[:2], kind, f"{label} {kind} {place}", embedded) for place in range(number)]


@pytest.mark.parametrize(
    ("phrases", "few"),
    [
        ([], False),
        (of_label(ELSEWHERE, 3), False),
        (of_label("a", 1), True),
        (of_label("a", 19), True),
        (of_label("a", 20), False),
        (of_label("a", 39) + of_label("b", 1), False),
        (of_label("a", 38) + of_label("b", 1), True),
        (of_label("a", 19) + of_label("a", 9, embedded=False), True),
        # An entry without a phrase to embed, and what is no entry, change nothing.
        (of_label("a", 20) + of_label("b", 9, embedded=False), False),
        (of_label("a", 20) + [phrase for signal in SIGNALS for phrase in of_label(signal, 1)], False),
        (of_label("a", 19) + of_label(ELSEWHERE, 900), True),
    ],
)
def test_what_few_phrases_are(phrases: list[Phrase], *, few: bool) -> None:
    assert are_few(phrases) is few
    assert wanted(phrases) is few


@pytest.mark.parametrize(
    ("phrases", "several"),
    [
        ([], False),
        (of_label(ELSEWHERE, 10), False),
        (of_label("a", 7), False),
        (of_label("a", 8), True),
        (of_label("a", 19), True),
        (of_label("a", 20), False),
        (of_label("a", 8) + of_label("b", 7), False),
        (of_label("a", 9) + of_label("b", 7), True),
        # Three in each language at least.
        (of_label("a", 4) + of_label("a", 4, "en"), True),
        (of_label("a", 2) + of_label("a", 6, "en") + of_label("a", 1, "ur-Latn"), True),
        (of_label("a", 6) + of_label("a", 1, "en") + of_label("a", 1, "ur-Latn"), False),
        (of_label("a", 7) + of_label("a", 5, embedded=False), False),
        (of_label("a", 7) + of_label(ELSEWHERE, 20), False),
    ],
)
def test_what_several_phrases_are(phrases: list[Phrase], *, several: bool) -> None:
    assert are_several(phrases) is several


def test_words_of_more_entries_than_fit_into_memory_are_not_wanted() -> None:
    most = MOST_TOKENS // 12
    phrases = [Phrase(f"entry {number}", "it", "it", str(number)) for number in range(most)]
    assert wanted(phrases)
    assert not wanted([*phrases, Phrase("one more", "it", "it", "a")])
    assert wanted([*phrases, *of_label(ELSEWHERE, 9)])


def index_of(phrases: list[Phrase], *, words: bool = True) -> tuple[Index, np.ndarray, list[Directions]]:
    random = np.random.default_rng(3)
    vectors = unit(random.normal(size=(len(phrases), 8)).astype(np.float32))
    rows = [random.integers(-127, 128, (3, 8), dtype=np.int8) for _ in phrases]
    return Index(phrases, vectors, Vocabularies(), words=rows if words else None), vectors, rows


def test_an_index_of_signals_alone_compares_no_words() -> None:
    phrases = of_label(SIGNALS[0], 3) + of_label(ELSEWHERE, 3)
    index, vectors, rows = index_of(phrases)
    assert index.words is None
    assert not index.evidence("a", "it", vectors[0], rows[0]).table[:, Column.WORDS].any()


def test_words_without_those_of_the_phrases_and_phrases_with_words_without_those_of_a_message_change_nothing() -> None:
    phrases = of_label("a", 3) + of_label("b", 3) + of_label(ELSEWHERE, 3)
    with_words, vectors, rows = index_of(phrases)
    without, _, _ = index_of(phrases, words=False)
    tables = [
        with_words.evidence("a", "it", vectors[0]).table,
        without.evidence("a", "it", vectors[0], rows[0]).table,
        without.evidence("a", "it", vectors[0]).table,
    ]
    assert (tables[0] == tables[2]).all()
    assert (tables[1] == tables[2]).all()
    assert not with_words.evidence("a", "it", None, rows[0]).table[:, : len(BY_MEANING)].any()


@pytest.mark.parametrize("entries", [1, COMPARED - 1, COMPARED, COMPARED + 1, 200, FULL + 50])
def test_entries_that_are_not_compared_are_behind_those_that_are_and_what_is_no_entry_stands_as_before(
    entries: int,
) -> None:
    phrases = [phrase for number in range(entries) for phrase in of_label(f"entry {number:04}", 2)]
    phrases += of_label(ELSEWHERE, 2) + of_label(SIGNALS[0], 2)
    index, vectors, rows = index_of(phrases)
    evidence = index.evidence("something else", "it", vectors[0], rows[0])
    column = evidence.table[:, Column.WORDS]
    of_entries = np.array([label not in SIGNALS for label in index.labels])
    assert not column[~of_entries].any()
    assert column[of_entries].max() == 0
    assert (column > column.min()).sum() < COMPARED + len(column) - of_entries.sum() or entries <= COMPARED
    # The message is, word for word, the first phrase.
    assert column[index.labels.index("entry 0000")] == 0


# --- With the model ---------------------------------------------------------------------------------

SENTENCES = {
    "bridge": ("chi ha costruito il ponte?", "who built the bridge?", "¿quién construyó el puente?"),
    "bridge when": ("quando fu costruito il ponte?", "when was the bridge built?", "¿cuándo se construyó el puente?"),
    "tower": ("chi ha costruito la torre?", "who built the tower?", "¿quién construyó la torre?"),
    "water": ("quanta acqua beve un cavallo?", "how much water does a horse drink?", "¿cuánta agua bebe un caballo?"),
    "grass": ("quanta erba mangia un cavallo?", "how much grass does a horse eat?", "¿cuánta hierba come un caballo?"),
}


@pytest.mark.parametrize(("told", "asked"), [(0, 1), (1, 0), (0, 2)])
async def test_the_same_sentence_in_another_language_is_told_from_one_with_another_word(
    embedder: GraphEmbedder, told: int, asked: int
) -> None:
    names = list(SENTENCES)
    phrases = await embedder.embed_words([SENTENCES[name][told] for name in names])
    messages = await embedder.embed_words([SENTENCES[name][asked] for name in names])
    words = Words(np.arange(len(names)), phrases.words)
    found = [int(words.behind(of_text, np.arange(len(names))).argmax()) for of_text in messages.words]
    assert [names[place] for place in found] == names
