"""The menu of the WeChat account: made by a command only, within the platform's limits, every button understood."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from bot.languages import CODES
from bot.wording import Catalogue
from channels.wechat_menu import Button, MenuError, menu_of
from sportello import wechat_commands
from sportello.cli import app
from sportello.opening import Refusal
from store.conversations import Author
from tests.fakes.wechat_menu import wrong_menu
from tests.sportello.wechat_desk import WeChatDesk

CATALOGUE = Catalogue(ZoneInfo("Europe/Rome"), {"operator": "O", "service": "S"})


def taps(menu: dict[str, Any]) -> Iterator[dict[str, str]]:
    for button in menu["button"]:
        yield from button.get("sub_button") or [button]


def top_names(wechat: WeChatDesk) -> list[str]:
    assert wechat.platform.menu is not None
    return [button["name"] for button in wechat.platform.menu["button"]]


async def test_the_command_sets_it_and_nothing_else_does(wechat: WeChatDesk) -> None:
    await wechat.write("guardia medica")
    await wechat.deliver()
    assert "menu/create" not in wechat.platform.calls
    told = await wechat_commands.set_menu(wechat.desk.program.settings, ["zh", "it"])
    names = top_names(wechat)
    assert names == ["主题/Temi", "人工/Persona", "语言/Lingua"]
    assert all(name in told for name in names)
    await wechat_commands.set_menu(wechat.desk.program.settings, [])
    assert top_names(wechat) == ["主题", "人工", "语言"]


async def test_every_button_is_understood(wechat: WeChatDesk) -> None:
    for tap in taps(wechat_commands.menu(CATALOGUE, ["zh"])):
        wechat.desk.clock.advance(seconds=1)
        await wechat.do("CLICK", EventKey=tap["key"])
    rows = await wechat.transcript()
    picked = [row.body["pick"] for row in rows if row.author is Author.RESIDENT]
    assert len(picked) == 10
    said = "\n".join(shown.text for shown in wechat.platform.shown)
    assert CATALOGUE.text("bot.choice_expired", "zh") not in said
    assert [shown.how for shown in wechat.platform.shown] == ["passive"] * 10
    assert (await wechat.desk.inbox_counts())["failed"] == 0


async def test_what_the_platform_or_the_settings_refuse_is_told(wechat: WeChatDesk) -> None:
    settings = wechat.desk.program.settings
    with pytest.raises(Refusal, match="--language xx"):
        await wechat_commands.set_menu(settings, ["xx"])
    wechat.platform.fail_next(48001)
    with pytest.raises(Refusal, match="WeChat refused: 48001"):
        await wechat_commands.set_menu(settings, [])
    wechat.platform.fail_next(40018)
    with pytest.raises(Refusal, match="WeChat refused: 40018"):
        await wechat_commands.set_menu(settings, [])
    with pytest.raises(Refusal, match="SPORTELLO_WECHAT_APP_ID"):
        await wechat_commands.set_menu(settings.model_copy(update={"wechat_app_id": ""}), [])
    assert wechat.platform.menu is None


@pytest.mark.parametrize("codes", [*combinations(CODES, 1), ("zh", "it"), ("ur", "zh", "it"), tuple(CODES)])
def test_it_fits_in_every_language(codes: tuple[str, ...]) -> None:
    menu = wechat_commands.menu(CATALOGUE, codes)
    assert wrong_menu(menu) is None
    names = [button["name"] for button in menu["button"]]
    firsts = [CATALOGUE.text(f"bot.wechat.{name}", codes[0]) for name in ("topics", "person", "language")]
    assert all(name.startswith(first) for name, first in zip(names, firsts, strict=True)), "no top name is cut"
    assert all(names)


def test_what_the_platform_would_refuse_is_not_made() -> None:
    one = Button(("a",), "menu")
    for buttons in (
        (),
        (one,) * 4,
        (Button(("a",)),),
        (Button(("a",), "x" * 129),),
        (Button(("a",), below=(one,) * 6),),
    ):
        with pytest.raises(MenuError):
            menu_of(buttons)
    assert (
        wrong_menu(
            menu_of((Button(("界" * 9,), "menu"), Button(("a",), below=(Button(("👩🏽‍🚒" * 9,), "x" * 128),) * 5)))
        )
        is None
    )


def test_the_command_is_in_the_help() -> None:
    shown = " ".join(CliRunner().invoke(app, ["wechat", "menu", "--help"]).output.split())
    assert "takes the place of whatever menu there was" in shown
