"""The check of entries: the starter entries pass it in every language, and each rule finds what breaks it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.languages import CODES
from bot.topics import LISTED_AT_MOST
from knowledge import exchange, files, record_files
from knowledge.checking import SCRIPTS, Finding, check, count_words, sentence_lengths
from knowledge.entry import ANSWER_MAX, KEPT, QUESTION_MAX, REVIEWED, Case, Entry, Source, Translation, stale
from knowledge.forbidden import FORBIDDEN
from sportello.cli import app
from tests.starter import starter

TODAY = date(2026, 11, 23)
ENTRIES = starter()
RECORDS, _ = record_files.read_records(files.STARTER)
TAX = next(entry for entry in ENTRIES if entry.slug == "tax-code")
CASED = next(entry for entry in ENTRIES if entry.slug == "health-registration")
Change = Callable[[Translation], Translation]


def found(*entries: Entry, today: date = TODAY) -> list[Finding]:
    return check(entries, RECORDS, today=today, codes=KEPT)


def changed(entry: Entry, code: str, change: Change) -> Entry:
    return replace(entry, translations={**entry.translations, code: change(entry.translations[code])})


def test_every_language_has_its_rules() -> None:
    assert set(SCRIPTS) < set(KEPT)
    assert set(FORBIDDEN) == set(KEPT)
    assert set(CODES) <= set(KEPT)


def added(text: str) -> Change:
    return lambda t: replace(t, answer=f"{t.answer}\n{text}")


def without_answer(text: str) -> Change:
    return lambda t: replace(t, answer=t.answer.replace(text, ""))


def case(facet: str, answer: str | None) -> Change:
    def change(translation: Translation) -> Translation:
        cases = dict(translation.cases)
        if answer is None:
            del cases[facet]
        else:
            cases[facet] = Case("x", answer)
        return replace(translation, cases=cases)

    return change


@pytest.mark.parametrize(
    ("entry", "code", "change", "field", "said"),
    [
        (TAX, "ur", lambda t: replace(t, question="ک" * (QUESTION_MAX + 1)), "question", "201 characters"),
        (TAX, "it", added("x" * ANSWER_MAX), "answer", "more than 1500"),
        (TAX, "en", added("word " * 120), "answer", "words, more than 120"),
        (TAX, "zh", added("字" * 192), "answer", "words, more than 120"),
        (TAX, "en", added("{phone:nobody}"), "answer", "{phone:nobody} is not among the records"),
        (TAX, "en", added("{phone:nobody}"), "answer", "{phone:nobody} stands 1 times more"),
        (TAX, "en", without_answer("{contact:agenzia-entrate}"), "answer", "stands 1 times less"),
        (TAX, "en", added("{amount}"), "answer", "brace"),
        (TAX, "en", added("- one more line"), "answer", "lines of a list"),
        (TAX, "ur", lambda t: replace(t, answer=TAX.translations["en"].answer), "answer", "is written in Latn"),
        (TAX, "en", added("Call 0574 1835420."), "answer", "typed phone number, '0574 1835420'"),
        (TAX, "en", added("Call 112 now."), "answer", "typed phone number, '112'"),
        (TAX, "en", added("Call 0574/1835420."), "answer", "typed phone number, '0574/1835420'"),
        (TAX, "ur", added("114 پر فون کریں۔"), "answer", "typed phone number, '114'"),
        (TAX, "en", added("It costs 16 euro."), "answer", "typed amount of money"),
        (TAX, "ar", added("يكلف 16 أورو."), "answer", "typed amount of money"),
        (TAX, "ro", added("Întrebați în 办事处."), "answer", "has '办', with letters of another language"),
        (TAX, "ar", added("هذا ٹھیک."), "answer", "with letters of another language"),
        (TAX, "uk", lambda t: replace(t, question="Как получить codice fiscale? Это"), "question", "with letters"),
        (TAX, "it", added("Costa € 16."), "answer", "typed amount of money"),
        (TAX, "zh", added("费用 16 欧元。"), "answer", "typed amount of money"),
        (TAX, "en", added("For 2026: {amount:permit-card}"), "answer", "typed year beside an amount"),
        (TAX, "zh", added("{window:school-enrolment}（2026/27）"), "answer", "typed year beside an amount"),
        (TAX, "en", added("See http://example.org"), "answer", "https://"),
        (TAX, "en", added("See www.example.org"), "answer", "https://"),
        (TAX, "ur", lambda t: replace(t, phrases=t.phrases[:8]), "phrases", "fewer than 9"),
        (TAX, "ur", lambda t: replace(t, phrases=t.phrases[:5] * 2), "phrases", "Latin letters"),
        (
            TAX,
            "ur",
            lambda t: replace(t, phrases=(*TAX.translations["it"].phrases,)),
            "phrases",
            "script of the language",
        ),
        (TAX, "it", lambda t: replace(t, phrases=(*t.phrases, "税号")), "phrases[", "is written in Hani"),
        (TAX, "ur", lambda t: replace(t, state=REVIEWED), "state", "do not say by whom and when"),
        (TAX, "ur", lambda t: replace(t, made_from=None), "made_from", "older than the Italian"),
        (TAX, "it", lambda t: replace(t, version=2), "made_from", "older than the Italian"),
        (CASED, "ur", case("eu", None), "cases.eu", "is missing"),
        (CASED, "ur", case("student", "یہ ٹھیک ہے۔"), "cases.student", "no case of this entry"),
        (CASED, "ur", case("eu", "یہ ٹھیک ہے۔"), "cases.eu.answer", "stands 1 times less"),
        (TAX, "it", added("Così avrai il permesso."), "answer", "must not say 'avrai il permesso'"),
        (TAX, "pa", lambda t: replace(t, question="ਕੋਈ ਖ਼ਤਰਾ ਨਹੀਂ।"), "question", "must not say"),
    ],
)
def test_each_rule_finds_what_breaks_it(entry: Entry, code: str, change: Change, field: str, said: str) -> None:
    told = found(changed(entry, code, change))
    assert [finding for finding in told if finding.field.startswith(field) and said in finding.message], told
    assert all(finding.slug in {entry.slug, ""} for finding in told)


def test_a_translation_of_an_older_italian_is_stale() -> None:
    entry = TAX
    italian, urdu = entry.translations["it"], entry.translations["ur"]
    assert not stale(urdu, italian)
    assert stale(urdu, replace(italian, version=2))
    assert stale(replace(urdu, made_from=None), italian)
    assert not stale(italian, replace(italian, version=2))
    assert not stale(urdu, None)


def test_years_durations_and_articles_are_no_phone_numbers() -> None:
    text = "Dal 2026/27, entro 8 giorni, 150 giorni, 41/2023, D.Lgs. 286/1998, art. 34, anno 2025."
    assert found(changed(TAX, "it", added(text))) == []


def test_reviews_become_due_and_links_of_sources_are_safe() -> None:
    assert found(TAX, today=TAX.review_by) == []
    (finding,) = found(TAX, today=TAX.review_by + timedelta(days=1))
    assert (finding.field, finding.language) == ("review_by", "")
    unsafe = replace(TAX, sources=(Source("x", "http://example.org", TODAY),))
    assert [finding.field for finding in found(unsafe)] == ["sources[1].url"]


def test_a_missing_language_and_a_shared_phrase_are_found() -> None:
    fewer = {code: each for code, each in TAX.translations.items() if code != "ur"}
    (finding,) = found(replace(TAX, translations=fewer))
    assert str(finding) == "tax-code/ur: file: is missing"
    theirs = CASED.translations["bn"].phrases[0]
    shared = changed(TAX, "en", lambda t: replace(t, phrases=(*t.phrases, theirs.upper())))
    told = found(CASED, shared)
    assert "stands in health-registration/bn too" in told[-1].message
    asked = changed(TAX, "en", lambda t: replace(t, question=CASED.translations["en"].question.upper()))
    assert "question" in {finding.field for finding in found(CASED, asked) if "stands in" in finding.message}


def test_entries_of_a_long_group_need_a_section_that_is_no_long_list() -> None:
    assert [str(finding) for finding in found(replace(TAX, section=""))] == [
        "tax-code: section: is missing: one of permits, staying, papers, health, school, home, money, help, city"
    ]
    many = [replace(TAX, slug=f"tax-code-{number}") for number in range(LISTED_AT_MOST + 1)]
    assert "services/papers: section: has 13 entries, more than 12" in map(str, found(*many))
    whole = [replace(entry, group="training", section="") for entry in many]
    assert "training: section: has 13 entries, more than 12" in map(str, found(*whole))
    assert "section" not in {finding.field for finding in found(*many[1:])}


# By language, a line of another one.
LEFT = {
    "ro": "Chiedi all'ufficio quali documenti devi portare.",
    "es": "Demandez au guichet quels papiers vous devez apporter.",
    "it": "Ask the office which documents you have to bring.",
    "fr": "请先问办事处要带什么证件。",
    "ur": "اسألوا المكتب عن الأوراق التي تحتاجون إليها",
    "bn": "Ask the office which documents you have to bring.",
    "ar": "دفتر سے پوچھیں کہ آپ کو کون سے کاغذات لانے ہیں",
    "uk": "Pyesni zyrën çfarë dokumentesh duhet të sillni.",
}


def test_a_line_that_was_left_in_another_language_is_found() -> None:
    """The words of a language are known from the other entries, so one entry alone tells of letters only."""
    left = {code: added(line)(TAX.translations[code]) for code, line in LEFT.items()}
    # A whole answer in the wrong file.
    left["sq"] = replace(TAX.translations["sq"], answer=TAX.translations["en"].answer)
    entry = replace(TAX, translations={**TAX.translations, **left})
    told = found(*(each for each in ENTRIES if each is not TAX), entry)
    lines = [each for each in told if "a line in another language" in each.message]
    assert {each.language for each in lines} == {*LEFT, "sq"}
    assert {(each.slug, each.field) for each in lines} == {(TAX.slug, "answer")}


def test_long_sentences_are_found_by_language() -> None:
    long = changed(TAX, "en", lambda t: replace(t, answer="one two three four five six seven eight nine " * 2))
    assert "en: answers: have 18.0 words a sentence, more than 16" in map(str, found(long))


def test_words_and_sentences_are_counted_in_every_script() -> None:
    assert count_words("Porta: l'ISEE, 2 foto – e la marca.") == 7
    assert count_words("আপনি কোথায় যাবেন?") == 3
    assert count_words("您的居留 permesso") == 3
    assert sentence_lengths("Vai qui. Porta:\n- un documento molto lungo\nیہاں جائیں۔ شکریہ۔ 您好。再见") == [
        2,
        1,
        2,
        1,
        1,
        1,
    ]


def test_the_command_tells_findings_and_fails(tmp_path: Path) -> None:
    # That it finds nothing in the starter entries is what `make check` asks of it.
    exchange.export([TAX], tmp_path)
    late = CliRunner().invoke(app, ["knowledge", "check", str(tmp_path), "--today", "2030-01-01"])
    assert late.exit_code == 1
    assert "tax-code: review_by: " in late.output
