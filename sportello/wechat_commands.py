"""What the commands of the WeChat account do."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bot.languages import CODES, language
from bot.picks import Verb
from bot.topics import GROUPS
from bot.wording import Catalogue
from channels.adapter import PlatformRefusedError
from channels.wechat_menu import BELOW_MAX, Button, menu_of
from channels.wechat_messages import LANGUAGE_HINT
from sportello import clock
from sportello.commands import open_database
from sportello.opening import Refusal
from sportello.platforms import wechat
from sportello.settings import Settings

# Of the languages that can be chosen, the last place leads to all of them.
_CHOSEN_FROM: Final = BELOW_MAX - 1


def menu(catalogue: Catalogue, codes: Sequence[str]) -> dict[str, Any]:
    """Give the account's menu, named in one language or in several: topics, a person, the language."""

    def names(wording: str) -> tuple[str, ...]:
        return tuple(catalogue.text(wording, code) for code in codes)

    topics = (
        *(Button(names(f"bot.choice.group.{group}"), f"{Verb.GROUP}:{group}") for group in GROUPS),
        Button(names("bot.choice.menu"), Verb.MENU),
    )
    offered = [*codes, *(code for code in CODES if code not in codes)][:_CHOSEN_FROM]
    languages = (
        *(Button((language(code).autonym,), f"{Verb.LANGUAGE}:{code}") for code in offered),
        Button(names("bot.choice.languages")[:1], Verb.LANGUAGES),
    )
    return menu_of(
        (
            Button(names("bot.wechat.topics"), below=topics),
            Button(names("bot.wechat.person"), Verb.PERSON),
            Button(names("bot.wechat.language"), below=languages),
        )
    )


async def set_menu(settings: Settings, codes: Sequence[str]) -> str:
    """Set the account's menu; gives what to tell. May be repeated."""
    if not settings.wechat_app_id:
        raise Refusal("there is no WeChat account: set SPORTELLO_WECHAT_APP_ID")
    codes = tuple(dict.fromkeys(codes)) or (LANGUAGE_HINT,)
    for code in codes:
        if code not in CODES:
            raise Refusal(f"--language {code}: must be one of {', '.join(CODES)}")
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    made = menu(catalogue, codes)
    async with open_database(settings) as database:
        adapter = wechat(settings, database, clock.now)
        try:
            await adapter.set_menu(made)
        except PlatformRefusedError as error:
            raise Refusal(f"WeChat refused: {error}") from error
        finally:
            await adapter.close()
    return "\n".join(["WeChat now has this menu; a phone shows it within minutes:", *_lines(made)])


def _lines(made: dict[str, Any]) -> Iterator[str]:
    for button in made["button"]:
        yield f"  {button['name']}"
        yield from (f"    {below['name']}" for below in button.get("sub_button", ()))
