"""What the administrator does with the bot: links, commands and descriptions; nothing of it happens by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import make_url

from bot.commands import Command, command_of
from bot.languages import CODES
from bot.wording import Catalogue
from sportello import telegram_commands
from sportello.opening import Refusal
from sportello.settings import Settings
from sportello.telegram_commands import COMMANDS, DESCRIPTION_MAX, SHORT_MAX, described
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import FakeBotApi
from tests.sportello.desk import settings_for


@pytest.fixture
def api() -> FakeBotApi:
    return FakeBotApi()


@pytest.fixture
def settings(api: FakeBotApi, tmp_path: Any) -> Iterator[Settings]:
    with LoopbackServer(api.app()) as server:
        yield settings_for(make_url("postgresql://nobody@127.0.0.1/none"), tmp_path, telegram_api_base=server.url)


async def test_a_link_names_the_bot_and_the_scene(settings: Settings) -> None:
    assert (
        await telegram_commands.link(settings, "poster-market_1") == "https://t.me/sportello_bot?start=poster-market_1"
    )
    assert await telegram_commands.link(settings, "x" * 64) == f"https://t.me/sportello_bot?start={'x' * 64}"
    for wrong in ("", "x" * 65, "due parole", "è", "a&b"):
        with pytest.raises(Refusal, match="a scene has"):
            await telegram_commands.link(settings, wrong)


async def test_commands_and_descriptions_are_set_in_every_language(api: FakeBotApi, settings: Settings) -> None:
    told = await telegram_commands.describe(settings)
    assert "6 commands" in told
    assert "12 languages" in told
    for method in ("setmycommands", "setmydescription", "setmyshortdescription"):
        assert {language for kind, language in api.described if kind == method} == {"", *CODES}
    assert len({str(value) for value in api.described.values()}) == 3 * len(CODES), "the default is one of them"
    assert [command["command"] for command in api.described["setmycommands", "ur"]] == [name for name, _ in COMMANDS]


async def test_what_telegram_refuses_is_told_in_its_words(api: FakeBotApi, settings: Settings) -> None:
    api.fail_next(429, "Too Many Requests: retry after 9", retry_after=9)
    with pytest.raises(Refusal, match=r"Telegram refused: .*9.*run it again"):
        await telegram_commands.describe(settings)
    api.fail_next(401, "Unauthorized")
    with pytest.raises(Refusal, match="Telegram refused"):
        await telegram_commands.link(settings, "x")
    api.fail_next(400, "Bad Request: bad webhook")
    with pytest.raises(Refusal, match="Telegram refused: Bad webhook"):
        await telegram_commands.set_webhook(settings)


async def test_a_telegram_that_is_not_there_refuses_nothing(tmp_path: Path) -> None:
    nowhere = settings_for(make_url("postgresql://nobody@127.0.0.1/none"), tmp_path)
    for work in (telegram_commands.link(nowhere, "x"), telegram_commands.describe(nowhere)):
        with pytest.raises(Refusal, match="Telegram cannot be reached"):
            await work


@pytest.mark.parametrize("code", CODES)
def test_texts_fit_and_a_name_that_is_too_long_is_refused(code: str) -> None:
    shown = described(Catalogue(ZoneInfo("Europe/Rome"), {"operator": "Comune di Prato", "service": "S"}), code)
    assert len(shown.description) <= DESCRIPTION_MAX
    assert len(shown.short) <= SHORT_MAX
    assert all(1 <= len(text) <= 256 for _, text in shown.commands)
    with pytest.raises(Refusal, match="too long"):
        described(Catalogue(ZoneInfo("Europe/Rome"), {"operator": "x" * 500, "service": "S"}), code)


def test_the_commands_shown_are_those_that_are_understood() -> None:
    # Starting is an event of its own, and no word.
    understood = {name: command_of(f"/{name}") for name, _ in COMMANDS if name != "start"}
    assert understood == {
        "menu": Command.MENU,
        "lingua": Command.LANGUAGE,
        "persona": Command.PERSON,
        "stop": Command.STOP,
        "cancella": Command.DELETE,
    }


def test_scenes_of_the_settings_must_fit_into_a_link(settings: Settings) -> None:
    values = settings.model_dump() | {"scenes": "market, mobile-team"}
    assert Settings(_env_file=None, **values).counted_scenes == {"market", "mobile-team"}
    with pytest.raises(ValueError, match="does not fit into a link"):
        Settings(_env_file=None, **(values | {"scenes": "due parole"}))
