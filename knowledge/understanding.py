"""Understanding a message: its language, danger, small talk, the entries that may answer, and whether to answer.

Evidence in the order of its cost: the very words of a phrase, then spelling, and the model only where these do
not decide.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import structlog

from bot.commands import normalised
from bot.events import Question, Understanding, Verdict
from bot.signals import Talk
from knowledge import deciding, reader
from knowledge.calibration import Judgement
from knowledge.cleaning import LONGEST, clean, says_nothing, without_identifiers, without_stretching
from knowledge.deciding import NOTHING, Decision, Thresholds
from knowledge.directions import Directions, Row
from knowledge.embedding import Embedder, EmbedderUnavailableError
from knowledge.language import Identified
from knowledge.places import names_city_elsewhere
from knowledge.reader import Reader
from knowledge.scripts import LATIN
from knowledge.search import Evidence

log = structlog.get_logger(__name__)

# A name, or a few words of thanks, has no more words and letters.
_SMALL_WORDS: Final = 3
_SMALL_LETTERS: Final = 30
# What was understood last, in memory only: residents' words, never logged, never stored.
REMEMBERED: Final = 2048
# Below this a message surely tells of no danger, whatever the model would say.
_NO_DANGER: Final = 0.2
# Of a long message so many sentences and stretches are looked at with the model, of so many by their spelling; and so
# much of it is looked at, from both ends.
_SUSPICIOUS: Final = 2
_SCREENED: Final = 40
_LONGEST_SCREENED: Final = 60
_SURELY_DANGER: Final = 0.95
_DOUBTFUL_DANGER: Final = 0.9
_TOLD: Final = 2000


class Means(StrEnum):
    """What decided."""

    WORDS = "exact words"
    SPELLING = "spelling"
    # The model is away, or has not read the entries yet.
    SPELLING_ALONE = "spelling without the model"
    MEANING = "meaning"
    NOTHING = "nothing to go by"


@dataclass(frozen=True, slots=True)
class Explanation:
    """An understanding with what led to it, for `sportello ask` and for measuring."""

    understanding: Understanding
    cleaned: str
    identified: Identified
    decision: Decision
    means: Means
    evidence: Evidence | None = None
    judgement: Judgement | None = None


class Understander:
    """Understands messages with the reader of the moment."""

    def __init__(
        self,
        embedder: Embedder,
        thresholds: Thresholds | None = None,
        *,
        counted: Callable[[str], None] = lambda _means: None,
    ) -> None:
        """Begin knowing nothing; `adopt` brings a reader. `counted` hears what decided each message."""
        self.embedder = embedder
        self.thresholds = thresholds or Thresholds()
        self.reader = reader.empty()
        self._counted = counted
        self._remembered: OrderedDict[tuple[str, str, str | None, bool], Explanation] = OrderedDict()

    def adopt(self, new: Reader) -> None:
        """Use a new reader from the next message on."""
        self.reader = new
        self._remembered.clear()

    async def understand(self, text: str, *, language: str, hint: str | None, chosen: bool) -> Understanding:
        """Understand a text of a conversation in `language`, "" where nothing is known of it.

        `hint` is the language of the resident's app; `chosen`: the resident picked `language`.
        """
        explained = await self.explain(text, language=language, hint=hint, chosen=chosen)
        return explained.understanding

    async def explain(self, text: str, *, language: str, hint: str | None = None, chosen: bool = False) -> Explanation:
        """Understand a text and say why."""
        whole = _told(text)
        asked = " ".join(whole[:LONGEST].split())
        key = (whole, language, hint, chosen)
        remembered = self._remembered.get(key)
        if remembered is not None:
            self._remembered.move_to_end(key)
            return remembered
        current = self.reader
        identified = current.languages.identify(asked, language=language, hint=hint)
        decision, means, evidence, judgement = await self._decide(current, asked, identified)
        others: tuple[Question, ...] = ()
        more = False
        if decision.danger is None or decision.gentle:
            decision, others, more = await self._in_parts(current, whole, identified, decision)
        settled = chosen or (language != "" and identified.script == LATIN and says_little(asked, decision))
        understanding = Understanding(
            language=language if settled else identified.language or language,
            certain=identified.certain and not settled,
            verdict=decision.verdict,
            matches=decision.matches,
            others=others,
            more=more,
            talk=decision.talk,
            danger=decision.danger,
            gentle=decision.gentle,
            rival=None if settled else identified.rival,
        )
        self._counted(means.value)
        explained = Explanation(understanding, asked, identified, decision, means, evidence, judgement)
        if means is not Means.SPELLING_ALONE:
            self._remember(key, explained)
        return explained

    def _remember(self, key: tuple[str, str, str | None, bool], explained: Explanation) -> None:
        self._remembered[key] = explained
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    async def _decide(
        self, current: Reader, asked: str, identified: Identified, thresholds: Thresholds | None = None
    ) -> tuple[Decision, Means, Evidence | None, Judgement | None]:
        thresholds = thresholds or self.thresholds
        exact = current.exact.get(normalised(asked))
        if exact is not None:
            return deciding.of_label(exact), Means.WORDS, None, None
        if current.index is None or says_nothing(asked):
            return NOTHING, Means.NOTHING, None, None
        kind, elsewhere = identified.kind, names_city_elsewhere(asked)
        evidence, judgement = await asyncio.to_thread(current.by_spelling, asked, kind)
        if self._enough(current, judgement):
            decision = deciding.decide(current, judgement, thresholds, by_meaning=True, elsewhere=elsewhere)
            return decision, Means.SPELLING, evidence.leading(kind), judgement
        meant = await self._meant(current, asked)
        if meant is not None:
            evidence, judgement = await asyncio.to_thread(current.with_meaning, evidence, kind, *meant)
            decision = deciding.decide(current, judgement, thresholds, by_meaning=True, elsewhere=elsewhere)
            return decision, Means.MEANING, evidence, judgement
        decision = deciding.decide(current, judgement, thresholds, by_meaning=False, elsewhere=elsewhere)
        means = Means.SPELLING_ALONE if self.embedder.has_model else Means.SPELLING
        return decision, means, evidence.leading(kind), judgement

    async def _meant(self, current: Reader, asked: str) -> tuple[Row, Directions | None] | None:
        """Give the vector of a text, with its words where they count; None: the model is away, or has not read yet."""
        if not current.by_meaning:
            return None
        try:
            if current.by_words:
                embedded = await self.embedder.embed_words([asked])
                vector, words = embedded.vectors[0], embedded.words[0]
            else:
                vector, words = (await self.embedder.embed([asked]))[0], None
        except EmbedderUnavailableError:
            return None
        if not current.fits(vector):
            log.error("embedder_changed", model=self.embedder.model)
            return None
        return vector, words

    def _enough(self, current: Reader, judgement: Judgement) -> bool:
        """Tell whether spelling decides by itself: an entry it is sure of, and no danger in sight."""
        surely = judgement.correct >= self.thresholds.skip and judgement.danger < _NO_DANGER
        return current.calibrated and surely

    async def _in_parts(
        self, current: Reader, whole: str, identified: Identified, decision: Decision
    ) -> tuple[Decision, tuple[Question, ...], bool]:
        """Look again at a message of several sentences: danger in any of them counts, and so does each question.

        Gives, with what to do, the further questions, and whether there may be more of them than were looked at.
        """
        parts, decided, more = await self._parts(current, whole, identified)
        surely = self._raised(_SURELY_DANGER)
        behind = deciding.sentences(whole)[deciding.FIRST_PARTS :]
        further = await self._suspicious(current, [one for one in behind if one not in parts], identified)
        stretches = await self._suspicious(current, deciding.stretches_of(whole), identified)
        for one in (
            *decided,
            *[await self._among(current, one, identified) for one in further],
            *[(await self._decide(current, one, identified, surely))[0] for one in stretches],
        ):
            if one.danger is not None and not one.gentle:
                # The card comes first, and what the whole message asks below it.
                return replace(decision, danger=one.danger, gentle=False, talk=None), (), False
        together = deciding.together(parts, decided, decision)
        if together is None:
            return decision, (), False
        return *together, more

    def _raised(self, danger: float) -> Thresholds:
        """Give the thresholds for a few words out of their place, which are easily like danger."""
        return replace(self.thresholds, danger=max(self.thresholds.danger, danger))

    async def _among(self, current: Reader, part: str, identified: Identified) -> Decision:
        """Decide on a sentence among others: "I have two children" stands in many a calm story."""
        part = part[:LONGEST]
        decision = (await self._decide(current, part, identified))[0]
        if decision.danger is None or decision.gentle:
            return decision
        _, spelt = await asyncio.to_thread(current.by_spelling, part, identified.kind)
        if not deciding.is_doubtful(part, spelt):
            return decision
        return (await self._decide(current, part, identified, self._raised(_DOUBTFUL_DANGER)))[0]

    async def _parts(
        self, current: Reader, whole: str, identified: Identified
    ) -> tuple[list[str], list[Decision], bool]:
        """Decide on each part of a message that may ask something; gives whether there are more than were looked at."""
        decided: dict[str, Decision] = {}
        first = deciding.parts_of(whole)
        for part in first:
            decided[part] = await self._among(current, part, identified)
        more = deciding.further_parts(whole, tuple(decided), tuple(decided.values()))
        for part in more[: deciding.PARTS_AT_MOST - len(decided)]:
            decided[part] = await self._among(current, part, identified)
        in_order = [part for part in sorted(decided, key=whole.find) if deciding.counts(part, decided[part])]
        left = len(first) + len(more) > deciding.PARTS_AT_MOST
        return in_order, [decided[part] for part in in_order], left

    async def _suspicious(self, current: Reader, texts: Sequence[str], identified: Identified) -> list[str]:
        """Give those of many texts that look most like danger by their spelling."""
        texts = tuple(dict.fromkeys(text[:_LONGEST_SCREENED] for text in texts))[:_SCREENED]
        if current.index is None or not texts:
            return []
        kind = identified.kind
        alarms = await asyncio.to_thread(lambda: [current.by_spelling(text, kind)[1].danger for text in texts])
        first = sorted(zip(alarms, texts, strict=True), reverse=True)[:_SUSPICIOUS]
        return [text for alarm, text in first if alarm >= _NO_DANGER]


def says_little(asked: str, decision: Decision) -> bool:
    """Tell whether a text is a name or some other small word, as "va bene grazie" is: no language shows in it."""
    nothing = decision.verdict is Verdict.ABSTAIN and decision.danger is None and decision.talk in {None, Talk.THANKS}
    return nothing and len(asked.split()) <= _SMALL_WORDS and len(asked) <= _SMALL_LETTERS


def _told(text: str) -> str:
    """Give a text cleaned line by line, since a new line often begins another question; of a long one, both ends."""
    if len(text) > _TOLD:
        text = f"{text[: _TOLD * 3 // 4]}\n{text[-_TOLD // 4 :]}"
    lines = (without_stretching(without_identifiers(clean(line, longest=_TOLD))) for line in text.splitlines())
    return "\n".join(line for line in lines if line)[:_TOLD]
