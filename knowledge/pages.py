"""The editors' pages: find an entry, change it in one language with the Italian beside it, preview, publish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from bot.languages import CODES, language
from bot.topics import SECTIONS, label_of, section_of
from knowledge import editing
from knowledge.editing import Conflict, Draft
from knowledge.entry import REVIEWED, SOURCE, TO_VERIFY, Reading, stale
from knowledge.filling import Filler
from knowledge.keeping import cases_of, reading_of, record_of, translation_of
from knowledge.overview import Filters, Todo, overview, states
from knowledge.records import Records
from store import entries as store
from store import records as record_store
from store.database import Database, Read
from store.entries import EntryRow, Revision
from store.staff import Role
from web.identity import Identity, SignedIn
from web.messages import MessageView, answer_view
from web.shell import Shell

TextField = Annotated[str, Form()]

ROLES: Final = (Role.EDITOR, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Editing:
    """What the routes need."""

    shell: Shell
    database: Database
    identity: Identity
    clock: Callable[[], datetime]
    today: Callable[[], date]
    filler: Callable[[Records], Filler]

    async def edit_page(
        self,
        request: Request,
        signed_in: SignedIn,
        slug: str,
        code: str,
        *,
        draft: Draft | None = None,
        base: int | None = None,
        status: int = 200,
        **shown: Any,
    ) -> Response:
        """Show the form with the published text, or with a draft that is not published yet."""
        async with self.database.read() as connection:
            entry = await _entry(connection, slug, code)
            published = {each.language: each for each in await store.published_of_entry(connection, slug)}
            current, source = published.get(code), None if code == SOURCE else published.get(SOURCE)
            old = _old(current, source)
            since = await _source_of(connection, current) if old and current is not None else None
        draft = draft or _draft_of(current, source)
        context: dict[str, Any] = {"faults": [], "previews": [], "conflict": None, "changes": [], "saved": False}
        return self.shell.page(
            request,
            "knowledge/edit.html",
            here=f"/desk/knowledge/{slug}/{code}",
            code=signed_in.member.language,
            status=status,
            signed_in=signed_in,
            section="knowledge",
            entry=entry,
            listed_under=label_of(section_of(entry.group, entry.section)) if SECTIONS[entry.group] else "",
            today=self.today(),
            edited=language(code),
            states=states(list(published.values())),
            italian=code == SOURCE,
            source=source,
            stale=old,
            # What the Italian said when this text was made from it, and says now.
            since=[] if since is None or source is None else editing.compared(since, source),
            draft=draft,
            reading=None if current is None else reading_of(current),
            base=base if base is not None else (current.revision if current else 0),
            **{**context, **shown},
        )

    async def previews(self, entry: EntryRow, code: str, draft: Draft) -> list[MessageView]:
        """Give the answers as residents will see them, with the records of now filled in."""
        async with self.database.read() as connection:
            rows = await record_store.everything(connection)
        filler = self.filler(Records.of([record_of(row) for row in rows]))
        answers = {draft.question: draft.answer} | {
            f"{draft.question} · {case.label}": case.answer for case in draft.cases.values()
        }
        return [
            answer_view(_block(entry, code, draft, question, filler(answer, code)), at=self.clock())
            for question, answer in answers.items()
        ]

    async def show_list(self, request: Request, signed_in: SignedIn, filters: Filters) -> Response:
        """Show the list of entries, narrowed."""
        async with self.database.read() as connection:
            entries, published = await store.all_entries(connection), await store.published(connection)
        return self.shell.page(
            request,
            "knowledge/list.html",
            code=signed_in.member.language,
            signed_in=signed_in,
            section="knowledge",
            filters=filters,
            overview=overview(entries, published, filters, today=self.today()),
            todos=list(Todo),
        )


def router(pages: Editing) -> APIRouter:
    """Make the routes of the editors' pages."""
    routes = APIRouter(prefix="/desk/knowledge")
    reader = Annotated[SignedIn, Depends(pages.identity.require(*ROLES))]

    @routes.get("")
    async def show_list(
        request: Request, signed_in: reader, q: str = "", group: str = "", language: str = "", todo: str = ""
    ) -> Response:
        return await pages.show_list(request, signed_in, Filters.of_query(q, group, language, todo))

    @routes.get("/{slug}/{code}")
    async def edit(request: Request, signed_in: reader, slug: str, code: str, saved: int = 0) -> Response:
        return await pages.edit_page(request, signed_in, slug, code, saved=bool(saved))

    _add_saving(routes, pages)
    _add_history(routes, pages)
    return routes


