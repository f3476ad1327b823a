"""WeCom's calls: its check of the address, its rings, and what only looks like them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Call, RejectedError
from channels.wechat_envelope import write_xml
from channels.wecom import REPLAY_WINDOW, WecomAdapter
from channels.wecom_api import WecomApi
from tests.channels.wecom_peer import adapter_of
from tests.conftest import START
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID, envelope, sealed, signed

ALONE = adapter_of("http://127.0.0.1:9")


def echo(text: str, **query: str) -> Call:
    call = signed(envelope().encrypt(text, random=b"0123456789abcdef"), at=START.timestamp())
    encrypted = call.body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    return Call({}, {**call.query, "echostr": encrypted, **query}, b"")


def test_the_check_of_the_address_gives_back_what_was_sealed() -> None:
    assert ALONE.check(echo("1616140317555161061"), now=START).body == "1616140317555161061"
    assert ALONE.check(echo("1616140317555161061"), now=START).media_type == "text/plain"


def test_the_official_sample_of_a_check_is_answered() -> None:
    with open("tests/channels/data/wechat-vectors.json", encoding="utf-8") as file:  # noqa: PTH123 - read once
        vector = next(each for each in json.load(file)["vectors"] if each["name"] == "V1")
    api = WecomApi(vector["id"], SECRET, "http://127.0.0.1:9", MemoryTokens)
    adapter = WecomAdapter(
        corp_id=vector["id"],
        open_kfid=OPEN_KFID,
        api=api,
        token=vector["token"],
        aes_key=vector["encoding_aes_key"],
    )
    query = {"msg_signature": vector["msg_signature"], "timestamp": vector["timestamp"], "nonce": vector["nonce"]}
    now = START.fromtimestamp(int(vector["timestamp"]), START.tzinfo)
    call = Call({}, {**query, "echostr": vector["encrypted"]}, b"")
    assert adapter.check(call, now=now).body == vector["plaintext"]
    with pytest.raises(RejectedError):
        adapter.check(call, now=START)


@pytest.mark.parametrize(
    "call",
    [
        echo("1", msg_signature="0"),
        echo("1", echostr=""),
        echo("1", timestamp="1"),
        Call({}, {}, b""),
        replace(echo("1"), query={**sealed("<xml/>", at=0).query, "echostr": "x"}),
    ],
)
def test_a_check_that_is_not_wecoms_is_refused(call: Call) -> None:
    with pytest.raises(RejectedError):
        ALONE.check(call, now=START)


def test_a_ring_gives_its_token_and_others_give_none() -> None:
    kf = FakeKf(clock=START.timestamp)
    payload = ALONE.verify(kf.rings(), now=START)
    assert ALONE.doorbell(payload) == payload["Token"]
    assert ALONE.answer(payload, None, now=START).body == ""
    other = ALONE.verify(kf.rings(open_kfid="wkOther"), now=START)
    assert (ALONE.doorbell(other), ALONE.parse(other)) == (None, [])
    unrelated = ALONE.verify(kf.rings(Event="change_external_contact"), now=START)
    assert (ALONE.doorbell(unrelated), ALONE.parse(unrelated)) == (None, [])
    older = write_xml({"MsgType": "event", "Event": "kf_msg_or_event", "Token": "t"})
    assert ALONE.doorbell(ALONE.verify(sealed(older, at=START.timestamp()), now=START)) == "t"


def test_a_ring_may_be_late_but_not_old() -> None:
    call = FakeKf(clock=START.timestamp).rings()
    for moment in (START + REPLAY_WINDOW, START - REPLAY_WINDOW):
        assert ALONE.doorbell(ALONE.verify(call, now=moment))
    for moment in (START + REPLAY_WINDOW + timedelta(seconds=1), START - REPLAY_WINDOW - timedelta(seconds=1)):
        with pytest.raises(RejectedError):
            ALONE.verify(call, now=moment)


def test_an_envelope_for_another_corporation_is_refused_and_a_broken_one_set_aside() -> None:
    now = START.timestamp()
    with pytest.raises(RejectedError):
        ALONE.verify(sealed("<xml><A>1</A></xml>", at=now, receiver="ww0000000000000000"), now=START)
    with pytest.raises(BadPayloadError):
        ALONE.parse(ALONE.verify(signed("broken", at=now), now=START))


def test_without_the_keys_of_the_callback_nobody_may_ring() -> None:
    api = WecomApi(CORP_ID, SECRET, "http://127.0.0.1:9", MemoryTokens)
    adapter = WecomAdapter(corp_id=CORP_ID, open_kfid=OPEN_KFID, api=api)
    with pytest.raises(RejectedError) as refused:
        adapter.verify(FakeKf(clock=START.timestamp).rings(), now=START)
    assert refused.value.status == 404


@given(body=st.binary(max_size=120), sealed_too=st.booleans())
def test_no_body_raises_anything_but_a_refusal(body: bytes, sealed_too: bool) -> None:  # noqa: FBT001 - drawn
    call = signed(body.decode("latin-1"), at=START.timestamp()) if sealed_too else Call({}, {}, body)
    try:
        payload = ALONE.verify(call, now=START)
        ALONE.parse(payload)
    except (RejectedError, BadPayloadError):
        return
