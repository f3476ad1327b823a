"""What the bot would understand and answer, without a conversation."""

from typing import Any

from bot.actions import Say
from bot.engine import step
from bot.events import TextReceived
from bot.languages import DEFAULT, closest
from bot.state import State
from bot.steering import Step
from bot.wording import Catalogue
from knowledge import loading
from knowledge.reader import Reader
from knowledge.scoring import FEATURES
from knowledge.search import Vocabularies
from knowledge.understanding import Explanation, Understander
from sportello import clock
from sportello.commands import open_database
from sportello.presenting import Presenter
from sportello.program import embedder, thresholds
from sportello.settings import Settings

# How many labels are shown.
SHOWN = 5


async def ask(settings: Settings, text: str, channel_language: str | None) -> dict[str, Any]:
    """Give what the bot would understand and answer, as JSON values."""
    model = embedder(settings)
    understander = Understander(model, thresholds(settings))
    try:
        async with open_database(settings) as database:
            async with database.read() as connection:
                knowledge = await loading.load(connection)
            reader = await loading.build(database, model, knowledge.entries, Vocabularies())
            if not reader.calibrated:
                reader = await loading.calibrate(database, model, reader, now=clock.now())
            understander.adopt(reader)
        hint = closest(channel_language)
        explained = await understander.explain(text, language=hint or DEFAULT, hint=hint)
    finally:
        await model.close()
    state = State(language=hint or DEFAULT, introduced=True)
    stepped = step(state, TextReceived(1, text, explained.understanding))
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    presenter = Presenter(
        catalogue,
        {entry.slug: entry for entry in knowledge.entries},
        knowledge.records,
        lambda: clock.now().astimezone(settings.zone).date(),
    )
    language = stepped.state.language
    says = [presenter.body(say, language) for say in _said(stepped, presenter)]
    return {
        "text": explained.cleaned,
        "language": {
            "code": explained.identified.language,
            "kind": explained.identified.kind,
            "probability": round(explained.identified.probability, 3),
            "certain": explained.identified.certain,
        },
        "verdict": explained.understanding.verdict.value,
        "by": explained.means.value,
        "talk": explained.decision.talk,
        "danger": explained.decision.danger,
        **_judged(understander.reader, explained),
        "answers_in": language,
        "does": [type(action).__name__ for action in stepped.actions if not isinstance(action, Say)],
        "says": says,
    }


def _judged(reader: Reader, explained: Explanation) -> dict[str, Any]:
    """Give the probabilities and, for the best labels of all kinds, the evidence they rest on."""
    judgement, evidence = explained.judgement, explained.evidence
    if judgement is None or evidence is None:
        return {"correct": 1.0, "alarm": 0.0, "candidates": []}
    best = judgement.scores.argsort()[::-1][:SHOWN]
    return {
        "correct": round(judgement.correct, 3),
        "alarm": round(judgement.danger, 3),
        "candidates": [
            {"label": reader.label(int(judgement.places[row])), "score": round(float(judgement.scores[row]), 2)}
            | {name: round(float(value), 3) for name, value in zip(FEATURES, evidence.table[row], strict=True)}
            for row in best.tolist()
        ],
    }


def _said(stepped: Step, presenter: Presenter) -> list[Say]:
    """Give what is said, with the question for the case where there is one."""
    says: list[Say] = []
    for action in stepped.actions:
        found = presenter.cases_of(action) if isinstance(action, Say) else None
        actions = (action,) if found is None else step(stepped.state, found).actions
        says += [each for each in actions if isinstance(each, Say)]
    return says


def as_text(answer: dict[str, Any]) -> str:
    """Give the answer of `ask` for reading."""
    language = answer["language"]
    lines = [
        f"language  {language['kind']} ({language['probability']:.2f}{', certain' if language['certain'] else ''})",
        f"verdict   {answer['verdict']} ({answer['correct']:.2f}), by {answer['by']}",
        f"answers in {answer['answers_in']}",
        f"danger    {answer['danger'] or 'none'} ({answer['alarm']:.2f})   small talk  {answer['talk'] or 'none'}",
    ]
    lines += [
        f"  {c['score']:6.2f}  {c['label']}  ({', '.join(f'{name} {c[name]:.3f}' for name in FEATURES)})"
        for c in answer["candidates"]
    ]
    for body in answer["says"]:
        lines += ["", *(block["text"] for block in body["blocks"])]
        lines += [f"  [{choice['label']}]" for choice in body["choices"]]
    lines += [f"({name})" for name in answer["does"]]
    return "\n".join(lines)
