"""Parsing what sync_msg gives. Shapes are those of WeCom's documentation, trimmed to invented people."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Inbound, InboundKind, MediaRef
from channels.wecom_messages import FAILURES, inbound_of
from store.outbox import OutboxStatus
from tests.channels.wecom_peer import adapter_of, item
from tests.fakes.wecom_callbacks import OPEN_KFID

ADAPTER = adapter_of("http://127.0.0.1:9")


def only(payload: Any) -> Inbound:
    (found,) = ADAPTER.parse(payload)
    return found


def event(event_type: str, *, msgid: str = "e1", **details: Any) -> dict[str, Any]:
    within = {"event_type": event_type, "open_kfid": OPEN_KFID, "external_userid": "wm1"} | details
    return {"msgid": msgid, "origin": 4, "send_time": 1_615_478_585, "msgtype": "event", "event": within}


def test_text() -> None:
    found = only(item(msgtype="text", text={"content": " 居留许可 "}))
    assert (found.kind, found.text) == (InboundKind.TEXT, " 居留许可 ")
    assert (found.channel, found.account, found.event_key) == ("wecom", OPEN_KFID, "m1")
    assert (found.thread, found.user_ref, found.language_hint) == ("wm1", "wm1", "zh")
    assert found.sent_at == datetime(2021, 3, 11, 16, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("menu_id", "kind"),
    [
        ("12.3", InboundKind.CHOICE),
        ("", InboundKind.TEXT),
        ("welcome_1", InboundKind.TEXT),
        ("12.3.4", InboundKind.TEXT),
        ("٣.١", InboundKind.TEXT),
        ("1" * 40 + ".1", InboundKind.TEXT),
        (7, InboundKind.TEXT),
    ],
)
def test_a_tap_is_known_by_an_id_of_ours(menu_id: Any, kind: InboundKind) -> None:
    found = only(item(msgtype="text", text={"content": "是", "menu_id": menu_id}))
    assert found.kind is kind
    assert (found.choice_id, found.text) == (("12.3", None) if kind is InboundKind.CHOICE else (None, "是"))


@pytest.mark.parametrize(
    ("msgtype", "content", "media", "text"),
    [
        ("image", {"media_id": "i1"}, MediaRef("photo", "i1"), None),
        ("voice", {"media_id": "v1"}, MediaRef("voice", "v1"), None),
        ("video", {"media_id": "v2"}, MediaRef("video", "v2"), None),
        ("file", {"media_id": "f1"}, MediaRef("document", "f1"), None),
        (
            "location",
            {"latitude": 43.88, "longitude": 11.1, "name": "Questura", "address": "Via Cino 10"},
            MediaRef("location", "43.88000,11.10000"),
            "Questura\nVia Cino 10",
        ),
        ("location", {"latitude": -1, "longitude": 0}, MediaRef("location", "-1.00000,0.00000"), None),
        ("business_card", {"userid": "Lisi"}, MediaRef("contact", "m1"), None),
        (
            "link",
            {"title": "T", "desc": "D", "url": "https://example.it", "pic_url": "p"},
            MediaRef("other", "m1"),
            "T\nhttps://example.it",
        ),
        ("miniprogram", {"title": "M", "appid": "a", "pagepath": "p"}, MediaRef("other", "m1"), "M"),
        ("msgmenu", {"head_content": "h", "list": []}, MediaRef("other", "m1"), None),
        ("of_a_later_version", {"x": 1}, MediaRef("other", "m1"), None),
    ],
)
def test_everything_else_is_a_medium(msgtype: str, content: Any, media: MediaRef, text: str | None) -> None:
    found = only(item(msgtype=msgtype, **{msgtype: content}))
    assert (found.kind, found.media, found.text) == (InboundKind.MEDIA, media, text)
    assert "Lisi" not in json.dumps(found.to_json())


@pytest.mark.parametrize(
    "payload",
    [
        item(msgtype="text", text={"content": "salve"}, origin=5, servicer_userid="Zhangsan"),
        item(msgtype="text", text={"content": "ciao"}, origin=4),
        item(msgtype="text", text={"content": "ciao"}, origin=None),
        item(msgtype="text", text={"content": "ciao"}, open_kfid="wkOther"),
        event("enter_session", welcome_code="c", open_kfid="wkOther"),
        event("enter_session"),
        event("servicer_status_change", servicer_userid="Zhangsan", status=1),
        event("session_status_change", change_type=3, msg_code="c"),
        event("user_recall_msg", recall_msgid="m1"),
        event("servicer_recall_msg", recall_msgid="m1"),
        event("of_a_later_version"),
        event("msg_send_fail", fail_msgid="x", fail_type=4) | {"origin": 3},
    ],
)
def test_what_is_not_for_us_is_passed_over(payload: Any) -> None:
    assert ADAPTER.parse(payload) == []


@pytest.mark.parametrize(
    ("details", "scene"),
    [
        ({"scene": "market"}, "market"),
        ({"scene": "market", "scene_param": "poster%3D1%26lang%3Dzh"}, "poster=1&lang=zh"),
        ({}, ""),
        ({"scene_param": "x" * 300}, "x" * 128),
        ({"scene": 7, "scene_param": ["x"]}, ""),
    ],
)
def test_opening_the_chat_is_a_start_with_its_code(details: dict[str, Any], scene: str) -> None:
    found = only(event("enter_session", welcome_code="WC", **details))
    assert (found.kind, found.payload, found.reply_code) == (InboundKind.START, scene, "WC")
    assert (found.thread, found.event_key) == ("wm1", "e1")
    assert "reply_code" not in found.to_json()


@pytest.mark.parametrize("details", [{}, {"welcome_code": ""}, {"welcome_code": 7}])
def test_without_a_code_the_scene_is_kept_and_nothing_can_be_said(details: dict[str, Any]) -> None:
    found = only(event("enter_session", scene_param="market%201", scene="x", **details))
    assert (found.kind, found.payload, found.reply_code) == (InboundKind.OPENED, "market 1", None)


@pytest.mark.parametrize("fail_type", [*FAILURES, 3, 99, None, "6", True])
def test_a_failure_says_how_the_message_ended(fail_type: Any) -> None:
    found = only(event("msg_send_fail", fail_msgid="0a1b", fail_type=fail_type))
    unknown = (OutboxStatus.NEEDS_PERSON, "WeCom gives a reason that is not known")
    expected = FAILURES.get(fail_type, unknown) if type(fail_type) is int else unknown
    assert (found.kind, found.message_id) == (InboundKind.UNDELIVERED, "0a1b")
    assert (found.payload, found.text) == (expected[0].value, expected[1])


def test_each_documented_failure_leads_to_what_helps() -> None:
    ends = {code: status for code, (status, _) in FAILURES.items()}
    assert ends == {
        **dict.fromkeys((0, 1, 2, 7, 8, 9, 11), OutboxStatus.QUEUED),
        4: OutboxStatus.WINDOW_CLOSED,
        5: OutboxStatus.WINDOW_CLOSED,
        6: OutboxStatus.QUOTA_EXHAUSTED,
        10: OutboxStatus.BLOCKED,
        12: OutboxStatus.NEEDS_PERSON,
        13: OutboxStatus.NEEDS_PERSON,
    }


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {},
        {"msgid": "m1"},
        item(msgtype="text"),
        item(msgtype="text", text={"content": None}),
        item(msgtype="image", image={}),
        item(msgtype="image", image={"media_id": "x" * 200}),
        item(msgtype="location", location={"latitude": "43", "longitude": 11}),
        item(msgtype="location", location={"latitude": float("nan"), "longitude": 11}),
        item(msgtype="text", text={"content": "ciao"}, external_userid=""),
        item(msgtype="text", text={"content": "ciao"}, external_userid="wm\x00"),
        item(msgtype="text", text={"content": "ciao"}, msgid=None),
        item(msgtype="text", text={"content": "ciao"}, msgid="m" * 5000),
        event("enter_session", welcome_code="WC", external_userid=None),
        event("msg_send_fail"),
        {"msgid": "e", "msgtype": "event", "event": "enter_session"},
    ],
)
def test_malformed_items_are_bad_payloads_and_have_a_short_key_all_the_same(payload: Any) -> None:
    with pytest.raises(BadPayloadError):
        ADAPTER.parse(payload)
    key = ADAPTER.event_key(payload)
    assert 0 < len(key) <= 128
    assert "\0" not in key


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = (
    *("msgid", "open_kfid", "external_userid", "send_time", "origin", "msgtype", "event", "text", "content", "menu_id"),
    *("image", "media_id", "location", "latitude", "longitude", "link", "title", "url", "miniprogram", "event_type"),
    *("scene", "scene_param", "welcome_code", "fail_msgid", "fail_type", "MsgType", "Event", "Token", "OpenKfId"),
)
KINDS = ("text", "image", "voice", "video", "file", "location", "link", "business_card", "miniprogram", "event", "new")
plausible = st.recursive(
    json_values
    | st.sampled_from([OPEN_KFID, "wm1", "m1", 3, 4, 5, *KINDS, "enter_session", "msg_send_fail", "kf_msg_or_event"]),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=14,
)


@given(payload=plausible)
def test_nothing_but_a_bad_payload_is_ever_raised(payload: Any) -> None:
    key = ADAPTER.event_key(payload)
    assert 0 < len(key) <= 128
    assert ADAPTER.doorbell(payload) is None or payload["Event"] == "kf_msg_or_event"
    try:
        found = ADAPTER.parse(payload)
    except BadPayloadError:
        return
    for inbound in found:
        assert inbound.event_key == key
        json.dumps(inbound.to_json())


@given(changed=st.dictionaries(st.sampled_from(NAMES), json_values, max_size=3), kind=st.sampled_from(KINDS))
def test_a_good_item_with_anything_in_it_is_read_or_set_aside(changed: dict[str, Any], kind: str) -> None:
    good = item(msgtype=kind, **{kind: {"content": "x", "media_id": "i", "latitude": 1, "longitude": 2}})
    entered = event("enter_session", welcome_code="c")
    for payload in (good | changed, good | {kind: changed}, entered | {"event": entered["event"] | changed}):
        try:
            found = inbound_of(OPEN_KFID, payload)
        except BadPayloadError:
            continue
        assert found is None or (found.thread and found.channel == "wecom")
