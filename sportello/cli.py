"""The command line: `sportello`, for the administrator of the server."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from bot.languages import CODES
from knowledge import evaluating
from sportello import asking, channel_list, clock, commands, evaluation, logs, telegram_commands, wechat_commands
from sportello.opening import Refusal
from sportello.platform_settings import PREFIX
from sportello.settings import Settings, described
from store.staff import Role, StaffMember

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
staff_app = typer.Typer(no_args_is_help=True, help="The accounts of mediators, editors and administrators.")
knowledge_app = typer.Typer(
    no_args_is_help=True, help="The entries: from files, to files, and whether files are right."
)
telegram_app = typer.Typer(no_args_is_help=True, help="The Telegram bot.")
wechat_app = typer.Typer(no_args_is_help=True, help="The WeChat Official Account.")
app.add_typer(staff_app, name="staff")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(telegram_app, name="telegram")
app.add_typer(wechat_app, name="wechat")


def _settings() -> Settings:
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        # What concerns several settings names them itself.
        _stop(f"{PREFIX}{'_'.join(str(part) for part in first['loc']).upper()}: {said}" if first["loc"] else said)
    except SettingsError as error:
        _stop(str(error))
    logs.set_up(settings)
    return settings


def _stop(message: str) -> NoReturn:
    typer.echo(f"sportello: {message}", err=True)
    raise typer.Exit(1)


@app.command()
def serve(
    *,
    workers: Annotated[bool, typer.Option(help="Also take turns and send, in this process.")] = True,
    setup: Annotated[
        bool, typer.Option("--setup", help="First migrate, load the starter entries, and make a sign-in.")
    ] = False,
) -> None:
    """Serve the resident's page, the desk and the webhooks, until Ctrl-C."""
    commands.run_serve(_settings(), works=workers, setup=setup)


@app.command()
def work() -> None:
    """Take turns and send, without the web, beside one or more `serve --no-workers`."""
    commands.run_work(_settings())


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="Version of the schema to go to, up or down.")] = "head",
) -> None:
    """Bring the database's schema to the program's version."""
    commands.run(commands.migrate(_settings(), to))


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="What a resident might write.")],
    channel_language: Annotated[
        str | None, typer.Option(help="Language code that the resident's app would tell, as ur.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what the bot would understand and answer, without a conversation."""
    answer = commands.run(asking.ask(_settings(), text, channel_language))
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else asking.as_text(answer))


@app.command()
def evaluate(
    path: Annotated[Path, typer.Argument(help="JSON lines with lang, script, text and topic.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Tell of each miss what was chosen, and why.")] = False,
) -> None:
    """Measure how well messages are understood with the published entries."""
    figures, misses = commands.run(evaluation.evaluate(_settings(), path))
    if errors:
        typer.echo("\n".join(misses), err=as_json)
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else evaluating.as_text(figures))


@app.command()
def evaluate_public(
    folder: Annotated[Path, typer.Argument(help="Folder with the files of CLINC150, XQuAD, SQuAD-it and BanglaTLit.")],
) -> None:
    """Measure the method on public data, as JSON; takes some minutes."""
    typer.echo(json.dumps(commands.run(evaluation.evaluate_public(_settings(), folder)), indent=2))


@app.command()
def settings() -> None:
    """Print every setting that is in force, secrets hidden, and what each channel transfers to whom."""
    found = _settings()
    for name, value, meaning in described(found):
        typer.echo(f"{name}={value}\n    {meaning}")
    typer.echo("\nChannels:")
    for name, is_on, told in channel_list.transfers(found):
        typer.echo(f"{name}: {'on' if is_on else 'off'}\n    {told}")


@staff_app.command("add")
def staff_add(
    login: Annotated[str, typer.Argument(help="User name.")],
    name: Annotated[str, typer.Option(help="Name as colleagues see it.")],
    role: Annotated[list[Role], typer.Option(help="What they do; may be given several times.")],
    language: Annotated[str, typer.Option(help=f"Language of their pages: {', '.join(CODES)}.")] = "it",
    capacity: Annotated[int, typer.Option(min=1, max=50, help="Conversations they can hold at once.")] = 5,
) -> None:
    """Add a member of the staff and print the password, once."""
    password = commands.run(commands.add_staff(_settings(), login, name, role, language, capacity))
    typer.echo(
        f"Sign-in for {login}: {password}\nIt is shown only now; a new one: sportello staff reset-password {login}"
    )


@staff_app.command("list")
def staff_list() -> None:
    """List the staff."""
    for member in commands.run(commands.list_staff(_settings())):
        typer.echo(_told(member))


def _told(member: StaffMember) -> str:
    state = "" if member.active else ", inactive"
    roles = ", ".join(sorted(member.roles))
    return f"{member.login}: {member.name} ({roles}; {member.language}; {member.capacity} at once{state})"


@staff_app.command("reset-password")
def staff_reset_password(login: Annotated[str, typer.Argument(help="User name.")]) -> None:
    """Make a new password for a member, print it once, and end their sessions."""
    password = commands.run(commands.reset_password(_settings(), login))
    typer.echo(f"New password for {login}: {password}")


