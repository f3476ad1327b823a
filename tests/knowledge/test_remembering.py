"""A reader made again of the same phrases takes what was made of their letters, and holds no older one."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from knowledge.embedding import DIMENSIONS
from knowledge.entry import Entry, Source, Translation
from knowledge.labels import all_phrases
from knowledge.reader import Reader
from knowledge.remembering import Last
from knowledge.scoring import Column
from knowledge.search import Vocabularies
from knowledge.spelling import Vocabulary
from tests.counted import counted, only_signals_in


class Thing:
    """Something that can be seen to be gone."""


def entry(slug: str, question: str, answer: str) -> Entry:
    translation = Translation(slug, "it", 1, question, answer, (), "reviewed")
    source = Source("Comune", None, date(2026, 11, 23))
    return Entry(slug, "services", 0, "verified", date(2027, 1, 1), (source,), {"it": translation})


QUESTION, ANSWER = "come chiedo il codice fiscale", "Si va in ufficio."
ENTRIES = (
    entry("tax-code", QUESTION, ANSWER),
    entry("family-doctor", "come scelgo il medico di famiglia", "Si va dall'azienda sanitaria."),
    entry("bus", "quali sono gli orari degli autobus", "Sono alla fermata."),
    entry("waste", "quando passa la raccolta dei rifiuti", "Passa di mattina."),
    entry("nursery", "come iscrivo mio figlio al nido", "Si manda la domanda."),
    entry("driving-licence", "come converto la patente", "Si chiede alla motorizzazione."),
    entry("italian-course", "dove imparo l'italiano", "Si impara a scuola."),
    entry("library", "come prendo un libro in prestito", "Si mostra la tessera."),
)


@pytest.fixture(autouse=True, scope="module")
def few_signals() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        only_signals_in(monkeypatch, "it")
        yield


def asked_twice(one: Entry) -> Entry:
    """Give an entry of which one phrase is left while the other is hidden: without, nothing can be fitted."""
    translation = one.translations["it"]
    return replace(one, translations={"it": replace(translation, phrases=(f"{translation.question} a Prato",))})


def reader_of(entries: tuple[Entry, ...], vocabularies: Vocabularies, *, by_meaning: bool = False) -> Reader:
    phrases = all_phrases(entries)
    vectors = None
    if by_meaning:
        vectors = np.random.default_rng(7).normal(size=(len(phrases), DIMENSIONS)).astype(np.float32)
    return Reader.of(entries, phrases, vectors, vocabularies, None, calibrated=False)


def spelled(reader: Reader) -> tuple[object, object]:
    assert reader.index is not None
    return reader.index.letters, reader.index.consonants


def edited(question: str, answer: str) -> tuple[Entry, ...]:
    return (entry("tax-code", question, answer), *ENTRIES[1:])


@pytest.mark.parametrize("other", [("b", "a"), ("ab",), ("a", "b", ""), ("", "a", "b"), ("a1 b",), ("a",), ()])
def test_only_the_same_texts_in_the_same_order_give_what_was_made(other: tuple[str, ...]) -> None:
    last: Last[Thing] = Last(2)
    made = last.of(("a", "b"), Thing)
    assert last.of(("a", "b"), Thing) is made
    assert last.of(other, Thing) is not made
    assert last.of(("a", "b"), Thing) is made


def test_the_one_not_asked_for_longest_goes_first() -> None:
    last: Last[Thing] = Last(2)
    first, second = last.of(("1",), Thing), last.of(("2",), Thing)
    assert last.of(("1",), Thing) is first
    last.of(("3",), Thing)
    assert last.of(("1",), Thing) is first
    assert last.of(("2",), Thing) is not second


def test_the_older_one_is_gone_before_the_new_one_is_made() -> None:
    last: Last[Thing] = Last()
    older = weakref.ref(last.of(("1",), Thing))
    assert older() is not None

    def make() -> Thing:
        gc.collect()
        assert older() is None
        return Thing()

    last.of(("2",), make)
    assert older() is None


def test_the_vectors_come_to_what_was_made_of_letters() -> None:
    vocabularies = counted()
    without = reader_of(ENTRIES, vocabularies)
    with_vectors = reader_of(ENTRIES, vocabularies, by_meaning=True)
    assert with_vectors.by_meaning
    assert spelled(with_vectors) == spelled(without)
    assert with_vectors.languages is without.languages


def test_an_edited_answer_leaves_the_spelling_and_an_edited_question_nothing() -> None:
    vocabularies = counted()
    before = reader_of(ENTRIES, vocabularies)
    answered = reader_of(edited(QUESTION, "Si va in ufficio con un documento."), vocabularies)
    assert spelled(answered) == spelled(before)
    assert answered.languages is not before.languages
    asked = reader_of(edited("dove chiedo il codice fiscale", ANSWER), vocabularies)
    assert not set(spelled(asked)) & set(spelled(before))
    assert asked.languages is not answered.languages


def test_the_same_texts_under_other_entries_are_spelled_anew() -> None:
    vocabularies = counted()
    before = reader_of(ENTRIES, vocabularies)
    renamed = reader_of((replace(ENTRIES[0], slug="codes"), *ENTRIES[1:]), vocabularies)
    assert not set(spelled(renamed)) & set(spelled(before))
    found, _ = renamed.by_spelling("dove trovo il codice fiscale", "it")
    assert renamed.label(int(found.table[:, Column.LETTERS].argmax())) == "codes"


def test_fitting_a_calibration_does_not_displace_what_the_reader_has() -> None:
    vocabularies = counted()
    entries = tuple(asked_twice(one) for one in ENTRIES)
    before = reader_of(entries, vocabularies)
    assert before.fitted().reliability["fitted"]
    after = reader_of(entries, vocabularies)
    assert spelled(after) == spelled(before)
    assert after.languages is before.languages


def test_nothing_older_than_the_last_reader_stays_in_memory() -> None:
    vocabularies = counted()
    reader = reader_of(ENTRIES, vocabularies)
    older = [weakref.ref(made) for made in (*spelled(reader), reader.languages)]
    assert all(one() is not None for one in older)
    del reader
    reader_of(edited("dove chiedo il codice fiscale", ANSWER), vocabularies)
    gc.collect()
    assert [one() for one in older] == [None, None, None]


def test_a_reader_in_use_understands_the_same_without_the_vectors_of_the_phrases() -> None:
    reader = reader_of(ENTRIES, counted(), by_meaning=True)
    assert reader.in_use() is reader, "they are needed until a calibration is fitted"
    reader = reader.with_calibration(reader.fitted())
    slim = reader.in_use()
    vector = np.random.default_rng(8).normal(size=DIMENSIONS).astype(np.float32)
    assert (slim.vectors, slim.by_meaning, slim.fits(vector), slim.fits(vector[1:])) == (None, True, True, False)
    with pytest.raises(ValueError, match="no vectors"):
        slim.fitted()
    for one in (reader, slim):
        spelled_only, _ = one.by_spelling(QUESTION, "it")
        found, _ = one.with_meaning(spelled_only, "it", vector)
        assert found.table.tobytes() == reader.with_meaning(spelled_only, "it", vector)[0].table.tobytes()


def test_a_vocabulary_gives_what_it_counted_however_often_it_is_asked() -> None:
    vocabulary = Vocabulary((1, 2))
    texts = ["aa ab", "", "aa"]
    grams, counts, lengths = vocabulary.learn(texts)
    # Of " aa " and " ab ": the edges, both letters, and the pairs; of no text nothing.
    assert lengths.tolist() == [8, 0, 5]
    assert counts.tolist()[:2] == [4.0, 3.0]
    again = vocabulary.learn(texts)
    assert [part.tolist() for part in again] == [grams.tolist(), counts.tolist(), lengths.tolist()]
