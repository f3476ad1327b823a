"""WeCom's callback tried with @wecom/crypto, which seals what we open and opens what our fake seals."""

import httpx
import pytest

from channels.adapter import Call, RejectedError
from channels.wechat_envelope import read_xml, write_xml
from tests.channels.wecom_peer import adapter_of
from tests.conftest import START
from tests.fakes.wecom_api import FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID
from tests.peers.conftest import Node

ADAPTER = adapter_of("http://127.0.0.1:9")
STAMP = str(int(START.timestamp()))
ASK = {"token": CALLBACK_TOKEN, "key": AES_KEY, "timestamp": STAMP, "nonce": "1372623149"}


def ring(**others: str) -> str:
    """Write the callback as WeCom does."""
    fields = {"ToUserName": CORP_ID, "CreateTime": STAMP, "MsgType": "event", "Event": "kf_msg_or_event"}
    return write_xml(
        fields | {"Token": "ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR", "OpenKfId": OPEN_KFID} | others
    )


async def sealed(node: Node, text: str, *, of: str = CORP_ID) -> tuple[str, dict[str, str]]:
    """Let the library seal a text for a corporation; gives the envelope and the query that signs it."""
    found = await node.ask("wecom_crypto.js", {**ASK, "id": of, "seal": text})
    return found["encrypted"], {"msg_signature": found["signature"], "timestamp": STAMP, "nonce": ASK["nonce"]}


async def test_a_ring_that_the_library_sealed_is_heard(node: Node) -> None:
    encrypted, query = await sealed(node, ring())
    body = write_xml({"ToUserName": CORP_ID, "AgentID": "", "Encrypt": encrypted}).encode()
    payload = ADAPTER.verify(Call({}, query, body), now=START)
    assert ADAPTER.doorbell(payload) == "ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR"
    with pytest.raises(RejectedError):
        ADAPTER.verify(Call({}, query | {"nonce": "1"}, body), now=START)


async def test_a_ring_for_another_corporation_is_refused(node: Node) -> None:
    encrypted, query = await sealed(node, ring(), of="ww0000000000000000")
    with pytest.raises(RejectedError):
        ADAPTER.verify(Call({}, query, write_xml({"Encrypt": encrypted}).encode()), now=START)


async def test_the_check_of_the_address_is_answered_as_it_was_sealed(node: Node) -> None:
    encrypted, query = await sealed(node, "1616140317555161061")
    # Through the address itself, as the platform writes it: base64 has signs that an address writes otherwise.
    url = httpx.URL("http://127.0.0.1/webhooks/wecom", params=query | {"echostr": encrypted})
    assert ADAPTER.check(Call({}, dict(url.params), b""), now=START).body == "1616140317555161061"


async def test_the_library_opens_what_our_fake_sends(node: Node) -> None:
    call = FakeKf(clock=START.timestamp).rings()
    encrypted = read_xml(call.body)["Encrypt"]
    found = await node.ask("wecom_crypto.js", {**ASK, "id": CORP_ID, "nonce": call.query["nonce"], "open": encrypted})
    assert found["signature"] == call.query["msg_signature"]
    assert found["id"] == CORP_ID
    assert read_xml(found["message"])["Event"] == "kf_msg_or_event"
