"""The platforms that are set up: every adapter is made here, in one visible list."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.languages import DEFAULT
from bot.wording import Catalogue
from channels import bridge, phone, relay
from channels.access import AccessToken
from channels.adapter import Adapter, CalledAdapter, PulledAdapter
from channels.bridge import Bridge
from channels.phone import PhoneDevice
from channels.telegram import TelegramAdapter
from channels.wechat import WeChatAdapter
from channels.wechat_api import WeChatApi
from channels.wechat_messages import CHANNEL as WECHAT
from channels.wecom import WecomAdapter
from channels.wecom_api import Fetch, WecomApi
from channels.whatsapp import Access, Template, WhatsAppAdapter
from sportello.settings import Settings
from store.database import Database

# Channels whose messages are taken by an operator, a phone or a bridge: nothing of ours sends them.
HANDED_OVER: Final = (relay.CHANNEL, phone.CHANNEL, bridge.CHANNEL)


def adapters(
    settings: Settings, database: Database, clock: Callable[[], datetime], catalogue: Catalogue
) -> tuple[Adapter, ...]:
    """Make the adapters of the platforms that are set up."""
    made: list[Adapter] = []
    if settings.telegram_token.get_secret_value():
        made.append(telegram(settings))
    if settings.wechat_app_id:
        made.append(wechat(settings, database, clock))
    if settings.wecom_secret.get_secret_value():
        made.append(wecom(settings, database, clock))
    if settings.whatsapp_phone_id:
        made.append(whatsapp(settings, catalogue))
    return tuple(made)


def called(settings: Settings, adapters: tuple[Adapter, ...]) -> list[CalledAdapter]:
    """Give the adapters whose platform may call us: without a secret to know it by, a platform may not."""
    secrets = {
        TelegramAdapter: settings.telegram_secret,
        WeChatAdapter: settings.wechat_token,
        WecomAdapter: settings.wecom_token,
        WhatsAppAdapter: settings.whatsapp_secret,
    }
    known = TelegramAdapter | WeChatAdapter | WecomAdapter | WhatsAppAdapter
    found = [adapter for adapter in adapters if isinstance(adapter, known)]
    return [adapter for adapter in found if secrets[type(adapter)].get_secret_value()]


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


def wechat(settings: Settings, database: Database, clock: Callable[[], datetime]) -> WeChatAdapter:
    """Make the adapter of the WeChat Official Account."""
    app_id = settings.wechat_app_id
    api = WeChatApi(app_id, settings.wechat_secret.get_secret_value(), settings.wechat_api_base)
    return WeChatAdapter(
        app_id=app_id,
        api=api,
        tokens=AccessToken(database, channel=WECHAT, account=app_id, fetch=api.fetch_token, clock=clock),
        token=settings.wechat_token.get_secret_value(),
        aes_key=settings.wechat_aes_key.get_secret_value(),
        old_aes_key=settings.wechat_old_aes_key.get_secret_value(),
        mode=settings.wechat_mode,
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


def phones(settings: Settings) -> tuple[PhoneDevice, ...]:
    """Make the phones that pass on notifications. Nothing pushes to them: they fetch."""
    return tuple(PhoneDevice(name, token) for name, token in settings.phones)


def bridges(settings: Settings) -> Bridge | None:
    """Make the bridge, where one is set up."""
    secret = settings.bridge_secret.get_secret_value()
    return Bridge(settings.bridge_name, secret) if secret else None
