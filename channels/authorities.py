"""The certificate authorities by which platforms are known."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Give what connections to platforms are checked with, for all of them.

    Read once, because there are 150 of them: that takes a fiftieth of a second and half a megabyte each time.
    """
    return httpx.create_ssl_context()
