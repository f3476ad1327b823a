"""The page shell: templates, static files under a name that changes with their content, and error pages."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from jinja2 import BytecodeCache, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from bot.actions import Value, Wording
from bot.languages import CODES, DEFAULT, LANGUAGES, closest, language
from bot.wording import Catalogue

FOLDER: Final = Path(__file__).resolve().parent
LANGUAGE_COOKIE: Final = "sportello_language"
YEAR_SECONDS: Final = 31_536_000


class Shell:
    """Renders every page and fragment of the program in a language."""

    def __init__(
        self,
        catalogue: Catalogue,
        templates: Mapping[str, Path],
        *,
        service: Mapping[str, str | timedelta],
        new_id: Callable[[], UUID],
        compiled: BytecodeCache | None = None,
    ) -> None:
        """Take the templates of each room under a prefix, as in `web/page.html`.

        `service` holds what all pages say of the service: name, operator, contact, chat_days, ticket_days.
        Shells that follow one another in a process may share what is `compiled`.
        """
        self.catalogue = catalogue
        self._environment = Environment(
            loader=PrefixLoader({name: FileSystemLoader(folder) for name, folder in templates.items()}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=compiled,
        )
        self.static = StaticTree(FOLDER / "static")
        self._environment.globals.update(
            static=self.static.url,
            languages=LANGUAGES,
            language_of=language,
            direction_of=direction_of,
            service=dict(service),
            # Names a form's one use, so that sending it twice counts once.
            new_key=lambda: str(new_id()),
        )

    def fragment(self, template: str, *, code: str, **context: Any) -> str:
        """Render a template in a language. `t(id, **values)` in it gives a text of the catalogue."""
        return self._environment.get_template(template).render(
            t=partial(self._text, code),
            moment=partial(self._moment, code),
            clock=partial(self._clock, code),
            lang=language(code),
            **context,
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        code: str,
        status: int = 200,
        here: str = "",
        **context: Any,
    ) -> HTMLResponse:
        """Answer with a whole page. `here` is where it can be read again, if a form was sent to another address."""
        return HTMLResponse(
            self.fragment(template, code=code, path=request.url.path, here=here or _address(request), **context),
            status_code=status,
            headers={"Content-Language": language(code).tag, "Vary": "Accept-Language, Cookie"},
        )

    def problem(self, request: Request, *, status: int, message: str, code: str | None = None) -> Response:
        """Answer with an error page; `message` is an id of the catalogue."""
        code = code or page_language(request)
        return self.page(request, "web/problem.html", code=code, status=status, message=message)

    def names(self) -> list[str]:
        """Give the names of all templates."""
        return self._environment.list_templates(extensions=["html"])

    def _text(self, code: str, message: str, /, count: int | None = None, **values: Value) -> str:
        return self.catalogue.text(Wording(message, tuple(values.items()), count), code)

    def _moment(self, code: str, moment: datetime) -> str:
        return self.catalogue.moment(moment, code)

    def _clock(self, code: str, moment: datetime) -> str:
        return self.catalogue.clock(moment, code)


def _address(request: Request) -> str:
    """Give the address of a page that is read, with what it is narrowed to."""
    query = request.url.query if request.method == "GET" else ""
    return f"{request.url.path}?{query}" if query else request.url.path


def direction_of(tag: str | None) -> str:
    """Give the writing direction of a language tag of ours, else "auto": whatever the first letter tells."""
    return next((known.direction for known in LANGUAGES if known.tag == tag), "auto")


class StaticTree:
    """The static files under one folder name that changes whenever any of them does.

    One name for all, so that modules find each other by relative paths and a browser never mixes
    two versions; kept by browsers for a year.
    """

    def __init__(self, folder: Path) -> None:
        """Read the files once for their common hash."""
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
        self.version = digest.hexdigest()[:12]
        self._files = StaticFiles(directory=folder)

    def url(self, path: str) -> str:
        """Give the address of a file."""
        return f"/static/{self.version}/{path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is below `/static/`."""

        async def send_with_age(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004 - HTTP's OK
                kept = f"public, max-age={YEAR_SECONDS}, immutable".encode()
                message["headers"] = [*message["headers"], (b"cache-control", kept)]
            await send(message)

        version, _, path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")
        if version != self.version:
            # A page of an older version asks: give today's file, but let nobody keep it under the old name.
            await self._files({**scope, "root_path": "", "path": f"/{path}"}, receive, send)
            return
        await self._files({**scope, "root_path": "", "path": f"/{path}"}, receive, send_with_age)


def page_language(request: Request) -> str:
    """Give the language for a page: the reader's own choice, else the browser's first that we have, else Italian."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in CODES:
        return chosen
    for tag in _accepted(request.headers.get("accept-language", "")):
        found = closest(tag)
        if found is not None:
            return found
    return DEFAULT


def _accepted(header: str) -> list[str]:
    """Give the tags of an Accept-Language header, most wanted first (RFC 9110, 12.5.4)."""
    weighted: list[tuple[float, int, str]] = []
    for place, item in enumerate(header.split(",")[:20]):
        tag, _, parameter = item.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            weighted.append((-weight, place, tag))
    return [tag for _, _, tag in sorted(weighted)]
