"""What the commands of the command line do. Each opens the database for itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import typer
import uvloop

from bot.languages import CODES, DEFAULT
from handoff.console import ROLES
from handoff.ticket import give_back_all
from knowledge import checking, exchange, files, loading, record_files
from knowledge.checking import Finding
from knowledge.exchange import ImportReport
from knowledge.yamlfile import Problem
from sportello import cards, clock, serving
from sportello.memory import share_one_heap
from sportello.opening import Refusal, database_url, opened
from sportello.program import Program
from sportello.settings import Settings
from store import inbox, limits, migrations, staff
from store.database import Database
from store.migrations import MigrationError
from store.staff import Role, StaffMember
from web.identity import SIGN_IN
from web.passwords import hashed, random_password
from web.protection import Signer

T = TypeVar("T")
FIRST_LOGIN = "admin"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command."""
    return asyncio.run(work)


@asynccontextmanager
async def open_database(settings: Settings, *, migrated: bool = True) -> AsyncIterator[Database]:
    """Give the database of the settings for as long as a command needs it."""
    with database_url(settings) as url:
        async with opened(url, migrated=migrated) as database:
            yield database


# --- serving ---------------------------------------------------------------------------------------


def run_serve(settings: Settings, *, works: bool, setup: bool) -> None:
    """Serve until SIGINT or SIGTERM."""

    async def ready(program: Program) -> None:
        password = await _first_sign_in(program.database) if setup else None
        address = program.settings.address
        typer.echo(f"\nSportello is ready.\n  Resident's page: {address}/\n  Desk:            {address}/desk")
        if password is not None:
            typer.echo(f"  First sign-in:   {FIRST_LOGIN}   password: {password}")
            typer.echo("  The password is shown only now; a new one: sportello staff reset-password admin")
        typer.echo("  Stop with Ctrl-C.\n")

    _run_process(settings, web=True, works=works, setup=setup, ready=ready)


def run_work(settings: Settings) -> None:
    """Take turns and send until SIGINT or SIGTERM."""

    async def ready(_program: Program) -> None:
        typer.echo("Sportello is working. Stop with Ctrl-C.")

    _run_process(settings, web=False, works=True, setup=False, ready=ready)


def _run_process(
    settings: Settings,
    *,
    web: bool,
    works: bool,
    setup: bool,
    ready: Callable[[Program], Coroutine[Any, Any, None]],
) -> None:
    share_one_heap()
    with database_url(settings) as url:

        async def everything() -> None:
            async with opened(url, migrated=not setup) as database:
                if setup:
                    await _set_up(database)
            await serving.run(settings, url, web=web, works=works, ready=ready)

        try:
            uvloop.run(everything())
        except serving.PortTakenError as error:
            raise Refusal(str(error)) from error


async def _set_up(database: Database) -> None:
    typer.echo("Bringing the database up to date ...")
    await migrations.upgrade(database)
    typer.echo("Loading the starter entries ...")
    report = await _import(database, files.STARTER, overwrite=False)
    typer.echo(f"  {report.entries} entries, {len(report.published)} translations and {len(report.saved)} records new.")
    if report.published:
        typer.echo("They are read into the model beside serving, once, in about a minute; until then spelling must do.")


async def _first_sign_in(database: Database) -> str | None:
    """Make the first account where there is none; gives its password."""
    password = random_password()
    async with database.begin() as connection:
        if await staff.everyone(connection):
            return None
        await staff.add(
            connection,
            new_id=clock.new_id(),
            login=FIRST_LOGIN,
            name="Admin",
            roles=list(Role),
            password_hash=hashed(password),
            language=DEFAULT,
            capacity=5,
            now=clock.now(),
        )
    return password


async def migrate(settings: Settings, to: str) -> None:
    """Migrate up to, or down to, a version."""
    async with open_database(settings, migrated=False) as database:
        try:
            if to in {"head", "heads"}:
                await migrations.upgrade(database, to)
            else:
                await migrations.move(database, to)
        except MigrationError as error:
            raise Refusal(f"--to {to}: {error}") from error


# --- staff -----------------------------------------------------------------------------------------


