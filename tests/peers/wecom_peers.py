"""WeCom tried with what others wrote: @wecom/crypto for its callback, and wechatpy 2 as a client of our fake server."""

import json
from typing import Any

import httpx
import pytest

from channels.adapter import Call, RejectedError
from channels.wechat_envelope import read_xml, write_xml
from tests.channels.wecom_peer import adapter_of
from tests.conftest import START, FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import AES_KEY, CALLBACK_TOKEN, CORP_ID, OPEN_KFID
from tests.peers.conftest import Node, OthersPython, told

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


KEYS = {"corp": CORP_ID, "secret": SECRET, "token": CALLBACK_TOKEN, "aes_key": AES_KEY}


async def test_a_client_of_customer_service_is_served_by_our_fake_as_by_wecom(
    others: OthersPython, clock: FakeClock
) -> None:
    api = FakeKf(clock=clock.timestamp)
    with LoopbackServer(api.app()) as server:
        async with others.talking("kf_client.py", server.url, json.dumps(KEYS)) as process:

            async def asks(part: str, call: str, **arguments: Any) -> Any:
                return await told(process, [part, call, arguments])

            async def rung() -> str:
                call = api.rings()
                event = await asks("ring", "", body=call.body.decode(), **call.query)
                assert (event["event"], event["kind"]) == ("kf_msg_or_event", "KFMsgOrEventEvent")
                return str(event["token"])

            code = api.enters("wmA", scene="market")
            welcome = {"msgtype": "text", "msg_content": {"text": {"content": "欢迎 benvenuto"}}}
            assert (await asks("kf", "send_msg_on_event", code=code, msgid="w1", **welcome))["msgid"] == "w1"
            assert await asks("kf", "send_msg_on_event", code=code, **welcome) == 40058, "a code is good for once"
            for text in ("uno", "due", "tre"):
                api.writes("wmA", text)
            api.page, api.empty_pages = 2, 1
            token, cursor, seen = await rung(), "", list[Any]()
            while True:
                page = await asks("kf", "sync_msg", token=token, cursor=cursor)
                seen.append([each.get("text", {}).get("content") for each in page["msg_list"]])
                cursor = page["next_cursor"]
                if not page["has_more"]:
                    break
            assert seen == [[], [None, "uno"], ["due", "tre"]], "an empty page first, though there is more"
            assert (await asks("kf", "sync_msg", token=token, cursor=cursor))["msg_list"] == []
            clock.advance(minutes=10)
            assert await asks("kf", "sync_msg", token=token, cursor=cursor) == 95007
            assert (await asks("kf", "sync_msg", token="", cursor=cursor))["errcode"] == 0, "few may come without"
            await _writes(api, asks)
            # A token that is lost is fetched anew by the library itself, which repeats the call.
            api.lose_token()
            assert (await asks("kf", "sync_msg", token=await rung(), cursor=cursor))["errcode"] == 0
            assert api.tokens_fetched == 2


async def _writes(api: FakeKf, asks: Any) -> None:
    """Let the client write as long as it may, and change the state of a session."""
    of = {"user_id": "wmA", "open_kfid": OPEN_KFID}
    session = {"open_kfid": OPEN_KFID, "external_userid": "wmA"}
    assert (await asks("kf_message", "send_text", **of, content="ciao 你好", msgid="m1"))["msgid"] == "m1"
    assert await asks("kf_message", "send_text", **of, content="ciao", msgid="m1") == 40058, "an id is good for once"
    assert await asks("kf_message", "send_text", **of, content="中" * 683) == 45002
    assert await asks("kf_message", "send_text", **of | {"user_id": "wmX"}, content="x") == 40096
    assert await asks("kf_message", "send_text", **of | {"open_kfid": "wkX"}, content="x") == 95000
    menu = {"head_content": "?", "menu_list": [{"type": "click", "click": {"id": "1", "content": "Sì"}}]}
    assert (await asks("kf_message", "send_msgmenu", **of, **menu, tail_content=""))["errcode"] == 0
    assert (await asks("kf", "get_service_state", **session))["service_state"] == 0
    for state, found in ((1, 0), (3, 0), (1, 95016)):
        given = await asks("kf", "trans_service_state", **session, service_state=state)
        assert (given if isinstance(given, int) else given["errcode"]) == found, state
    assert await asks("kf_message", "send_text", **of, content="x") == 95018, "it is with staff"
    assert (await asks("kf", "trans_service_state", **session, service_state=4))["errcode"] == 0
    api.writes("wmA", "ancora")
    ends = [await asks("kf_message", "send_text", **of, content=str(number)) for number in range(6)]
    assert [end if isinstance(end, int) else 0 for end in ends] == [0] * 5 + [95001]
    assert [sent.text for sent in api.sent] == ["欢迎 benvenuto", "ciao 你好", "?", *"01234"]
