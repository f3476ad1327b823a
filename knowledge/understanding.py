"""Understanding a message: its language, the entries that may answer, and whether to answer at all."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from bot.events import Match, Understanding, Verdict
from knowledge.cleaning import clean
from knowledge.embedding import Embedder, EmbedderUnavailableError
from knowledge.language import Identified
from knowledge.search import Candidate, Index, Row

# The simple rule of this floor, on scores of the development set; see docs/measurements.md.
# With vectors: answer where the best entry is near and well ahead, offer where it is not far.
ANSWER_FROM: Final = 0.48
ANSWER_AHEAD: Final = 0.10
SURE_FROM: Final = 0.70
SURE_AHEAD: Final = 0.03
OFFER_FROM: Final = 0.32
# By spelling alone, much more careful.
SPELLED_ANSWER_FROM: Final = 0.60
SPELLED_ANSWER_AHEAD: Final = 0.15
SPELLED_OFFER_FROM: Final = 0.28
# An offer holds entries within this distance of the best one.
OFFER_WITHIN: Final = 0.18
OFFERED: Final = 3
# Vectors of the last messages, in memory only: residents' words, never logged, never stored.
REMEMBERED: Final = 2048


@dataclass(frozen=True, slots=True)
class Explanation:
    """An understanding with what led to it, for `sportello ask` and for measuring."""

    understanding: Understanding
    cleaned: str
    identified: Identified
    candidates: tuple[Candidate, ...]
    exact: bool
    by_meaning: bool


class Understander:
    """Understands messages with the index of the moment."""

    def __init__(self, embedder: Embedder) -> None:
        """Begin with an empty index; `adopt` brings another."""
        self.embedder = embedder
        self._index = Index((), None)
        self._remembered: OrderedDict[str, Row] = OrderedDict()

    def adopt(self, index: Index) -> None:
        """Use a new index from the next message on."""
        self._index = index

    async def understand(self, text: str, *, language: str, hint: str | None, chosen: bool) -> Understanding:
        """Understand a text of a conversation in `language`; `chosen`: the resident picked that language."""
        explained = await self.explain(text, language=language, hint=hint, chosen=chosen)
        return explained.understanding

    async def explain(self, text: str, *, language: str, hint: str | None = None, chosen: bool = False) -> Explanation:
        """Understand a text and say why."""
        index = self._index
        cleaned = clean(text)
        identified = index.languages.identify(cleaned, language=language, hint=hint)
        worth_looking = sum(character.isalpha() for character in cleaned) >= 2  # noqa: PLR2004 - one letter asks nothing
        vector = await self._vector(cleaned) if worth_looking and index.dense else None
        candidates: list[Candidate] = []
        if worth_looking:
            candidates = await asyncio.to_thread(index.rank, cleaned, identified.kind, vector)
        exact = index.exact(cleaned) if worth_looking else None
        verdict, matches = decide(candidates, exact=exact, by_meaning=vector is not None)
        understanding = Understanding(
            language=language if chosen else identified.language,
            certain=identified.certain and not chosen,
            verdict=verdict,
            matches=matches,
        )
        return Explanation(
            understanding, cleaned, identified, tuple(candidates[:5]), exact is not None, vector is not None
        )

    async def _vector(self, cleaned: str) -> Row | None:
        """Give the vector of a text, from memory where it was asked before; None where the model is away."""
        remembered = self._remembered.get(cleaned)
        if remembered is not None:
            self._remembered.move_to_end(cleaned)
            return remembered
        try:
            vector: Row = (await self.embedder.embed([cleaned]))[0]
        except EmbedderUnavailableError:
            return None
        self._remembered[cleaned] = vector
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return vector


def decide(candidates: list[Candidate], *, exact: str | None, by_meaning: bool) -> tuple[Verdict, tuple[Match, ...]]:
    """Answer, offer or abstain. Rather silent than wrong."""
    matches = tuple(Match(candidate.slug, candidate.score) for candidate in candidates[:OFFERED])
    if exact is not None:
        others = tuple(match for match in matches if match.slug != exact)
        return Verdict.ANSWER, (Match(exact, 1.0), *others)
    if not matches:
        return Verdict.ABSTAIN, ()
    best = matches[0].score
    ahead = best - matches[1].score if len(matches) > 1 else best
    if by_meaning:
        near = best >= ANSWER_FROM and ahead >= ANSWER_AHEAD
        sure = best >= SURE_FROM and ahead >= SURE_AHEAD
        answers, offers = near or sure, best >= OFFER_FROM
    else:
        answers = best >= SPELLED_ANSWER_FROM and ahead >= SPELLED_ANSWER_AHEAD
        offers = best >= SPELLED_OFFER_FROM
    if answers:
        return Verdict.ANSWER, matches
    if offers:
        return Verdict.OFFER, tuple(match for match in matches if best - match.score <= OFFER_WITHIN)
    return Verdict.ABSTAIN, ()
