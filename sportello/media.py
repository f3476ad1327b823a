"""From the desk to the platform that has a medium: the two rooms do not know one another."""

from collections.abc import Sequence

import structlog

from channels.adapter import Adapter, MediaSource, MediumGoneError, PlatformRefusedError
from handoff.media import Fetch, Fetched, UnavailableError
from store.conversations import Address

log = structlog.get_logger(__name__)


def fetching(adapters: Sequence[Adapter]) -> Fetch:
    """Make the function with which the desk fetches media, from whichever platform has them."""
    sources = {(adapter.channel, adapter.account): adapter for adapter in adapters if isinstance(adapter, MediaSource)}

    async def fetch(address: Address, ref: str) -> Fetched:
        source = sources.get((address.channel, address.account))
        if source is None:
            raise UnavailableError("desk.media.gone", 410)
        try:
            medium = await source.fetch(ref)
        except MediumGoneError as error:
            if error.too_large:
                raise UnavailableError("desk.media.too_large", 413) from error
            raise UnavailableError("desk.media.gone", 410) from error
        except PlatformRefusedError as error:
            log.warning("medium_not_fetched", channel=address.channel, reason=str(error))
            raise UnavailableError("desk.media.unreachable", 503) from error
        return Fetched(medium.media_type, medium.content)

    return fetch
