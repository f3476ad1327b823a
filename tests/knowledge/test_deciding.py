"""How the questions of a message are told apart and put together, and what says too little to count."""

from dataclasses import replace

import numpy as np
import pytest

from bot.events import Match, Question, Verdict
from bot.signals import Danger, Talk
from knowledge.calibration import Judgement
from knowledge.deciding import Decision, further_parts, is_doubtful, parts_of, together
from knowledge.understanding import says_little


def _decided(verdict: Verdict, *slugs: str, danger: Danger | None = None) -> Decision:
    return Decision(verdict, tuple(Match(slug, 0.5) for slug in slugs), danger=danger, gentle=danger is not None)


def test_a_question_beside_an_answered_one_is_offered_or_told_to_have_no_answer() -> None:
    answer, offer, nothing = _decided(Verdict.ANSWER, "isee"), _decided(Verdict.OFFER, "bus"), _decided(Verdict.ABSTAIN)
    asked = ("a b c?", "d e f?")
    assert together(asked, (answer, offer), answer) == (answer, (Question(Verdict.OFFER, offer.matches),))
    assert together(asked, (nothing, answer), answer) == (answer, (Question(Verdict.ABSTAIN),))
    # What does not end as a question does is told beside one, and small talk asks nothing.
    assert together(("a b c?", "d e f."), (answer, offer), answer) is None
    assert together(asked, (answer, replace(nothing, talk=Talk.THANKS)), answer) is None
    # It is the same question, or the message as a whole asks something else.
    assert together(asked, (answer, _decided(Verdict.OFFER, "bus", "isee")), answer) is None
    assert together(asked, (answer, offer), _decided(Verdict.ANSWER, "spid")) is None


def test_what_is_asked_comes_before_what_is_told() -> None:
    told, asked = _decided(Verdict.ANSWER, "driving-licence-exam"), _decided(Verdict.ANSWER, "isee")
    found = together(("a b c.", "d e f?"), (told, asked), told)
    assert found is not None
    assert (found[0].matches, found[1]) == (asked.matches, (Question(Verdict.ANSWER, told.matches),))


def test_the_gentle_card_stands_above_all_whichever_question_is_about_danger() -> None:
    calm = _decided(Verdict.ANSWER, "isee")
    informing = _decided(Verdict.ANSWER, "domestic-violence-help", danger=Danger.VIOLENCE)
    found = together(("a b c?", "d e f?"), (calm, informing), calm)
    assert found is not None
    assert (found[0].matches, found[0].danger, found[0].gentle) == (calm.matches, Danger.VIOLENCE, True)


def test_a_message_is_cut_where_questions_end() -> None:
    assert parts_of("come faccio il rinnovo? quanto costa la carta?") == (
        "come faccio il rinnovo?",
        "quanto costa la carta?",
    )
    assert parts_of("怎么办居留？多少钱要付？") == ("怎么办居留？", "多少钱要付？")
    assert parts_of("怎么办 ISEE？多少钱要付？") == ("怎么办 ISEE？", "多少钱要付？")
    assert parts_of("كيف أجدد تصريح الإقامة؛ كيف أسجل ابني") == ("كيف أجدد تصريح الإقامة", "كيف أسجل ابني")
    assert parts_of("ciao. come faccio il rinnovo?") == ()


def test_behind_three_sentences_only_questions_count_unless_each_of_them_is_one() -> None:
    answer, nothing = _decided(Verdict.ANSWER, "isee"), _decided(Verdict.ABSTAIN)
    story = "Sono qui da anni. Ho due figli piccoli. Lavoro in una ditta. La ditta ha chiuso. Che cosa posso fare?"
    parts = parts_of(story)
    assert parts == ("Sono qui da anni.", "Ho due figli piccoli.", "Lavoro in una ditta.")
    assert further_parts(story, parts, (nothing, answer, nothing)) == ("Che cosa posso fare?",)
    offer = _decided(Verdict.OFFER, "bus")
    assert further_parts(story, parts, (answer, offer, answer)) == ("La ditta ha chiuso.", "Che cosa posso fare?")
    listed = "\n".join(f"{number}. cosa serve per {number}" for number in range(1, 10))
    assert len(further_parts(listed, parts_of(listed), (nothing,) * 3)) == 6


def test_danger_in_few_words_among_others_needs_a_surer_spelling() -> None:
    def spelt(danger: float) -> Judgement:
        return Judgement((), np.zeros(0), np.zeros(0, dtype=np.intp), 0.0, danger)

    for brief in ("Ho due figli.", "我有两个孩子。"):
        assert is_doubtful(brief, spelt(0.8))
        assert not is_doubtful(brief, spelt(0.9))
    for longer in ("Mio marito ogni sera mi picchia.", "我老公昨天晚上又打我了。"):
        assert is_doubtful(longer, spelt(0.5))
        assert not is_doubtful(longer, spelt(0.8))


@pytest.mark.parametrize(
    ("text", "decision", "little"),
    [
        ("Singh Gurpreet", Decision(Verdict.ABSTAIN, ()), True),
        ("va bene grazie", Decision(Verdict.ABSTAIN, (), talk=Talk.THANKS), True),
        ("buongiorno a tutti", Decision(Verdict.ABSTAIN, (), talk=Talk.GREETING), False),
        ("mi picchia sempre", Decision(Verdict.ABSTAIN, (), danger=Danger.VIOLENCE), False),
        ("domanda casa popolare", Decision(Verdict.OFFER, (Match("public-housing", 0.5),)), False),
        ("non so che cosa fare", Decision(Verdict.ABSTAIN, ()), False),
    ],
)
def test_a_name_and_small_words_say_little(text: str, decision: Decision, little: bool) -> None:  # noqa: FBT001 - a table
    assert says_little(text, decision) is little