def _add_saving(routes: APIRouter, pages: Editing) -> None:
    """Add what previews a changed text, and publishes it."""
    writer = Annotated[SignedIn, Depends(pages.identity.require_form(*ROLES))]

    @routes.post("/{slug}/{code}")
    async def save(
        request: Request,
        signed_in: writer,
        slug: str,
        code: str,
        base: Annotated[int, Form(ge=0)] = 0,
        action: TextField = "preview",
    ) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        async with pages.database.begin() as connection:
            entry = await _entry(connection, slug, code)
            draft = _draft_from(form, entry.facets)
            faults = await editing.faults(connection, slug, draft)
            result = None
            if not faults and action == "publish":
                result = await editing.publish(
                    connection,
                    slug,
                    code,
                    draft,
                    base=base,
                    author=signed_in.member.id,
                    editor=Reading(signed_in.member.name, pages.today()),
                    now=pages.clock(),
                )
        if faults:
            return await pages.edit_page(
                request, signed_in, slug, code, draft=draft, base=base, status=422, faults=faults
            )
        if isinstance(result, Conflict):
            return await pages.edit_page(
                request,
                signed_in,
                slug,
                code,
                draft=draft,
                # From here on, publishing is a conscious act on top of the other one's version.
                base=result.current.revision,
                status=409,
                conflict=result.current,
                changes=editing.compared(result.current, draft.content(draft.version_after(code, result.current))),
            )
        if result is None:
            previews = await pages.previews(entry, code, draft)
            return await pages.edit_page(request, signed_in, slug, code, draft=draft, base=base, previews=previews)
        return RedirectResponse(f"/desk/knowledge/{slug}/{code}?saved=1", 303)


def _add_history(routes: APIRouter, pages: Editing) -> None:
    """Add what shows earlier versions and restores one."""
    reader = Annotated[SignedIn, Depends(pages.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(pages.identity.require_form(*ROLES))]

    @routes.get("/{slug}/{code}/history")
    async def history(request: Request, signed_in: reader, slug: str, code: str, conflict: int = 0) -> Response:
        async with pages.database.read() as connection:
            entry = await _entry(connection, slug, code)
            versions = await store.history(connection, slug, code)
        older: list[Revision | None] = [*versions[1:], None]
        return pages.shell.page(
            request,
            "knowledge/history.html",
            code=signed_in.member.language,
            signed_in=signed_in,
            section="knowledge",
            entry=entry,
            edited=language(code),
            conflict=bool(conflict),
            versions=[
                (version, editing.compared(before, version)) for version, before in zip(versions, older, strict=True)
            ],
        )

    @routes.post("/{slug}/{code}/restore")
    async def restore(
        signed_in: writer,
        slug: str,
        code: str,
        revision: Annotated[int, Form(ge=1)],
        base: Annotated[int, Form(ge=0)],
    ) -> Response:
        async with pages.database.begin() as connection:
            await _entry(connection, slug, code)
            result = await editing.restore(
                connection, slug, code, revision, base=base, author=signed_in.member.id, now=pages.clock()
            )
        if result is None:
            raise HTTPException(404)
        if isinstance(result, Conflict):
            return RedirectResponse(f"/desk/knowledge/{slug}/{code}/history?conflict=1", 303)
        return RedirectResponse(f"/desk/knowledge/{slug}/{code}?saved=1", 303)


async def _entry(connection: Read, slug: str, code: str) -> EntryRow:
    """Give an entry; 404 where there is none, or the language is none of ours."""
    # PostgreSQL takes no NUL, and an address may hold one.
    found = None if "\0" in slug else await store.entry(connection, slug)
    if found is None or code not in CODES:
        raise HTTPException(404)
    return found


def _old(current: Revision | None, source: Revision | None) -> bool:
    """Tell whether a version was made from an older Italian than that of now."""
    return current is not None and source is not None and stale(translation_of(current), translation_of(source))


async def _source_of(connection: Read, current: Revision) -> Revision | None:
    """Give the Italian from which a version was made, as it stood last; None where nobody knows."""
    versions = await store.history(connection, current.slug, SOURCE)
    return next((version for version in versions if version.source_version == current.source_version), None)


def _draft_of(current: Revision | None, source: Revision | None) -> Draft:
    italian = None if source is None else source.source_version
    if current is None:
        return Draft("", "", (), reviewed=False, italian=italian)
    reviewed = current.state == REVIEWED
    return Draft(current.question, current.answer, current.phrases, reviewed, cases_of(current), italian=italian)


def _draft_from(form: Mapping[str, str], facets: tuple[str, ...]) -> Draft:
    """Read the form; the Italian beside it had the version that the form names."""
    italian = form.get("italian", "")
    return Draft.of_form(
        question=form.get("question", ""),
        answer=form.get("answer", ""),
        phrases=form.get("phrases", ""),
        reviewed=bool(form.get("reviewed")),
        cases={facet: (form.get(f"label.{facet}", ""), form.get(f"answer.{facet}", "")) for facet in facets},
        minor=bool(form.get("minor")),
        follows=bool(form.get("follows")),
        italian=int(italian) if italian.isascii() and italian.isdecimal() and len(italian) < 6 else None,  # noqa: PLR2004 - a version
    )


def _block(entry: EntryRow, code: str, draft: Draft, question: str, answer: str) -> dict[str, Any]:
    """Give an answer as it would stand in a transcript."""
    return {
        "kind": "answer",
        "slug": entry.slug,
        "revision": 0,
        "question": question,
        "text": answer,
        "language": code,
        "sources": entry.sources,
        "draft": code != SOURCE and not draft.reviewed,
        "to_verify": entry.status == TO_VERIFY,
    }
