"""A client of the Cloud API that others wrote (pywa) drives our fake, and reads the same calls as our adapter."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from channels.adapter import Call, InboundKind, RejectedError
from channels.whatsapp import SIGNATURE_HEADER
from tests.channels.whatsapp_peer import adapter_for
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import PHONE_ID, SECRET, TOKEN, FakeCloudApi, SentMessage, message_value, text_value
from tests.peers.conftest import OthersPython

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OPEN, CLOSED = "393331234567", "390000000000"


async def test_pywa_and_our_fake_and_our_adapter_agree(others: OthersPython) -> None:
    """Serve the fake, let the client at it, and look at what arrived."""
    api = FakeCloudApi()
    api.heard(OPEN, "wamid.1")
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
        said = await others.run("pywa_client.py", server.url, json.dumps(told))
    assert [message.via for message in api.sent] == ["text", "button", "list", "template"], api.sent
    assert api.read == ["wamid.1"]
    theirs = [tuple(each) for each in json.loads(said.splitlines()[-1])]
    ours = [understood(body, signature) for body, signature in calls.values()]
    assert ours == theirs


def understood(body: str, signature: str) -> tuple[str, str | int | None]:
    """Let our adapter verify and parse a call, and say in the client's words what it says."""
    adapter = adapter_for("http://127.0.0.1:9")
    call = Call({SIGNATURE_HEADER: signature}, {}, body.encode())
    for forged in (replace(call, body=call.body + b" "), replace(call, headers={})):
        try:
            adapter.verify(forged, now=NOW)
        except RejectedError:
            continue
        raise AssertionError("our adapter believes what the client refuses")
    (found,) = adapter.parse(adapter.verify(call, now=NOW))
    match found.kind:
        case InboundKind.TEXT:
            return "text", found.text
        case InboundKind.CHOICE:
            return "tap", found.choice_id
        case InboundKind.UNDELIVERED:
            return "failed", int((found.text or "").split()[0])
        case other:
            raise AssertionError(other)