@staff_app.command("change")
def staff_change(
    login: Annotated[str, typer.Argument(help="User name.")],
    role: Annotated[
        list[Role] | None, typer.Option(help="What they do from now on; may be given several times.")
    ] = None,
    capacity: Annotated[int | None, typer.Option(min=1, max=50, help="Conversations they can hold at once.")] = None,
    *,
    active: Annotated[
        bool | None,
        typer.Option(
            "--active/--inactive",
            help="Whether they may sign in; --inactive signs them out and gives back whom they hold.",
        ),
    ] = None,
) -> None:
    """Change roles or capacity of a member, or take the account out of use; what is not named stays."""
    typer.echo(_told(commands.run(commands.change_staff(_settings(), login, role or [], capacity, active=active))))


@app.command()
def troubles() -> None:
    """List messages that failed three times or could not be read, without what they said."""
    found = commands.run(commands.troubles(_settings()))
    for row in found:
        typer.echo(f"{row.received_at:%Y-%m-%d %H:%M} {row.channel} {row.status.value} #{row.id}: {row.error or ''}")
    typer.echo(f"{len(found)} rows.")


@knowledge_app.command("import")
def knowledge_import(
    folder: Annotated[Path | None, typer.Argument(help="Folder of entries; without it, the starter entries.")] = None,
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Publish over what editors changed.")] = False,
) -> None:
    """Publish what is new in the files. What editors changed stays, unless told otherwise."""
    report = commands.run(commands.import_knowledge(_settings(), folder, overwrite=overwrite))
    typer.echo(
        f"{report.entries} entries read, {len(report.published)} translations published, "
        f"{len(report.saved)} records saved."
    )
    for name in report.kept:
        typer.echo(f"kept as an editor left it: {name}")
    for name in report.conflicts:
        typer.echo(f"not imported, an editor changed it too: {name} (--overwrite publishes the file)", err=True)


@knowledge_app.command("export")
def knowledge_export(folder: Annotated[Path, typer.Argument(help="Folder for the files.")]) -> None:
    """Write what is published to files, in the shape in which they are imported."""
    written = commands.run(commands.export_knowledge(_settings(), folder))
    typer.echo(f"{len(written)} files written to {folder}.")


@knowledge_app.command("check")
def knowledge_check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of entries; without it, the starter entries.")] = None,
    *,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on which reviews are due; without it, today.")
    ] = None,
) -> None:
    """Check files without importing them: what keeps them from being imported, and what is not good enough."""
    found = commands.check_knowledge(folder, (today or clock.now()).date())
    for told in (*found.problems, *found.findings):
        typer.echo(str(told), err=True)
    typer.echo(f"{found.entries} entries can be read; {len(found.problems)} problems, {len(found.findings)} findings.")
    raise typer.Exit(1 if found.problems or found.findings else 0)


@knowledge_app.command("collisions")
def knowledge_collisions(
    language: Annotated[str | None, typer.Option(help="Only phrases of this language, as ur; without it, all.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the phrases of the published entries that are nearer to another entry than to their own.

    Each is hidden from the index while it is asked. Then the pairs of entries that take phrases from each other.
    """
    found = commands.run(evaluation.find_collisions(_settings(), language))
    typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2) if as_json else found.as_text())


@telegram_app.command("set-webhook")
def telegram_set_webhook() -> None:
    """Tell Telegram to send updates to this installation's public address, with the secret."""
    typer.echo(commands.run(telegram_commands.set_webhook(_settings())))


@telegram_app.command("describe")
def telegram_describe() -> None:
    """Set the bot's commands and descriptions, in every language."""
    typer.echo(commands.run(telegram_commands.describe(_settings())))


@telegram_app.command("link")
def telegram_link(
    scene: Annotated[str, typer.Argument(help="Word for the poster or card: letters, digits, _ and -.")],
) -> None:
    """Print the link for a poster or a card; the desk shows by which one somebody came."""
    typer.echo(commands.run(telegram_commands.link(_settings(), scene)))


@telegram_app.command("poll")
def telegram_poll(
    *,
    drop_webhook: Annotated[
        bool, typer.Option("--drop-webhook", help="First take back the webhook; Telegram allows only one way.")
    ] = False,
) -> None:
    """Fetch updates until Ctrl-C, for a machine without a public address. Beside `serve` or `work`."""
    commands.run(telegram_commands.poll(_settings(), drop_webhook=drop_webhook))


@wechat_app.command("menu")
def wechat_menu(
    language: Annotated[
        list[str] | None,
        typer.Option(help="Language of its names, as zh; further ones stand beside it where there is room."),
    ] = None,
) -> None:
    """Set the account's menu: topics, a person, the language. It takes the place of whatever menu there was."""
    typer.echo(commands.run(wechat_commands.set_menu(_settings(), language or [])))


def main() -> None:
    """Run the command line; a refusal is one line, never a stack trace."""
    try:
        app()
    except Refusal as refusal:
        typer.echo(f"sportello: {refusal}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
