"""What to do with what the evidence says: answer, offer, abstain, or something before any topic. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.events import Match, Question, Verdict
from bot.signals import Danger, Talk
from knowledge.calibration import Judgement
from knowledge.labels import DANGERS, TALKS
from knowledge.reader import Reader
from knowledge.weighing import shares

OFFERED: Final = 3
# Entries that inform about a danger: asked calmly, they are answered, below the gentle form of the card.
INFORMING: Final[dict[str, Danger]] = {
    "domestic-violence-help": Danger.VIOLENCE,
    "trafficking-help": Danger.TRAFFICKING,
    "labour-exploitation": Danger.TRAFFICKING,
}
# Small talk needs this share of everything that the message could be.
_TALK_SHARE: Final = 0.5
# Where a message ends one question and begins another, and the least that is one.
_BREAK: Final = re.compile(
    r"(?<=[?？؟!！。۔।॥])\s*|(?<=\.)\s+|\n+|\s*[;；؛]\s*|(?:^|\s)\d{1,2}[.)]\s+|(?:^|\s)[-•*]\s+", re.MULTILINE
)
_ASKING: Final = ("?", "؟")
_STATING: Final = (".", "!", "。", "۔", "।", "॥")
_LEAST_WORDS: Final = 3
_LEAST_LETTERS: Final = 4
# So many sentences of a message are looked at in any case, and so many questions in all.
FIRST_PARTS: Final = 3
PARTS_AT_MOST: Final = 8
# Where a clause may end; and how long stretches of it are, in words, or in letters of what sets no spaces.
_CLAUSE: Final = re.compile(r"[?？؟!！。۔।॥,，、،;；؛:\n]+|\.(?=\s|$)")
_STRETCH_WORDS: Final = 8
_STRETCH_LETTERS: Final = 12
# What in a message has no more words, or no more characters of what sets no spaces, is easily like a phrase of danger.
_BRIEF_WORDS: Final = 4
_BRIEF_LETTERS: Final = 6
# Danger in it has to be spelt so surely, whatever the model says; and in a longer sentence.
_SPELT_BRIEFLY: Final = 0.85
_SPELT: Final = 0.57
# A shorter message is judged well as a whole.
_LONG_WORDS: Final = 25
_LONG_LETTERS: Final = 40
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
# More are not looked at, but for those at both ends: a tenth of a second, and nearly all of what anybody writes.
_STRETCHES: Final = 40


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probabilities on the bot answers, offers, and raises the alarm; see docs/measurements.md.

    `spelled` is how much more it takes where the model is away; `skip` from where on spelling alone is enough,
    so that the model need not be asked.
    """

    answer: float = 0.65
    offer: float = 0.12
    danger: float = 0.75
    spelled: float = 0.1
    skip: float = 0.8


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one text, apart from its language."""

    verdict: Verdict
    matches: tuple[Match, ...]
    talk: Talk | None = None
    danger: Danger | None = None
    gentle: bool = False


NOTHING: Final = Decision(Verdict.ABSTAIN, ())


def decide(
    reader: Reader, judgement: Judgement, thresholds: Thresholds, *, by_meaning: bool, elsewhere: bool = False
) -> Decision:
    """Decide what a judgement leads to. Rather silent than wrong; in danger rather wrong than silent.

    `elsewhere`: the text names a city elsewhere, so that an entry about Prato is offered and not given as the answer.
    """
    more = 0.0 if by_meaning else thresholds.spelled
    matches = _matches(reader, judgement)
    verdict = Verdict.ABSTAIN
    # What helps in danger is told wherever it is asked about.
    here = not elsewhere or (bool(matches) and matches[0].slug in reader.abroad | INFORMING.keys())
    if matches and here and judgement.correct >= thresholds.answer + more:
        verdict = Verdict.ANSWER
    elif matches and judgement.correct >= thresholds.offer:
        verdict = Verdict.OFFER
    best = reader.label(judgement.leading)
    informing = INFORMING.get(matches[0].slug) if matches and verdict is Verdict.ANSWER else None
    if judgement.danger >= thresholds.danger:
        return Decision(verdict, matches, danger=_kind_of_danger(reader, judgement))
    if informing is not None:
        return Decision(verdict, matches, danger=informing, gentle=True)
    if best in TALKS and verdict is not Verdict.ANSWER:
        share = float(shares(judgement.scores).max())
        if share >= _TALK_SHARE:
            return Decision(Verdict.ABSTAIN, (), talk=Talk(best))
    return Decision(verdict, matches if verdict is not Verdict.ABSTAIN else ())


def of_label(label: str) -> Decision:
    """Decide for a text that is, word for word, a phrase of a label."""
    if label in DANGERS:
        return Decision(Verdict.ABSTAIN, (), danger=Danger(label))
    if label in TALKS:
        return Decision(Verdict.ABSTAIN, (), talk=Talk(label))
    informing = INFORMING.get(label)
    return Decision(Verdict.ANSWER, (Match(label, 1.0),), danger=informing, gentle=informing is not None)


def _matches(reader: Reader, judgement: Judgement) -> tuple[Match, ...]:
    """Give the best entries with their probabilities: what the first one lacks is shared out by the scores."""
    ranked = judgement.ranked[:OFFERED]
    if not ranked:
        return ()
    portions = shares(judgement.scores_at(judgement.ranked))
    left = max(1.0 - float(portions[0]), 1e-9)
    others = [
        Match(reader.label(place), float(portion) / left * (1 - judgement.correct))
        for place, portion in zip(ranked[1:], portions[1:], strict=False)
    ]
    return (Match(reader.label(ranked[0]), judgement.correct), *others)


def _kind_of_danger(reader: Reader, judgement: Judgement) -> Danger:
    scores = judgement.scores.copy()
    scores[~reader.masks.dangers[judgement.places]] = scores.min() - 1
    return Danger(reader.label(int(judgement.places[scores.argmax()])))


def sentences(text: str) -> list[str]:
    """Give the sentences of a text that are long enough to ask something."""
    return [piece for piece in _pieces(text) if _is_sentence(piece)]


def parts_of(text: str) -> tuple[str, ...]:
    """Give the first sentences of a message, where it may hold several questions; otherwise nothing."""
    return tuple(sentences(text)[:FIRST_PARTS]) if len(_questions(text)) > 1 else ()


def further_parts(text: str, parts: Sequence[str], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """Give what else may be asked in a message than in its first sentences.

    What ends as a statement does is part of a story, unless each sentence so far may be a question of its own.
    """
    found = _questions(text)
    listing = all(
        part.endswith(_ASKING) or one.verdict is not Verdict.ABSTAIN for part, one in zip(parts, decisions, strict=True)
    )
    return tuple(
        piece
        for piece in (found if len(found) > 1 else ())
        if piece not in parts and (listing or not piece.endswith(_STATING))
    )


def counts(part: str, decision: Decision) -> bool:
    """Tell whether a part of a message counts: one or two words only where an entry may answer them."""
    return _is_sentence(part) or (
        decision.verdict is not Verdict.ABSTAIN and (decision.danger is None or decision.gentle)
    )


def _questions(text: str) -> list[str]:
    """Give, each once, the sentences of a text, and the few words in a list, in a line or before a question mark."""
    found = [
        piece
        for piece in _pieces(text)
        if _is_sentence(piece)
        or (not piece.endswith(_STATING) and sum(character.isalpha() for character in piece) >= _LEAST_LETTERS)
    ]
    return list(dict.fromkeys(found))


def _pieces(text: str) -> list[str]:
    return [part.strip() for part in _BREAK.split(text)]


def _is_sentence(part: str) -> bool:
    return len(part.split()) >= _LEAST_WORDS or (
        sum(c.isalpha() for c in part) >= _LEAST_LETTERS
        # Chinese sets no spaces, except around what it borrows.
        and ((not part.isascii() and " " not in part) or len(_CHINESE.findall(part)) > 1)
    )


def is_doubtful(part: str, spelt: Judgement) -> bool:
    """Tell whether the spelling of a sentence among others leaves it in doubt that there is danger in it."""
    brief = len(part.split()) <= _BRIEF_WORDS and len(_CHINESE.findall(part)) <= _BRIEF_LETTERS
    return spelt.danger < (_SPELT_BRIEFLY if brief else _SPELT)


def stretches_of(text: str) -> tuple[str, ...]:
    """Give a message of several clauses in stretches as long as people put one thing in; nothing where it is short.

    Danger is told in few words, and a long message around them is about something else. Many set no full stops, so
    that where a clause ends is not known: stretches overlap.
    """
    if len(text.split()) < _LONG_WORDS and len(_CHINESE.findall(text)) < _LONG_LETTERS:
        return ()
    found: list[str] = []
    for clause in _CLAUSE.split(text):
        units = clause.split() if " " in clause.strip() else list(clause.strip())
        space, length = (" ", _STRETCH_WORDS) if " " in clause.strip() else ("", _STRETCH_LETTERS)
        for start in range(0, max(len(units) - length // 2, 1), length // 2):
            stretch = space.join(units[start : start + length])
            if sum(character.isalpha() for character in stretch) >= _LEAST_LETTERS:
                found.append(stretch)
    different = list(dict.fromkeys(found))
    half = _STRETCHES // 2
    return tuple(different[:half] + different[half:][-half:])


def together(
    parts: Sequence[str], decisions: Sequence[Decision], whole: Decision
) -> tuple[Decision, tuple[Question, ...]] | None:
    """Put the questions of a message together; None where they are not several questions after all.

    Several have an answer, or one has, and another ends as a question does: where that has none, this is told.
    """
    answered = {one.matches[0].slug for one in decisions if one.verdict is Verdict.ANSWER and one.matches}
    asked = [
        one
        for part, one in zip(parts, decisions, strict=True)
        if one.verdict is not Verdict.ANSWER
        and part.endswith(_ASKING)
        and one.talk is None
        and answered.isdisjoint(match.slug for match in one.matches)
    ]
    if not (len(answered) > 1 or (len(answered) == 1 and asked and _agrees(whole, answered))):
        return None
    seen: set[str] = set()
    questions: list[Decision] = []
    told: list[Decision] = []
    for part, one in zip(parts, decisions, strict=True):
        slug = one.matches[0].slug if one.matches else ""
        if slug not in seen and (one in asked or one.verdict is Verdict.ANSWER or (slug and len(answered) > 1)):
            (questions if part.endswith(_ASKING) else told).append(one)
            seen |= {slug} - {""}
    # What is asked before what is only told, and an answer first: what has none is told behind it.
    questions = sorted((*questions, *told), key=lambda one: one.verdict is Verdict.ABSTAIN)
    first, *others = questions
    # Whichever of them asks about a danger, the gentle form of its card stands above all.
    gentle = next((one for one in questions if one.gentle), first)
    first = replace(first, danger=gentle.danger, gentle=gentle.gentle)
    return first, tuple(Question(other.verdict, other.matches) for other in others)


def _agrees(whole: Decision, answered: set[str]) -> bool:
    """Tell whether a message as a whole has no other answer than one of its sentences."""
    return whole.verdict is not Verdict.ANSWER or whole.matches[0].slug in answered
