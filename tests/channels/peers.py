"""Every platform's other side, in one list: the suite of `test_contract` runs over it."""

from collections.abc import Callable
from typing import Final

from tests.channels.bridge_peer import BridgePeer
from tests.channels.peer import Peer
from tests.channels.phone_peer import PhonePeer
from tests.channels.telegram_peer import TelegramPeer
from tests.channels.wechat_peer import WeChatPeer
from tests.channels.wecom_peer import WecomPeer
from tests.channels.whatsapp_peer import WhatsAppPeer

PEERS: Final[tuple[Callable[[], Peer], ...]] = (
    TelegramPeer,
    WeChatPeer,
    WecomPeer,
    WhatsAppPeer,
    PhonePeer,
    BridgePeer,
)
