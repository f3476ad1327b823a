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
from knowledge.understanding import Understander
from sportello import clock
from sportello.commands import open_database
from sportello.presenting import Presenter
from sportello.program import embedder
from sportello.settings import Settings


async def ask(settings: Settings, text: str, channel_language: str | None) -> dict[str, Any]:
    """Give what the bot would understand and answer, as JSON values."""
    model = embedder(settings)
    understander = Understander(model)
    try:
        async with open_database(settings) as database:
            async with database.read() as connection:
                knowledge = await loading.load(connection)
            understander.adopt(await loading.build(database, model, knowledge.entries))
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
        "by": "exact phrase" if explained.exact else "meaning" if explained.by_meaning else "spelling",
        "candidates": [
            {
                "slug": candidate.slug,
                "score": round(candidate.score, 3),
                "nearest": round(candidate.nearest, 3),
                "centroid": round(candidate.centroid, 3),
                "spelling": round(candidate.spelling, 3),
            }
            for candidate in explained.candidates
        ],
        "answers_in": language,
        "does": [type(action).__name__ for action in stepped.actions if not isinstance(action, Say)],
        "says": says,
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
        f"verdict   {answer['verdict']}, by {answer['by']}; answers in {answer['answers_in']}",
    ]
    lines += [
        f"  {c['score']:.3f}  {c['slug']}  "
        f"(nearest {c['nearest']:.3f}, centroid {c['centroid']:.3f}, spelling {c['spelling']:.3f})"
        for c in answer["candidates"]
    ]
    for body in answer["says"]:
        lines += ["", *(block["text"] for block in body["blocks"])]
        lines += [f"  [{choice['label']}]" for choice in body["choices"]]
    lines += [f"({name})" for name in answer["does"]]
    return "\n".join(lines)
