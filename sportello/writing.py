"""From the desk to the platform that shows that somebody is writing: the two rooms do not know one another."""

from collections.abc import Sequence

from channels.adapter import Adapter
from channels.composing import ShowsTyping, ShowsTypingUnder, show, tried
from handoff.writing import Show
from store import conversations
from store.conversations import Address
from store.database import Database


def showing(database: Database, adapters: Sequence[Adapter]) -> Show:
    """Make the function with which the desk shows it, on whichever platforms have such a sign."""
    platforms: dict[tuple[str, str], object] = {(adapter.channel, adapter.account): adapter for adapter in adapters}

    async def under_the_last(platform: ShowsTypingUnder, address: Address) -> None:
        async with database.read() as connection:
            message_id = await conversations.last_written(connection, address)
        if message_id is not None:
            await platform.show_typing_under(message_id)

    async def typing(address: Address) -> None:
        platform = platforms.get((address.channel, address.account))
        if isinstance(platform, ShowsTyping):
            await show(platform, address.thread)
        elif isinstance(platform, ShowsTypingUnder):
            await tried(under_the_last(platform, address))

    return typing
