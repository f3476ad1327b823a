"""What the commands of the Telegram bot do."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Final

import typer
from prometheus_client import CollectorRegistry
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.languages import CODES, DEFAULT
from bot.wording import Catalogue
from channels import polling
from channels.counting import InboxCounts
from channels.telegram import TelegramAdapter
from sportello import clock
from sportello.commands import open_database
from sportello.opening import Refusal
from sportello.platform_settings import SCENE
from sportello.platforms import telegram
from sportello.settings import Settings

# The words that a Latin keyboard can write, in the order of the bot's menu: see `bot.commands`, which knows them all.
COMMANDS: Final = (
    ("start", "bot.command.start"),
    ("menu", "bot.choice.menu"),
    ("lingua", "bot.choice.languages"),
    ("persona", "bot.choice.person"),
    ("stop", "bot.choice.stop_waiting"),
    ("cancella", "bot.choice.delete"),
)
# In characters (https://core.telegram.org/bots/api#setmydescription, #setmyshortdescription).
DESCRIPTION_MAX: Final = 512
SHORT_MAX: Final = 120


def _telegram(settings: Settings) -> TelegramAdapter:
    if not settings.telegram_token.get_secret_value():
        raise Refusal("there is no Telegram bot: set SPORTELLO_TELEGRAM_TOKEN")
    return telegram(settings)


def _told(error: TelegramError) -> str:
    """Say whether Telegram refused, or was not there to refuse: the library's BadRequest is a NetworkError, too."""
    what = "cannot be reached" if type(error) in {NetworkError, TimedOut} else "refused"
    return f"Telegram {what}: {error.message}"


async def set_webhook(settings: Settings) -> str:
    """Register the webhook; gives what to tell."""
    adapter = _telegram(settings)
    if not settings.telegram_secret.get_secret_value():
        raise Refusal("without a secret there is no webhook route: set SPORTELLO_TELEGRAM_SECRET")
    if not settings.secure and settings.telegram_api_base == "https://api.telegram.org":
        raise Refusal("Telegram calls only https addresses: set SPORTELLO_PUBLIC_URL")
    url = f"{settings.address}/webhooks/telegram"
    try:
        await adapter.set_webhook(url)
    except TelegramError as error:
        raise Refusal(_told(error)) from error
    finally:
        await adapter.close()
    return f"Telegram now sends updates to {url}"


async def link(settings: Settings, scene: str) -> str:
    """Give the link that opens a chat with the bot and tells by which poster or card somebody came."""
    if not SCENE.fullmatch(scene):
        raise Refusal("a scene has 1 to 64 letters without accents, digits, _ and -")
    adapter = _telegram(settings)
    try:
        return f"https://t.me/{await adapter.username()}?start={scene}"
    except TelegramError as error:
        raise Refusal(_told(error)) from error
    finally:
        await adapter.close()


@dataclass(frozen=True, slots=True)
class Described:
    """What Telegram shows of the bot to readers of one language."""

    commands: tuple[tuple[str, str], ...]
    description: str
    short: str


def described(catalogue: Catalogue, code: str) -> Described:
    """Give what is to be shown in a language. Raises Refusal where it is longer than Telegram shows."""
    told = Described(
        tuple((name, catalogue.text(wording, code)) for name, wording in COMMANDS),
        catalogue.text("bot.about", code),
        catalogue.text("bot.about_short", code),
    )
    if len(told.description) > DESCRIPTION_MAX or len(told.short) > SHORT_MAX:
        raise Refusal(f"the description in {code!r} is too long: shorten SPORTELLO_OPERATOR")
    return told


async def describe(settings: Settings) -> str:
    """Set commands and descriptions in every language; gives what to tell. May be repeated."""
    adapter = _telegram(settings)
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    # Whose app is in none of our languages reads what the bot itself would begin with.
    readers = [(None, DEFAULT), *((code, code) for code in CODES)]
    texts = [(reader, described(catalogue, code)) for reader, code in readers]
    try:
        for reader, told in texts:
            await adapter.describe(told.commands, told.description, told.short, language=reader)
    except TelegramError as error:
        raise Refusal(f"{_told(error)}. What was set stays; run it again.") from error
    finally:
        await adapter.close()
    return f"Telegram now shows {len(COMMANDS)} commands and the descriptions in {len(CODES)} languages."


async def poll(settings: Settings, *, drop_webhook: bool) -> None:
    """Poll until SIGINT or SIGTERM."""
    adapter = _telegram(settings)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_database(settings) as database:
        try:
            if drop_webhook:
                await adapter.delete_webhook()
            typer.echo("Fetching updates. Stop with Ctrl-C.")
            fetching = asyncio.create_task(
                polling.poll(
                    adapter,
                    database,
                    clock=clock.now,
                    new_id=clock.new_id,
                    counts=InboxCounts.on(CollectorRegistry()),
                    stop=stop,
                )
            )
            await stop.wait()
            # What was fetched but not stored was not confirmed either, and comes again.
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
        except TelegramError as error:
            raise Refusal(_told(error)) from error
        finally:
            await adapter.close()
