"""WeChat tried with what others wrote for Node: two libraries for the envelope, a receiver, and a client."""

from typing import Any

import httpx
import pytest

from channels.wechat_envelope import Envelope, Opened, read_xml, write_xml
from store.conversations import Author
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET
from tests.fakes.wechat_platform import ACCOUNT, AES_KEY, OLD_AES_KEY, TOKEN, FakeWeChat, signed
from tests.peers.conftest import Node
from tests.sportello.wechat_desk import WeChatDesk

TEXTS = [
    "hello",
    "",
    "ciao, perché? 你好，居留许可 – رہائشی اجازت نامہ – আবাসনের অনুমতি – ਨਿਵਾਸ 👩🏽‍⚕️" * 40,
    "رہائشی اجازت نامہ کی تجدید",
    "আবাসনের অনুমতি নবায়ন",
    "👩🏽‍⚕️🇮🇹",
    "<xml><Content><![CDATA[x]]></Content></xml>",
    *("a" * length for length in (11, 12, 13, 31, 32, 33, 2048)),
]
RANDOM = b"aaaabbbbccccdddd"
LIBRARIES = ("wechat-crypto", "@wecom/crypto")


@pytest.mark.parametrize("key", [AES_KEY, OLD_AES_KEY])
async def test_the_envelope_agrees_with_two_libraries_in_both_directions(node: Node, key: str) -> None:
    ours = Envelope(token=TOKEN, aes_key=key, receiver=APP_ID)
    sealed = [read_xml(ours.seal(text, timestamp="1409659813", nonce="12", random=RANDOM)) for text in TEXTS]
    keys = {"token": TOKEN, "key": key, "id": APP_ID}
    found = await node.ask("wechat_crypto.js", {"keys": keys, "seal": TEXTS, "open": sealed})
    for library in LIBRARIES:
        assert found[library]["opened"] == [{"signed": True, "message": text, "id": APP_ID} for text in TEXTS]
        for text, theirs in zip(TEXTS, found[library]["sealed"], strict=True):
            given = theirs.pop("signature")
            assert ours.is_signed(given, **theirs)
            assert ours.open(theirs["encrypted"]) == Opened(text, 0)


