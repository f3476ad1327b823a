"""What the commands of the Telegram bot do."""

import asyncio
import signal

import typer
from prometheus_client import CollectorRegistry
from telegram.error import TelegramError

from channels import polling
from channels.counting import InboxCounts
from channels.telegram import TelegramAdapter
from sportello import clock
from sportello.commands import open_database
from sportello.opening import Refusal
from sportello.platforms import telegram
from sportello.settings import Settings


def _telegram(settings: Settings) -> TelegramAdapter:
    if not settings.telegram_token.get_secret_value():
        raise Refusal("there is no Telegram bot: set SPORTELLO_TELEGRAM_TOKEN")
    return telegram(settings)


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
        raise Refusal(f"Telegram refused: {error.message}") from error
    finally:
        await adapter.close()
    return f"Telegram now sends updates to {url}"


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
            raise Refusal(f"Telegram refused: {error.message}") from error
        finally:
            await adapter.close()
