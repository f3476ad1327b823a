"""The platforms that are set up: every adapter is made here, in one visible list."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from channels import bridge, phone, relay
from channels.adapter import Adapter, CalledAdapter, PulledAdapter
from channels.bridge import Bridge
from channels.phone import PhoneDevice
from channels.telegram import TelegramAdapter
from sportello.settings import Settings
from store.database import Database

# Channels whose messages are taken by an operator, a phone or a bridge: nothing of ours sends them.
HANDED_OVER: Final = (relay.CHANNEL, phone.CHANNEL, bridge.CHANNEL)


def adapters(settings: Settings, database: Database, clock: Callable[[], datetime]) -> tuple[Adapter, ...]:  # noqa: ARG001 - for platforms with tokens
    """Make the adapters of the platforms that are set up."""
    made: list[Adapter] = []
    if settings.telegram_token.get_secret_value():
        made.append(telegram(settings))
    return tuple(made)


def called(settings: Settings, adapters: tuple[Adapter, ...]) -> list[CalledAdapter]:
    """Give the adapters whose platform may call us: without a secret to know it by, a platform may not."""
    known = bool(settings.telegram_secret.get_secret_value())
    return [adapter for adapter in adapters if isinstance(adapter, TelegramAdapter) and known]


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


def phones(settings: Settings) -> tuple[PhoneDevice, ...]:
    """Make the phones that pass on notifications. Nothing pushes to them: they fetch."""
    return tuple(PhoneDevice(name, token) for name, token in settings.phones)


def bridges(settings: Settings) -> Bridge | None:
    """Make the bridge, where one is set up."""
    secret = settings.bridge_secret.get_secret_value()
    return Bridge(settings.bridge_name, secret) if secret else None
