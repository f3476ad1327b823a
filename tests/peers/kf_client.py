"""WeCom's customer service as wechatpy 2 speaks it: runs where that is installed, and needs nothing else of ours.

    kf_client.py ADDRESS KEYS

A line of JSON in, [part of the client, what to call, its arguments by name]; a line out, what it gave, or the number
with which the server refused. The part "ring" opens a callback of the platform.
"""

import json
import sys
from functools import partial
from typing import Any

from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient, parse_message
from wechatpy.work.crypto import WeChatCrypto


def main() -> None:
    """Do what each line asks for."""
    address, keys = sys.argv[1], json.loads(sys.argv[2])
    client = WeChatClient(keys["corp"], keys["secret"], timeout=10)
    client.API_BASE_URL = f"{address}/cgi-bin/"
    # The library has the address of the real server written into it where it fetches tokens.
    of = {"corpid": keys["corp"], "corpsecret": keys["secret"]}
    client.fetch_access_token = partial(client._fetch_access_token, url=f"{client.API_BASE_URL}gettoken", params=of)
    envelope = WeChatCrypto(keys["token"], keys["aes_key"], keys["corp"])
    for line in sys.stdin:
        part, call, arguments = json.loads(line)
        found = opened(envelope, arguments) if part == "ring" else asked(getattr(client, part), call, arguments)
        print(json.dumps(found), flush=True)


def opened(envelope: WeChatCrypto, arguments: dict[str, str]) -> Any:
    """Open a callback, and read it."""
    text = envelope.decrypt_message(
        arguments["body"], arguments["msg_signature"], arguments["timestamp"], arguments["nonce"]
    )
    event = parse_message(text)
    return {"event": event.event, "token": event.token, "kind": type(event).__name__}


def asked(part: Any, call: str, arguments: dict[str, Any]) -> Any:
    """Call the library; where the server refuses, give its number."""
    try:
        given = getattr(part, call)(**arguments)
    except WeChatClientException as refused:
        return refused.errcode
    return given


if __name__ == "__main__":
    main()
