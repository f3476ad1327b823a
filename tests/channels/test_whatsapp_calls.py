"""Parsing WhatsApp's calls. Payloads have the shapes of Meta's documentation, trimmed to invented people."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.adapter import BadPayloadError, Call, Inbound, InboundKind, MediaRef, RejectedError
from store.outbox import OutboxStatus
from tests.channels.whatsapp_peer import adapter_for, call_of, call_with
from tests.conftest import START
from tests.fakes.whatsapp_api import PHONE_ID, VERIFY_TOKEN, message_value, text_value, user_id, with_metadata

ADAPTER = adapter_for("http://127.0.0.1:9")
SENDER = "393331234567"


def payload(*values: dict[str, Any]) -> Any:
    return ADAPTER.verify(call_of(*values), now=START)


def message(kind: str, **fields: Any) -> dict[str, Any]:
    content = fields.pop(kind, {})
    return message_value(kind, content, key="wamid.7", sender=SENDER, at=1749416383, **fields)


def only(value: dict[str, Any]) -> Inbound:
    (found,) = ADAPTER.parse(payload(value))
    return found


def test_text() -> None:
    found = only(message("text", text={"body": "permesso renew kaise hoga"}))
    assert (found.kind, found.text) == (InboundKind.TEXT, "permesso renew kaise hoga")
    assert (found.channel, found.account, found.event_key) == ("whatsapp", PHONE_ID, "wamid.7")
    assert (found.thread, found.user_ref, found.language_hint) == (SENDER, SENDER, None)
    assert found.sent_at == datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)


def test_who_hides_the_number_is_known_by_the_id_for_this_business() -> None:
    value = message("text", text={"body": "ciao"})
    assert only(value).thread == SENDER, "the number names a chat where there is one"
    del value["messages"][0]["from"]
    assert only(value).thread == user_id(SENDER)
    del value["messages"][0]["from_user_id"]
    assert only(value).thread == user_id(SENDER), "the only contact of the call"
    value["contacts"] *= 2
    with pytest.raises(BadPayloadError):
        only(value)


@pytest.mark.parametrize("reply", ["button_reply", "list_reply"])
def test_a_tap_on_a_button_or_a_row(reply: str) -> None:
    found = only(message("interactive", interactive={"type": reply, reply: {"id": "17.2", "title": "Sì"}}))
    assert (found.kind, found.choice_id, found.text, found.acknowledge) == (InboundKind.CHOICE, "17.2", None, None)


def test_the_button_of_a_template_only_opens_the_window() -> None:
    found = only(message("button", button={"text": "Leggi", "payload": "Leggi"}))
    assert (found.kind, found.text) == (InboundKind.RETURNED, None)


@pytest.mark.parametrize(
    ("kind", "fields", "media"),
    [
        ("image", {"id": "m1", "mime_type": "image/jpeg", "caption": "guarda"}, MediaRef("photo", "m1")),
        ("audio", {"id": "m2", "mime_type": "audio/ogg; codecs=opus", "voice": True}, MediaRef("voice", "m2")),
        ("audio", {"id": "m3", "mime_type": "audio/mpeg", "voice": False}, MediaRef("voice", "m3")),
        ("video", {"id": "m4", "mime_type": "video/mp4"}, MediaRef("video", "m4")),
        ("document", {"id": "m5", "filename": "busta.pdf"}, MediaRef("document", "m5", name="busta.pdf")),
        ("sticker", {"id": "m6", "animated": False}, MediaRef("other", "m6")),
        ("location", {"latitude": 43.88, "longitude": 11.1}, MediaRef("location", "43.88000,11.10000")),
        ("location", {"latitude": 10**400, "longitude": 11.1}, MediaRef("other", "wamid.7")),
        ("image", {"mime_type": "no id"}, MediaRef("other", "wamid.7")),
    ],
)
def test_media_are_references(kind: str, fields: dict[str, Any], media: MediaRef) -> None:
    found = only(message(kind, **{kind: fields}))
    assert (found.kind, found.media, found.text) == (InboundKind.MEDIA, media, fields.get("caption"))


def test_somebody_elses_number_stays_with_whatsapp() -> None:
    found = only(message("contacts", contacts=[{"name": {"formatted_name": "X"}, "phones": [{"phone": "+390000"}]}]))
    assert found.media == MediaRef("contact", "wamid.7")
    assert "+390000" not in json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("unsupported", {"errors": [{"code": 131051, "title": "Message type unknown"}]}),
        ("unknown", {"errors": [{"code": 131051}]}),
        ("order", {"order": {"catalog_id": "1"}}),
        ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}}),
        ("text", {"text": {}}),
        ("of_a_later_version", {}),
    ],
)
def test_what_we_cannot_read_is_told_to_the_resident_as_a_medium_we_cannot_read(
    kind: str, fields: dict[str, Any]
) -> None:
    assert only(message(kind, **fields)).media == MediaRef("other", "wamid.7")


def test_an_edited_text_comes_as_such() -> None:
    inner = {"type": "text", "text": {"body": "corretto"}}
    found = only(message("edit", edit={"original_message_id": "wamid.6", "message": inner}))
    assert (found.kind, found.text, found.message_id) == (InboundKind.EDITED, "corretto", "wamid.6")
    image = {"original_message_id": "wamid.6", "message": {"type": "image", "image": {"id": "m1"}}}
    assert only(message("edit", edit=image)).media == MediaRef("other", "wamid.7")


@pytest.mark.parametrize("kind", ["reaction", "system", "revoke"])
def test_what_wants_no_answer_gives_nothing(kind: str) -> None:
    assert ADAPTER.parse(payload(message(kind, **{kind: {"emoji": "👍"}}))) == []


def test_in_a_group_nothing_is_read_but_that_somebody_spoke() -> None:
    found = only(message("text", text={"body": "di tutti"}, group_id="Y2FwaV9ncm91cA"))
    assert (found.kind, found.text) == (InboundKind.GROUP, None)


def test_several_messages_in_several_entries_come_in_their_order() -> None:
    two = message("text", text={"body": "uno"})
    two["messages"].append(two["messages"][0] | {"id": "wamid.8", "text": {"body": "due"}})
    found = ADAPTER.parse(payload(two, text_value("tre", key="wamid.9", sender=SENDER)))
    assert [(each.event_key, each.text) for each in found] == [
        ("wamid.7", "uno"),
        ("wamid.8", "due"),
        ("wamid.9", "tre"),
    ]


def test_another_number_of_the_same_business_is_none_of_ours() -> None:
    other = with_metadata(message("text", text={"body": "ciao"}))
    other["metadata"] = {"phone_number_id": "999"}
    assert ADAPTER.parse(payload(other)) == []


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "played"])
def test_that_a_message_arrived_is_no_news(status: str) -> None:
    assert ADAPTER.parse(payload({"statuses": [{"id": "wamid.1", "status": status, "recipient_id": SENDER}]})) == []


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        (131047, OutboxStatus.WINDOW_CLOSED),
        (131026, OutboxStatus.WINDOW_CLOSED),
        (131056, OutboxStatus.QUEUED),
        (131016, OutboxStatus.QUEUED),
        (132001, OutboxStatus.NEEDS_PERSON),
        (131049, OutboxStatus.NEEDS_PERSON),
        (131000, OutboxStatus.QUEUED),
        (424242, OutboxStatus.NEEDS_PERSON),
        ("131047", OutboxStatus.NEEDS_PERSON),
    ],
)
def test_a_message_that_failed_later(code: Any, ended: OutboxStatus) -> None:
    status = {
        "id": "wamid.1",
        "status": "failed",
        "timestamp": "1749416383",
        "recipient_id": "393330000000",
        "biz_opaque_callback_data": SENDER,
        "errors": [{"code": code, "title": "t", "error_data": {"details": "a secret text"}}],
    }
    found = only({"statuses": [status]})
    assert (found.kind, found.payload, found.message_id) == (InboundKind.UNDELIVERED, ended.value, "wamid.1")
    assert found.thread == SENDER, "the chat as we named it"
    assert "secret" not in (found.text or "")
    del status["biz_opaque_callback_data"]
    assert only({"statuses": [status]}).thread == "393330000000"


@pytest.mark.parametrize("odd", ["a\x00b", "\ud800", "é", "", "x" * 513, 7, None, ["x"]])
@pytest.mark.parametrize("field", ["id", "from"])
def test_nothing_odd_becomes_a_key_of_ours(field: str, odd: Any) -> None:
    value = message("text", text={"body": "ciao"})
    value["messages"][0][field] = odd
    value["messages"][0].pop("from_user_id")
    value["contacts"].clear()
    with pytest.raises(BadPayloadError):
        ADAPTER.parse(payload(value))


# --- who calls -----------------------------------------------------------------------------------


def check(**query: str) -> str:
    return ADAPTER.check(Call({}, {f"hub.{name}": value for name, value in query.items()}, b""), now=START).body


def test_the_address_is_checked_and_the_challenge_goes_back_as_it_came() -> None:
    assert check(mode="subscribe", verify_token=VERIFY_TOKEN, challenge="1158201444") == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "a-wore", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "é", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": VERIFY_TOKEN, "challenge": "1"},
    ],
)
def test_who_does_not_know_the_word_learns_nothing(query: dict[str, str]) -> None:
    with pytest.raises(RejectedError) as rejected:
        check(**query)
    assert rejected.value.status == 403


def test_the_signature_is_of_the_bytes_as_they_came() -> None:
    body = b'{"object":"whatsapp_business_account",  "entry":[], "x":"\\u00e9"}'
    signed = call_with(body)
    assert ADAPTER.parse(ADAPTER.verify(signed, now=START)) == []
    again = json.dumps(json.loads(body)).encode()
    with pytest.raises(RejectedError):
        ADAPTER.verify(Call(signed.headers, {}, again), now=START)
