"""From the desk to the platform that shows that somebody is writing: the two rooms do not know one another."""

from collections.abc import Sequence

from channels.adapter import Adapter
from channels.composing import ShowsTyping, show
from handoff.writing import Show
from store.conversations import Address


def showing(adapters: Sequence[Adapter]) -> Show:
    """Make the function with which the desk shows it, on whichever platforms have such a sign."""
    shown = {(adapter.channel, adapter.account): adapter for adapter in adapters if isinstance(adapter, ShowsTyping)}

    async def typing(address: Address) -> None:
        platform = shown.get((address.channel, address.account))
        if platform is not None:
            await show(platform, address.thread)

    return typing
