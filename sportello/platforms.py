"""The platforms that are set up: every adapter is made here, in one visible list."""

from collections.abc import Callable
from datetime import datetime

from bot.languages import DEFAULT
from bot.wording import Catalogue
from channels.adapter import Adapter, CalledAdapter, PulledAdapter
from channels.telegram import TelegramAdapter
from channels.whatsapp import Access, Template, WhatsAppAdapter
from sportello.settings import Settings
from store.database import Database


def adapters(
    settings: Settings,
    database: Database,  # noqa: ARG001 - for platforms with tokens
    clock: Callable[[], datetime],  # noqa: ARG001 - likewise
    catalogue: Catalogue,
) -> tuple[Adapter, ...]:
    """Make the adapters of the platforms that are set up."""
    made: list[Adapter] = []
    if settings.telegram_token.get_secret_value():
        made.append(telegram(settings))
    if settings.whatsapp_phone_id and settings.whatsapp_token.get_secret_value():
        made.append(whatsapp(settings, catalogue))
    return tuple(made)


def called(settings: Settings, adapters: tuple[Adapter, ...]) -> list[CalledAdapter]:
    """Give the adapters whose platform may call us: without a secret to know it by, a platform may not."""
    made: list[CalledAdapter] = []
    for adapter in adapters:
        if isinstance(adapter, TelegramAdapter) and settings.telegram_secret.get_secret_value():
            made.append(adapter)
        if isinstance(adapter, WhatsAppAdapter) and settings.whatsapp_secret.get_secret_value():
            made.append(adapter)
    return made


def pulled(adapters: tuple[Adapter, ...]) -> list[PulledAdapter]:  # noqa: ARG001 - for platforms that only ring
    """Give the adapters whose platform only says that there is something to fetch."""
    return []


def telegram(settings: Settings) -> TelegramAdapter:
    """Make the adapter of the Telegram bot."""
    return TelegramAdapter(
        settings.telegram_token.get_secret_value(),
        settings.telegram_secret.get_secret_value(),
        settings.telegram_api_base,
        rate=settings.telegram_rate,
    )


def whatsapp(settings: Settings, catalogue: Catalogue) -> WhatsAppAdapter:
    """Make the adapter of the WhatsApp number."""
    return WhatsAppAdapter(
        Access(
            settings.whatsapp_phone_id,
            settings.whatsapp_token.get_secret_value(),
            settings.whatsapp_secret.get_secret_value(),
            settings.whatsapp_verify_token.get_secret_value(),
        ),
        settings.whatsapp_api_base,
        template=Template.parse(settings.whatsapp_template),
        list_label=lambda language: catalogue.text("bot.choices.open", language or DEFAULT),
    )
