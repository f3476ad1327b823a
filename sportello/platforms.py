"""The platforms that are set up: every adapter is made here, in one visible list."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from bot.actions import Wording
from bot.languages import DEFAULT
from bot.wording import Catalogue
from channels.adapter import Adapter, CalledAdapter, PulledAdapter
from channels.telegram import TelegramAdapter
from channels.whatsapp import Access, Template, WhatsAppAdapter
from handoff.channels import DeskChannel
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
    if CHANNELS["telegram"](settings):
        made.append(telegram(settings))
    if CHANNELS["whatsapp"](settings):
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


# The channels that this program knows and when each is on, in the order in which pages and `sportello settings` list
# them.
CHANNELS: Final[Mapping[str, Callable[[Settings], bool]]] = {
    "telegram": lambda settings: bool(settings.telegram_token.get_secret_value()),
    "whatsapp": lambda settings: bool(settings.whatsapp_phone_id and settings.whatsapp_token.get_secret_value()),
}


def transfers(settings: Settings) -> list[tuple[str, bool, str]]:
    """Give every channel by id, whether it is on, and what it transfers to whom, as the desk says it."""
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    return [
        (
            name,
            is_on(settings),
            catalogue.text(
                Wording("desk.channels.transfers", (("whom", catalogue.text(f"desk.whom.{name}", "en")),)), "en"
            ),
        )
        for name, is_on in CHANNELS.items()
    ]


def desk_channels(adapters: tuple[Adapter, ...]) -> list[DeskChannel]:
    """Give every channel as the desk shows it, those that are not set up too."""
    return [_desk_channel(name, next((made for made in adapters if made.channel == name), None)) for name in CHANNELS]


def _desk_channel(name: str, adapter: Adapter | None) -> DeskChannel:
    if adapter is None:
        return DeskChannel(name, None)
    window = adapter.capabilities.after_text
    return DeskChannel(
        name, adapter.account, windowed=window is not None, messages=None if window is None else window.messages
    )


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
