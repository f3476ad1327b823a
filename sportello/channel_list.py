"""The channels that this program knows: which are on, what each transfers to whom, and how the desk shows them."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.actions import Wording
from bot.wording import Catalogue
from channels import bridge, phone, relay
from channels.adapter import Adapter
from handoff.channels import DeskChannel
from sportello.settings import Settings

# In the order in which pages and `sportello settings` list them.
CHANNELS: Final[Mapping[str, Callable[[Settings], bool]]] = {
    "telegram": lambda settings: bool(settings.telegram_token.get_secret_value()),
    "wechat": lambda settings: bool(settings.wechat_app_id),
    "wecom": lambda settings: bool(settings.wecom_secret.get_secret_value()),
    "whatsapp": lambda settings: bool(settings.whatsapp_phone_id),
    phone.CHANNEL: lambda settings: bool(settings.phones),
    relay.CHANNEL: lambda settings: bool(settings.relayed),
    bridge.CHANNEL: lambda settings: bool(settings.bridge_secret.get_secret_value()),
}


def transfers(settings: Settings) -> list[tuple[str, bool, str]]:
    """Give every channel by id, whether it is on, and what it transfers to whom, in the words of the desk."""
    catalogue = Catalogue(settings.zone, {"operator": settings.operator, "service": settings.service_name})
    told: list[tuple[str, bool, str]] = []
    for name, is_on in CHANNELS.items():
        whom = catalogue.text(f"desk.whom.{name}", "en")
        told.append(
            (name, is_on(settings), catalogue.text(Wording("desk.channels.transfers", (("whom", whom),)), "en"))
        )
    return told


def desk_channels(settings: Settings, adapters: tuple[Adapter, ...]) -> list[DeskChannel]:
    """Give every channel as the desk shows it, those that are not set up too; one for each phone and each app."""
    made = [_of_adapter(adapter) for adapter in adapters]
    made += [DeskChannel(phone.CHANNEL, name, beats=True, named=True) for name, _ in settings.phones]
    made += [DeskChannel(relay.CHANNEL, app, named=True) for app in settings.relayed]
    if CHANNELS[bridge.CHANNEL](settings):
        made.append(DeskChannel(bridge.CHANNEL, settings.bridge_name))
    return [
        channel
        for name in CHANNELS
        for channel in [each for each in made if each.id == name] or [DeskChannel(name, None)]
    ]


def _of_adapter(adapter: Adapter) -> DeskChannel:
    window = adapter.capabilities.after_text
    return DeskChannel(
        adapter.channel,
        adapter.account,
        windowed=window is not None,
        messages=None if window is None else window.messages,
    )
