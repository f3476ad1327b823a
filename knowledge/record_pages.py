"""The editors' page of contacts, amounts and windows: all of them, a small form each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from knowledge.entry import STATUSES
from knowledge.filling import Filler
from knowledge.keeping import record_of, values_of
from knowledge.record_forms import FAULTS, form_of, read_form
from knowledge.records import UNITS, Kind, Record, Records, WrongFieldError
from store import records as store
from store.database import Database
from store.records import RecordRow
from store.staff import Role
from web.identity import Identity, SignedIn
from web.shell import Shell

ROLES: Final = (Role.EDITOR, Role.ADMINISTRATOR)
# The placeholder that shows a record of each kind.
_PLACEHOLDERS: Final = {Kind.CONTACT: "contact", Kind.AMOUNT: "amount", Kind.WINDOW: "window"}


@dataclass(frozen=True, slots=True)
class RecordEditing:
    """What the routes need."""

    shell: Shell
    database: Database
    identity: Identity
    clock: Callable[[], datetime]
    filler: Callable[[Records], Filler]
    # What is wrong with a record where others need it: an id of the catalogue, or None.
    needed: Callable[[Record], str | None]


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record of the page, with the values of its form, and how residents see it."""

    kind: Kind
    row: RecordRow
    form: Mapping[str, str]
    placeholder: str
    told: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that changed nothing: what was typed, why, and the record as it stands where that is the reason."""

    kind: str
    id: str
    form: Mapping[str, str]
    field: str = ""
    fault: str = ""
    conflict: RecordRow | None = None


def router(pages: RecordEditing) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/desk/knowledge/records")
    reader = Annotated[SignedIn, Depends(pages.identity.require(*ROLES))]
    writer = Annotated[SignedIn, Depends(pages.identity.require_form(*ROLES))]

    @routes.get("")
    async def overview(request: Request, signed_in: reader, saved: str = "") -> Response:
        return await _page(pages, request, signed_in, saved=saved)

    @routes.post("/{kind}/{record_id}")
    async def save(
        request: Request,
        signed_in: writer,
        kind: Kind,
        record_id: str,
        base: Annotated[int, Form(ge=1)],
    ) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            record = read_form(kind, record_id, form)
        except WrongFieldError as error:
            refused = Refused(kind.value, record_id, form, error.field, FAULTS[error.field])
            return await _page(pages, request, signed_in, refused=refused, status=422)
        fault = pages.needed(record)
        if fault is not None:
            refused = Refused(kind.value, record_id, form, "phones", fault)
            return await _page(pages, request, signed_in, refused=refused, status=422)
        async with pages.database.begin() as connection:
            rows = {(row.kind, row.id): row for row in await store.everything(connection)}
            current = rows.get((kind.value, record_id))
            if current is None:
                raise HTTPException(404)
            values = values_of(record)
            same = current.revision == base and current.document == store.as_document(values)
            done = same or await store.save(
                connection, kind.value, record_id, values, base=base, author=signed_in.member.id, now=pages.clock()
            )
        if not done:
            refused = Refused(kind.value, record_id, form, conflict=current)
            return await _page(pages, request, signed_in, refused=refused, status=409)
        return RedirectResponse(f"/desk/knowledge/records?saved={record_id}#{kind.value}-{record_id}", 303)

    return routes


async def _page(
    pages: RecordEditing,
    request: Request,
    signed_in: SignedIn,
    *,
    saved: str = "",
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    async with pages.database.read() as connection:
        rows = await store.everything(connection)
    filler = pages.filler(Records.of([record_of(row) for row in rows]))
    code = signed_in.member.language
    shown: dict[str, list[ShownRecord]] = {kind.value: [] for kind in Kind}
    for row in rows:
        kind = Kind(row.kind)
        placeholder = f"{{{_PLACEHOLDERS[kind]}:{row.id}}}"
        form: Mapping[str, Any] = form_of(record_of(row))
        if refused is not None and (refused.kind, refused.id) == (row.kind, row.id):
            form = {name: refused.form.get(name, "") for name in form}
        shown[row.kind].append(ShownRecord(kind, row, form, placeholder, filler(placeholder, code)))
    return pages.shell.page(
        request,
        "knowledge/records.html",
        here="/desk/knowledge/records" + (f"#{refused.kind}-{refused.id}" if refused else ""),
        code=code,
        status=status,
        signed_in=signed_in,
        section="knowledge",
        groups=shown,
        saved=saved,
        refused=refused,
        units=UNITS,
        statuses=STATUSES,
    )
