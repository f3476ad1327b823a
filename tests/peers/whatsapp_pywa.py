"""An independent client of the Cloud API drives our fake, and reads the calls that our adapter is tried with.

pywa (MIT) is not among our libraries. In an environment of its own, outside the repository:

    python3 -m venv FOLDER && FOLDER/bin/pip install pywa==4.5.0
    python -m tests.peers.whatsapp_pywa FOLDER/bin/python

Prints what was tried; ends with an error where client and fake disagree.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import PHONE_ID, SECRET, TOKEN, FakeCloudApi, SentMessage, message_value, text_value

OPEN, CLOSED = "393331234567", "390000000000"


def main() -> None:
    """Serve the fake, let the client at it, and look at what arrived."""
    api = FakeCloudApi()
    api.heard(OPEN)
    api.keep("m1", "image/jpeg", b"picture")
    failed = SentMessage(OPEN, "wamid.f", "text", "", (), 0.0)
    reply = {"type": "button_reply", "button_reply": {"id": "7.1", "title": "No"}}
    values = {
        "text": text_value("سلام", key="wamid.1", sender=OPEN),
        "tap": message_value("interactive", reply, key="wamid.t", sender=OPEN),
        "failed": api.failed_status(failed, 131047),
    }
    calls = {
        name: [part if isinstance(part, str) else part.decode() for part in (body, headers["x-hub-signature-256"])]
        for name, (body, headers) in ((name, api.call(value)) for name, value in values.items())
    }
    told = {"phone": PHONE_ID, "token": TOKEN, "secret": SECRET, "open": OPEN, "closed": CLOSED, "calls": calls}
    with LoopbackServer(api.app()) as server:
        api.url = server.url
        client = Path(__file__).with_name("whatsapp_pywa_client.py")
        arguments = [sys.argv[1], str(client), server.url, json.dumps(told)]
        subprocess.run(arguments, check=True, timeout=60)  # noqa: S603 - our own program, by the interpreter that was named
    assert [message.via for message in api.sent] == ["text", "button", "list", "template"], api.sent
    print("the fake took: " + ", ".join(message.via for message in api.sent))


if __name__ == "__main__":
    main()