async def add_staff(
    settings: Settings, login: str, name: str, roles: Sequence[Role], language: str, capacity: int
) -> str:
    """Add a member; gives the password."""
    if language not in CODES:
        raise Refusal(f"--language {language}: must be one of {', '.join(CODES)}")
    login = login.strip().lower()
    if not login or any(character.isspace() for character in login):
        raise Refusal("a login has no spaces")
    password = random_password()
    async with open_database(settings) as database, database.begin() as connection:
        added = await staff.add(
            connection,
            new_id=clock.new_id(),
            login=login,
            name=name,
            roles=roles,
            password_hash=hashed(password),
            language=language,
            capacity=capacity,
            now=clock.now(),
        )
    if not added:
        raise Refusal(f"there is a member {login!r} already")
    return password


async def list_staff(settings: Settings) -> list[StaffMember]:
    """Give all members."""
    async with open_database(settings) as database, database.read() as connection:
        return await staff.everyone(connection)


async def reset_password(settings: Settings, login: str) -> str:
    """Set a new password; gives it."""
    password = random_password()
    async with open_database(settings) as database, database.begin() as connection:
        found = await staff.by_login(connection, login)
        if found is None:
            raise Refusal(f"there is no active member {login!r}")
        await staff.set_password(connection, found[0].id, hashed(password))
        # Whoever forgot it has tried too often by now.
        await limits.forget(connection, Signer(settings.secret()).keyed(SIGN_IN, login.lower()))
    return password


async def change_staff(
    settings: Settings, login: str, roles: Sequence[Role], capacity: int | None, *, active: bool | None
) -> StaffMember:
    """Change what a member may do; what is None or empty stays. Gives the member as they are then.

    Who may not be at the desk any more gives back the conversations that they hold.
    """
    async with open_database(settings) as database, database.begin() as connection:
        found = next((member for member in await staff.everyone(connection) if member.login == login.lower()), None)
        if found is None:
            raise Refusal(f"there is no member {login!r}")
        changed = replace(
            found,
            roles=frozenset(roles) or found.roles,
            capacity=found.capacity if capacity is None else capacity,
            active=found.active if active is None else active,
        )
        # First, as it locks the member: a claim at the same moment comes before, or finds nobody who may.
        await staff.change(connection, changed)
        if not (changed.active and changed.roles.intersection(ROLES)):
            await give_back_all(connection, changed, new_id=clock.new_id, now=clock.now())
    return changed


async def troubles(settings: Settings) -> list[inbox.Trouble]:
    """Give what could not be handled, newest first."""
    async with open_database(settings) as database, database.read() as connection:
        return await inbox.troubles(connection)


# --- knowledge -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of files found: what keeps them from being imported, and what is not good enough."""

    entries: int
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]


def check_knowledge(folder: Path | None, today: date) -> Checked:
    """Read and check files; `today` is the day on which reviews are due."""
    folder = folder or files.STARTER
    entries, problems = files.read_folder(folder)
    records, wrong = record_files.read_records(folder)
    findings = [*checking.check(entries, records, today=today), *cards.findings(records)]
    return Checked(len(entries), (*problems, *wrong), tuple(findings))


async def import_knowledge(settings: Settings, folder: Path | None, *, overwrite: bool) -> ImportReport:
    """Import files."""
    async with open_database(settings) as database:
        return await _import(database, folder or files.STARTER, overwrite=overwrite)


async def _import(database: Database, folder: Path, *, overwrite: bool) -> ImportReport:
    entries, problems = files.read_folder(folder)
    records, wrong = record_files.read_records(folder)
    if problems or wrong:
        raise Refusal("nothing was imported:\n" + "\n".join(map(str, [*problems, *wrong])))
    now = clock.now()
    async with database.begin() as connection:
        report = await exchange.import_entries(connection, entries, overwrite=overwrite, now=now)
        await exchange.import_records(connection, records, report, overwrite=overwrite, now=now)
        return report


async def export_knowledge(settings: Settings, folder: Path) -> list[Path]:
    """Export what is published."""
    async with open_database(settings) as database:
        async with database.read() as connection:
            knowledge = await loading.load(connection)
        try:
            return exchange.export(knowledge.entries, folder, knowledge.records)
        except OSError as error:
            raise Refusal(f"{folder} cannot be written: {error.strerror}") from error
