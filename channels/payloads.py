"""Payloads as they come: read where they are JSON, and named by a digest where a platform gives them no id."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from channels.adapter import BadPayloadError, Inbound


class PartlyReadError(BadPayloadError):
    """A payload that holds several things, of which some cannot be read: those are set aside, and no others with them.

    `read` is what came in all the same, `rest` what is set aside.
    """

    def __init__(self, message: str, *, read: Sequence[Inbound], rest: Any) -> None:
        """Say what is wrong with the first of them."""
        super().__init__(message)
        self.read = tuple(read)
        self.rest = rest


def json_or_text(body: bytes) -> Any:
    """Read a body as JSON; what is none is given as text, for `parse` to refuse."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def digest(payload: Any) -> str:
    """Give a key for any payload: the same for the same content. Never raises."""
    try:
        canonical = json.dumps(payload, sort_keys=True, default=repr)
    except (TypeError, ValueError, RecursionError):
        canonical = repr(payload)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()
