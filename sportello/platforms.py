"""The platforms that are set up: every adapter is made here, in one visible list."""

from collections.abc import Callable
from datetime import datetime

from channels.access import AccessToken
from channels.adapter import Adapter, CalledAdapter, PulledAdapter
from channels.telegram import TelegramAdapter
from channels.wecom import WecomAdapter
from channels.wecom_api import Fetch, WecomApi
from sportello.settings import Settings
from store.database import Database


def adapters(settings: Settings, database: Database, clock: Callable[[], datetime]) -> tuple[Adapter, ...]:
    """Make the adapters of the platforms that are set up."""
    made: list[Adapter] = []
    if settings.telegram_token.get_secret_value():
        made.append(telegram(settings))
    if settings.wecom_secret.get_secret_value():
        made.append(wecom(settings, database, clock))
    return tuple(made)


def called(settings: Settings, adapters: tuple[Adapter, ...]) -> list[CalledAdapter]:
    """Give the adapters whose platform may call us: without a secret to know it by, a platform may not."""
    known = bool(settings.telegram_secret.get_secret_value())
    rings = bool(settings.wecom_token.get_secret_value())
    calling: list[CalledAdapter] = [each for each in adapters if isinstance(each, TelegramAdapter) and known]
    calling += [each for each in adapters if isinstance(each, WecomAdapter) and rings]
    return calling


def pulled(adapters: tuple[Adapter, ...]) -> list[PulledAdapter]:
    """Give the adapters whose platform only says that there is something to fetch."""
    return [adapter for adapter in adapters if isinstance(adapter, WecomAdapter)]


def telegram(settings: Settings) -> TelegramAdapter:
    """Make the adapter of the Telegram bot."""
    return TelegramAdapter(
        settings.telegram_token.get_secret_value(),
        settings.telegram_secret.get_secret_value(),
        settings.telegram_api_base,
        rate=settings.telegram_rate,
    )


def wecom(settings: Settings, database: Database, clock: Callable[[], datetime]) -> WecomAdapter:
    """Make the adapter of the customer service account at WeCom."""
    corp_id, account = settings.wecom_corp_id, settings.wecom_open_kfid

    def kept(fetch: Fetch) -> AccessToken:
        return AccessToken(database, channel=WecomAdapter.channel, account=account, fetch=fetch, clock=clock)

    return WecomAdapter(
        corp_id=corp_id,
        open_kfid=account,
        api=WecomApi(corp_id, settings.wecom_secret.get_secret_value(), settings.wecom_api_base, kept),
        token=settings.wecom_token.get_secret_value(),
        aes_key=settings.wecom_aes_key.get_secret_value(),
        menus=settings.wecom_menus,
    )