def posted(theirs: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Make the request around what a library sealed and signed: only the signature of the address is ours."""
    query = {"timestamp": theirs["timestamp"], "nonce": theirs["nonce"], "encrypt_type": "aes", "openid": OPENID}
    query |= {"signature": signed(TOKEN, query["timestamp"], query["nonce"]), "msg_signature": theirs["signature"]}
    return query, write_xml({"ToUserName": ACCOUNT, "Encrypt": theirs["encrypted"]}).encode()


@pytest.mark.parametrize("library", LIBRARIES)
async def test_what_a_library_seals_is_answered_and_the_library_opens_the_answer(
    node: Node, wechat: WeChatDesk, library: str
) -> None:
    keys = {"token": TOKEN, "key": AES_KEY, "id": APP_ID}
    asked = {"keys": keys, "timestamp": str(int(wechat.desk.clock.timestamp()))}
    fields = wechat.platform.text("guardia medica")
    found = await node.ask("wechat_crypto.js", {**asked, "seal": [write_xml(fields)]})
    query, body = posted(found[library]["sealed"][0])
    # Through the webhook of the whole program, whose first answer goes with the request; the same when it is repeated.
    (status, reply), again = await wechat.post(query, body), await wechat.post(query, body)
    assert (status, again[0]) == (200, 200)
    outer = [read_xml(each) for each in (reply, again[1])]
    opened = (await node.ask("wechat_crypto.js", {"keys": keys, "open": outer}))[library]["opened"]
    assert [(each["signed"], each["id"]) for each in opened] == [(True, APP_ID)] * 2
    first, second = (read_xml(each["message"]) for each in opened)
    assert (first["ToUserName"], first["FromUserName"], first["MsgType"]) == (OPENID, ACCOUNT, "text")
    assert first["Content"] == second["Content"] != ""
    assert [row.body["text"] for row in await wechat.transcript() if row.author is Author.RESIDENT] == [
        "guardia medica"
    ]


@pytest.mark.parametrize("library", LIBRARIES)
async def test_what_a_library_seals_for_others_or_signs_otherwise_is_refused(
    node: Node, wechat: WeChatDesk, library: str
) -> None:
    keys = {"token": TOKEN, "key": AES_KEY, "id": APP_ID}
    asked = {"timestamp": str(int(wechat.desk.clock.timestamp())), "seal": [write_xml(wechat.platform.text("ciao"))]}
    for other in ({"id": "wx0000000000000000"}, {"token": "another"}):
        found = await node.ask("wechat_crypto.js", {**asked, "keys": {**keys, **other}})
        status, _ = await wechat.post(*posted(found[library]["sealed"][0]))
        assert 400 <= status < 500, other
    assert sum((await wechat.desk.inbox_counts()).values()) == 0
    # Signed with our token, and sealed with a key that we do not have: an administrator has to see that.
    found = await node.ask("wechat_crypto.js", {**asked, "keys": {**keys, "key": OLD_AES_KEY}})
    assert await wechat.post(*posted(found[library]["sealed"][0])) == (200, "success")
    counts = await wechat.desk.inbox_counts()
    assert (counts["set-aside"], sum(counts.values())) == (1, 1)


@pytest.mark.parametrize("mode", ["safe", "plain"])
async def test_a_receiver_understands_our_fake_platform_and_is_understood(
    node: Node, clock: FakeClock, mode: str
) -> None:
    platform = FakeWeChat(clock=clock, mode=mode)
    # Without "]]>": this receiver repeats it without escaping, so that its own reply is no XML.
    text = "ciao 你好 <b> & اردو 👩🏽‍⚕️"
    messages: list[tuple[dict[str, Any], str]] = [
        (platform.text(text), f"text|{text}"),
        (platform.event("subscribe", EventKey="qrscene_market"), "event|subscribe|qrscene_market"),
        (platform.event("CLICK", EventKey="menu"), "event|CLICK|menu"),
        (platform.message(MsgType="image", MediaId="m1", PicUrl="http://127.0.0.1/1"), "image|m1"),
        (platform.message(MsgType="location", Location_X="43.88", Location_Y="11.09", Label=""), "location|43.88"),
    ]
    async with node.serving("wechat_receiver.js", TOKEN, AES_KEY, APP_ID) as address, httpx.AsyncClient() as client:

        async def post(query: dict[str, str], body: bytes) -> tuple[int, str]:
            answer = await client.post(address, params=query, content=body)
            return answer.status_code, answer.text

        check = platform.check("5837397576500011341")
        assert (await client.get(address, params=check)).text == "5837397576500011341"
        assert (await client.get(address, params=check | {"signature": "0" * 40})).status_code == 401
        for message, _ in messages:
            await platform.deliver(message, post)
    assert [(shown.text, shown.how) for shown in platform.shown] == [(said, "passive") for _, said in messages]


async def test_a_receiver_understands_our_envelope_and_we_its_reply(node: Node) -> None:
    ours = Envelope(token=TOKEN, aes_key=AES_KEY, receiver=APP_ID)
    fields: dict[str, str | int] = {
        "ToUserName": ACCOUNT,
        "FromUserName": OPENID,
        "CreateTime": 1409659813,
        "MsgType": "text",
    }
    async with node.serving("wechat_receiver.js", TOKEN, AES_KEY, APP_ID) as address, httpx.AsyncClient() as client:
        for number, text in enumerate(["ciao", "你好 <b> & اردو বাংলা 👩🏽‍⚕️"]):
            inner = write_xml({**fields, "Content": text, "MsgId": 4561255354251345929 + number})
            sealed = read_xml(ours.seal(inner, timestamp="1409659813", nonce="1372623149", random=RANDOM))
            query = {"timestamp": "1409659813", "nonce": "1372623149", "encrypt_type": "aes"}
            query["signature"] = signed(TOKEN, query["timestamp"], query["nonce"])
            query["msg_signature"] = sealed["MsgSignature"]
            body = write_xml({"ToUserName": ACCOUNT, "Encrypt": sealed["Encrypt"]})
            answer = await client.post(address, params=query, content=body.encode())
            reply = read_xml(answer.text)
            assert ours.is_signed(
                reply["MsgSignature"],
                timestamp=reply["TimeStamp"],
                nonce=reply["Nonce"],
                encrypted=reply["Encrypt"],
            )
            read = read_xml(ours.open(reply["Encrypt"]).text)
            assert (read["ToUserName"], read["Content"]) == (OPENID, f"text|{text}")


async def test_a_client_is_served_by_our_fake_interface_as_by_the_platform(node: Node, clock: FakeClock) -> None:
    platform = FakeWeChat(clock=clock)
    platform.text("ciao")
    stranger = "oSTRANGERq7ou2gfYjqLzSIWZf00"
    platform.unknown.add(stranger)
    with LoopbackServer(platform.app()) as server:
        question = {"base": server.url, "app_id": APP_ID, "secret": SECRET}
        sends = [[OPENID, "ciao 你好 👩🏽‍⚕️"], ["oTHER", "x"], [stranger, "x"], [OPENID, "中" * 683]]
        sends += [[OPENID, str(number)] for number in range(5)]
        found = await node.ask("wechat_client.js", {**question, "sends": sends})
        assert found == [0, 45015, 40003, 45002, 0, 0, 0, 0, 45047]
        assert platform.read_by() == ["ciao 你好 👩🏽‍⚕️", "0", "1", "2", "3"]
        platform.text("ancora")
        # A token lost after the first text: this client asks for another and repeats.
        platform.stall_next(0.0)
        platform.fail_next(40001)
        assert await node.ask("wechat_client.js", {**question, "sends": [[OPENID, "uno"], [OPENID, "due"]]}) == [0, 0]
        assert platform.read_by()[-2:] == ["uno", "due"]
        assert await node.ask("wechat_client.js", {**question, "secret": "wrong", "sends": [[OPENID, "x"]]}) == [40125]
