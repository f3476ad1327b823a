"""The editors' pages: find an entry, change it in one language with the Italian beside it, preview, publish."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from bot.languages import CODES, LANGUAGES, language
from knowledge import editing
from knowledge.editing import Conflict, Draft
from knowledge.entry import GROUPS, REVIEWED, SOURCE, TO_VERIFY
from knowledge.files import normalised
from store import entries as store
from store.database import Database, Read
from store.entries import EntryRow, Revision
from store.staff import Role
from web.identity import Identity, SignedIn
from web.messages import answer_view
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
            current = await store.published_of(connection, slug, code)
            source = await store.published_of(connection, slug, SOURCE)
        draft = draft or _draft_of(current)
        context: dict[str, Any] = {"faults": [], "preview": None, "conflict": None, "changes": [], "saved": False}
        return self.shell.page(
            request,
            "knowledge/edit.html",
            code=signed_in.member.language,
            status=status,
            signed_in=signed_in,
            section="knowledge",
            entry=entry,
            today=self.clock().date(),
            edited=language(code),
            source=None if code == SOURCE else source,
            draft=draft,
            base=base if base is not None else (current.revision if current else 0),
            **{**context, **shown},
        )


def router(pages: Editing) -> APIRouter:
    """Make the routes of the editors' pages."""
    routes = APIRouter(prefix="/desk/knowledge")
    reader = Annotated[SignedIn, Depends(pages.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(pages.identity.require_form(*ROLES))]

    @routes.get("")
    async def overview(request: Request, signed_in: reader, q: str = "") -> Response:
        async with pages.database.read() as connection:
            found = await _found(connection, q)
        return pages.shell.page(
            request,
            "knowledge/list.html",
            code=signed_in.member.language,
            signed_in=signed_in,
            section="knowledge",
            query=q,
            groups=[(group, [row for row in found if row[0].group == group]) for group in GROUPS],
            count=len(found),
            tongues=LANGUAGES,
            today=pages.clock().date(),
        )

    @routes.get("/{slug}/{code}")
    async def edit(request: Request, signed_in: reader, slug: str, code: str, saved: int = 0) -> Response:
        return await pages.edit_page(request, signed_in, slug, code, saved=bool(saved))

    @routes.post("/{slug}/{code}")
    async def save(
        request: Request,
        signed_in: writer,
        slug: str,
        code: str,
        question: TextField = "",
        answer: TextField = "",
        phrases: TextField = "",
        reviewed: TextField = "",
        base: Annotated[int, Form(ge=0)] = 0,
        action: TextField = "preview",
    ) -> Response:
        draft = Draft.of_form(question=question, answer=answer, phrases=phrases, reviewed=bool(reviewed), cases={})
        async with pages.database.begin() as connection:
            entry = await _entry(connection, slug, code)
            faults = await editing.faults(connection, slug, draft)
            result = None
            if not faults and action == "publish":
                result = await editing.publish(
                    connection, slug, code, draft, base=base, author=signed_in.member.id, now=pages.clock()
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
                changes=editing.compared(result.current, draft.content(None)),
            )
        if result is None:
            preview = answer_view(_block(entry, code, draft), at=pages.clock())
            return await pages.edit_page(request, signed_in, slug, code, draft=draft, base=base, preview=preview)
        return RedirectResponse(f"/desk/knowledge/{slug}/{code}?saved=1", 303)

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

    return routes


async def _entry(connection: Read, slug: str, code: str) -> EntryRow:
    """Give an entry; 404 where there is none, or the language is none of ours."""
    found = next((row for row in await store.all_entries(connection) if row.slug == slug), None)
    if found is None or code not in CODES:
        raise HTTPException(404)
    return found


async def _found(connection: Read, query: str) -> list[tuple[EntryRow, dict[str, Revision]]]:
    """Give the entries whose slug, questions or phrases hold the query, with their translations by language."""
    by_slug: dict[str, dict[str, Revision]] = defaultdict(dict)
    for revision in await store.published(connection):
        by_slug[revision.slug][revision.language] = revision
    wanted = normalised(query)

    def holds(entry: EntryRow) -> bool:
        texts = [entry.slug, entry.slug.replace("-", " ")]
        for revision in by_slug[entry.slug].values():
            texts += [revision.question, *revision.phrases]
        return any(wanted in normalised(text) for text in texts)

    return [(entry, by_slug[entry.slug]) for entry in await store.all_entries(connection) if holds(entry)]


def _draft_of(current: Revision | None) -> Draft:
    if current is None:
        return Draft("", "", (), reviewed=False)
    return Draft(current.question, current.answer, current.phrases, reviewed=current.state == REVIEWED)


def _block(entry: EntryRow, code: str, draft: Draft) -> dict[str, Any]:
    """Give the answer as it would stand in a transcript."""
    return {
        "kind": "answer",
        "slug": entry.slug,
        "revision": 0,
        "question": draft.question,
        "text": draft.answer,
        "language": code,
        "sources": entry.sources,
        "draft": code != SOURCE and not draft.reviewed,
        "to_verify": entry.status == TO_VERIFY,
    }
