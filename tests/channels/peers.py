"""Every platform's other side, in one list: the suite of `test_contract` runs over it."""

from collections.abc import Callable
from typing import Final

from tests.channels.bridge_peer import BridgePeer
from tests.channels.peer import Peer
from tests.channels.phone_peer import PhonePeer
from tests.channels.telegram_peer import TelegramPeer

PEERS: Final[tuple[Callable[[], Peer], ...]] = (TelegramPeer, PhonePeer, BridgePeer)
