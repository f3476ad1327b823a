"""WeChat's requests: who is believed, and what is given back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from channels.adapter import Call, Inbound, RejectedError, WireMessage
from channels.wechat import REPLAY_WINDOW, Mode, WeChatAdapter
from channels.wechat_envelope import BadKeyError, read_xml
from tests.channels.wechat_peer import WeChatPeer, adapter_of, call_of, retimed, text_fields
from tests.conftest import START
from tests.fakes.wechat_api import OPENID
from tests.fakes.wechat_platform import ACCOUNT, AES_KEY, OLD_AES_KEY, FakeWeChat

PLATFORM = FakeWeChat()
ADAPTER = adapter_of(PLATFORM)


def parsed(fields: dict[str, Any], adapter: WeChatAdapter = ADAPTER, platform: FakeWeChat = PLATFORM) -> list[Inbound]:
    return list(adapter.parse(adapter.verify(call_of(platform.request(fields)), now=START)))


# --- verify ---


def test_the_address_is_checked_with_the_very_letters_that_came() -> None:
    call = Call({}, PLATFORM.check('12"3<b>'), b"")
    answer = ADAPTER.check(call, now=START)
    assert (answer.body, answer.media_type) == ('12"3<b>', "text/plain")
    for wrong in (
        retimed(call, signature="0" * 40),
        retimed(call, echostr=""),
        retimed(call, timestamp=str(int(START.timestamp()) + 1)),
        Call({}, {"echostr": "1"}, b""),
    ):
        with pytest.raises(RejectedError):
            ADAPTER.check(wrong, now=START)
    with pytest.raises(RejectedError):
        ADAPTER.check(call, now=START + timedelta(hours=1))


@pytest.mark.parametrize("call", WeChatPeer().forged())
def test_forged_requests_are_refused(call: Call) -> None:
    with pytest.raises(RejectedError):
        ADAPTER.verify(call, now=START)


def test_the_compat_mode_refuses_what_is_not_sealed_as_well() -> None:
    adapter = adapter_of(PLATFORM, mode=Mode.COMPAT)
    compat = call_of(FakeWeChat(mode="compat").request(text_fields("ciao", event=1)))
    assert adapter.verify(compat, now=START)["Content"] == "ciao"
    plain = call_of(FakeWeChat(mode="plain").request(text_fields("ciao", event=1)))
    for call in (plain, retimed(compat, msg_signature=""), replace(plain, query=compat.query)):
        with pytest.raises(RejectedError):
            adapter.verify(call, now=START)


def test_without_a_token_nobody_is_believed() -> None:
    query, body = PLATFORM.request(text_fields("ciao", event=1))
    adapter = adapter_of(PLATFORM, token="")
    from tests.fakes.wechat_platform import signed  # noqa: PLC0415 - the one place that signs as nobody should

    forged = query | {"signature": signed("", query["timestamp"], query["nonce"])}
    with pytest.raises(RejectedError):
        adapter.verify(Call({}, forged, body), now=START)


@pytest.mark.parametrize("mode", [Mode.SAFE, Mode.COMPAT])
def test_no_mode_with_sealing_works_without_a_key(mode: Mode) -> None:
    with pytest.raises(BadKeyError):
        adapter_of(PLATFORM, aes_key="", mode=mode)


def test_old_requests_are_refused_and_clocks_may_differ_a_little() -> None:
    call = call_of(PLATFORM.request(text_fields("ciao", event=1)))
    for apart in (REPLAY_WINDOW, -REPLAY_WINDOW):
        assert ADAPTER.verify(call, now=START + apart)
        with pytest.raises(RejectedError):
            ADAPTER.verify(call, now=START + apart * 1.01)


def test_what_is_sealed_for_another_account_is_refused() -> None:
    other = WeChatAdapter(
        app_id="wx0000000000000000", api=ADAPTER._api, tokens=ADAPTER._tokens, token="QDG6eK", aes_key=AES_KEY
    )
    with pytest.raises(RejectedError):
        other.verify(call_of(PLATFORM.request(text_fields("ciao", event=1))), now=START)


def test_the_readable_copy_of_the_compat_mode_is_never_read() -> None:
    compat = FakeWeChat(mode="compat")
    query, body = compat.request(text_fields("il vero testo", event=1))
    forged = body.replace(b"il vero testo", b"un testo falso")
    adapter = adapter_of(compat, mode=Mode.COMPAT)
    (found,) = adapter.parse(adapter.verify(Call({}, query, forged), now=START))
    assert found.text == "il vero testo"


def test_plain_messages_are_taken_only_where_that_was_chosen_and_sealed_ones_still_are() -> None:
    plain = FakeWeChat(mode="plain")
    adapter = adapter_of(plain, mode=Mode.PLAIN)
    (found,) = parsed(text_fields("ciao", event=1), adapter, plain)
    assert found.text == "ciao"
    (found,) = parsed(text_fields("ciao", event=1), adapter, PLATFORM)
    assert found.text == "ciao"
    without_key = adapter_of(plain, mode=Mode.PLAIN, aes_key="")
    assert len(parsed(text_fields("ciao", event=1), without_key, plain)) == 1
    with pytest.raises(RejectedError):
        parsed(text_fields("ciao", event=1), without_key, PLATFORM)


def test_a_mode_that_is_less_safe_is_told_at_the_start() -> None:
    told = {}
    for mode in Mode:
        with capture_logs() as logs:
            adapter_of(PLATFORM, mode=mode)
        told[mode] = [(entry["event"], entry["log_level"]) for entry in logs]
    assert told == {Mode.SAFE: [], Mode.COMPAT: [("wechat_mode", "warning")], Mode.PLAIN: [("wechat_mode", "warning")]}


@given(
    st.binary(max_size=200) | st.text(max_size=80).map(lambda text: f"<xml><Encrypt>{text}</Encrypt></xml>".encode())
)
def test_verifying_does_nothing_but_refuse(body: bytes) -> None:
    query, _ = PLATFORM.request(text_fields("ciao", event=1))
    with pytest.raises(RejectedError):
        ADAPTER.verify(Call({}, query, body), now=START)


# --- answer ---


def reply_to(payload: Any, text: str, adapter: WeChatAdapter = ADAPTER) -> Any:
    return adapter.answer(payload, WireMessage(text), now=START)


def test_without_a_reply_the_platform_hears_success() -> None:
    payload = ADAPTER.verify(call_of(PLATFORM.request(text_fields("ciao", event=1))), now=START)
    assert ADAPTER.answer(payload, None, now=START).body == "success"
    assert reply_to("set aside", "ciao").body == "success"


@pytest.mark.parametrize("text", ["ciao", "]]></Content><MsgType>image</MsgType>", "اردو\n\nবাংলা 👩🏽‍⚕️", "a\x00\x1bb"])
def test_the_first_reply_is_sealed_and_the_platform_reads_it(text: str) -> None:
    payload = ADAPTER.verify(call_of(PLATFORM.request(text_fields("ciao", event=1))), now=START)
    answer = reply_to(payload, text)
    assert answer.media_type == "text/xml"
    assert "ciao" not in answer.body
    opened = PLATFORM.opened(answer.body)
    assert (opened["ToUserName"], opened["FromUserName"], opened["MsgType"]) == (OPENID, ACCOUNT, "text")
    assert opened["Content"] == text.replace("\x00", "").replace("\x1b", "")
    assert opened["CreateTime"] == str(int(START.timestamp()))


def test_nonce_and_random_bytes_are_ours_to_choose() -> None:
    adapter = adapter_of(PLATFORM, random=lambda count: b"\1" * count)
    payload = adapter.verify(call_of(PLATFORM.request(text_fields("ciao", event=1))), now=START)
    assert reply_to(payload, "ciao", adapter) == reply_to(payload, "ciao", adapter)
    assert read_xml(reply_to(payload, "ciao", adapter).body)["Nonce"] == "16843009"
    assert reply_to(payload, "ciao") != reply_to(payload, "ciao")


def test_while_the_key_changes_each_side_is_answered_with_the_key_that_it_used() -> None:
    before, after = FakeWeChat(aes_key=OLD_AES_KEY), FakeWeChat(aes_key=AES_KEY)
    adapter = adapter_of(after, old_aes_key=OLD_AES_KEY)
    for platform in (before, after):
        payload = adapter.verify(call_of(platform.request(text_fields("ciao", event=1))), now=START)
        assert platform.opened(reply_to(payload, "eccomi", adapter).body)["Content"] == "eccomi"


def test_plain_messages_get_plain_replies() -> None:
    plain = FakeWeChat(mode="plain")
    adapter = adapter_of(plain, mode=Mode.PLAIN)
    payload = adapter.verify(call_of(plain.request(text_fields("ciao", event=1))), now=START)
    assert plain.opened(reply_to(payload, "eccomi", adapter).body)["Content"] == "eccomi"
