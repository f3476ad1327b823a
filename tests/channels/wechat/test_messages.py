"""WeChat's messages and events: what they are in our terms, and what cannot be read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Inbound, InboundKind, MediaRef
from channels.wechat import SEALED, WeChatAdapter
from tests.channels.wechat_peer import adapter_of, call_of, text_fields
from tests.conftest import START
from tests.fakes.wechat_api import APP_ID, OPENID
from tests.fakes.wechat_platform import ACCOUNT, FakeWeChat

PLATFORM = FakeWeChat()
ADAPTER = adapter_of(PLATFORM)


def only(**fields: Any) -> Inbound:
    """Let a message go the whole way, sealed and signed."""
    payload = ADAPTER.verify(call_of(PLATFORM.request(text_fields("ciao", event=7) | fields)), now=START)
    (found,) = ADAPTER.parse(payload)
    assert found.event_key == ADAPTER.event_key(payload)
    return found


def event(name: str, openid: str = OPENID, **fields: Any) -> dict[str, Any]:
    return PLATFORM.event(name, openid, **fields)


def parsed(fields: dict[str, Any], adapter: WeChatAdapter = ADAPTER, platform: FakeWeChat = PLATFORM) -> list[Inbound]:
    return list(adapter.parse(adapter.verify(call_of(platform.request(fields)), now=START)))


def test_text_keeps_its_spaces_and_letters() -> None:
    text = "  permesso di soggiorno? 居留 ]]> اردو <b>&amp;</b> 👩🏽‍⚕️ "
    found = only(Content=text)
    assert (found.kind, found.text) == (InboundKind.TEXT, text)
    assert (found.channel, found.account, found.event_key) == ("wechat", APP_ID, "6054768590064713007")
    assert (found.thread, found.user_ref, found.language_hint) == (OPENID, OPENID, "zh")
    assert found.sent_at == datetime.fromtimestamp(int(START.timestamp()) + 7, UTC)


@pytest.mark.parametrize(
    ("fields", "media", "text"),
    [
        ({"MsgType": "image", "PicUrl": "http://x/1", "MediaId": "m1"}, MediaRef("photo", "m1"), None),
        ({"MsgType": "voice", "Format": "amr", "MediaId": "m2"}, MediaRef("voice", "m2"), None),
        ({"MsgType": "video", "MediaId": "m3", "ThumbMediaId": "t"}, MediaRef("video", "m3"), None),
        ({"MsgType": "shortvideo", "MediaId": "m4", "ThumbMediaId": "t"}, MediaRef("video", "m4"), None),
        (
            {"MsgType": "location", "Location_X": "43.880301", "Location_Y": "11.09654", "Scale": 15, "Label": "Prato"},
            MediaRef("location", "43.88030,11.09654"),
            "Prato",
        ),
        (
            {"Content": "【收到不支持的消息类型，暂无法显示】"},
            MediaRef("other", "6054768590064713007"),
            None,
        ),
    ],
)
def test_media_are_references(fields: dict[str, Any], media: MediaRef, text: str | None) -> None:
    found = only(**fields)
    assert (found.kind, found.media, found.text) == (InboundKind.MEDIA, media, text)


def test_a_link_is_a_text() -> None:
    found = only(MsgType="link", Title="Anagrafe", Description="", Url="https://www.comune.prato.it/")
    assert (found.kind, found.text) == (InboundKind.TEXT, "Anagrafe\nhttps://www.comune.prato.it/")


def test_an_item_of_a_menu_message_is_a_tap() -> None:
    found = only(Content="Anagrafe", bizmsgmenuid="7.2")
    assert (found.kind, found.choice_id) == (InboundKind.CHOICE, "7.2")


@pytest.mark.parametrize(
    ("fields", "kind", "payload", "text"),
    [
        (event("subscribe", EventKey=""), InboundKind.START, "", None),
        (event("subscribe", EventKey="qrscene_market-poster", Ticket="t"), InboundKind.START, "market-poster", None),
        (event("SCAN", EventKey="123", Ticket="t"), InboundKind.START, "123", None),
        (event("unsubscribe"), InboundKind.LEFT, None, None),
        (event("CLICK", EventKey="group:work"), InboundKind.PICK, None, "group:work"),
    ],
)
def test_events(fields: dict[str, Any], kind: InboundKind, payload: str | None, text: str | None) -> None:
    (found,) = parsed(fields)
    assert (found.kind, found.payload, found.text) == (kind, payload, text)


@pytest.mark.parametrize(
    "fields",
    [
        event("VIEW", EventKey="https://www.comune.prato.it"),
        event("LOCATION", Latitude="43.8", Longitude="11.1", Precision="10"),
        event("TEMPLATESENDJOBFINISH", MsgID=200163836, Status="success"),
        event("something_new"),
        {"ToUserName": ACCOUNT, "FromUserName": OPENID, "MsgType": "hologram"},
    ],
)
def test_what_concerns_nobody_is_left_out(fields: dict[str, Any]) -> None:
    assert parsed(fields) == []


def test_events_of_the_same_second_are_told_apart_and_repetitions_are_not() -> None:
    found = [
        parsed(fields)[0].event_key
        for fields in (
            event("CLICK", EventKey="menu"),
            event("CLICK", EventKey="menu"),
            event("CLICK", EventKey="person"),
            event("SCAN", EventKey="menu"),
            event("CLICK", "another", EventKey="menu"),
        )
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"MsgType": "image", "MediaId": ""},
        {"MsgType": "location", "Location_X": "north", "Location_Y": "11"},
        {"MsgType": "location", "Location_X": "nan", "Location_Y": "11"},
        {"MsgType": "location", "Location_X": "43", "Location_Y": "1e9"},
        {"MsgId": "12a"},
        {"MsgId": "٣"},
        {"FromUserName": ""},
        {"FromUserName": "a" * 65},
        {"MsgType": ""},
    ],
)
def test_what_cannot_be_read_says_so_without_quoting(fields: dict[str, Any]) -> None:
    payload = ADAPTER.verify(call_of(PLATFORM.request(text_fields("segreto", event=7) | fields)), now=START)
    with pytest.raises(BadPayloadError) as raised:
        ADAPTER.parse(payload)
    assert "segreto" not in str(raised.value)
    assert ADAPTER.event_key(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = "ToUserName FromUserName CreateTime MsgType MsgId Event EventKey Content MediaId Location_X bizmsgmenuid"
names = st.sampled_from([*NAMES.split(), SEALED])
values = st.sampled_from(["text", "event", "location", "image", "CLICK", OPENID, "1", "9" * 30, "nan"]) | json_values


@given(json_values | st.dictionaries(names, values))
def test_parsing_raises_nothing_else(payload: Any) -> None:
    assert ADAPTER.event_key(payload) == ADAPTER.event_key(payload)
    try:
        found = ADAPTER.parse(payload)
    except BadPayloadError:
        return
    assert all(inbound.event_key == ADAPTER.event_key(payload) for inbound in found)
