"""Parsing updates. Payloads have the shapes of the Bot API's documentation (10.0), trimmed to invented people."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Call, Inbound, InboundKind, MediaRef, RejectedError
from channels.telegram import TelegramAdapter
from tests.conftest import START
from tests.fakes.telegram_api import TOKEN

BOT_ID = int(TOKEN.partition(":")[0])
ADAPTER = TelegramAdapter(TOKEN, "s3cret", "http://127.0.0.1:9")
PERSON = {"id": 77, "is_bot": False, "first_name": "R", "language_code": "ur"}
PRIVATE = {"id": 77, "type": "private", "first_name": "R"}
GROUP = {"id": -100, "type": "supergroup", "title": "G"}
PHOTO = [
    {"file_id": "small", "file_unique_id": "a", "width": 90, "height": 90, "file_size": 100},
    {"file_id": "large", "file_unique_id": "b", "width": 900, "height": 900, "file_size": 90000},
]


def message(update_id: int = 1, kind: str = "message", **fields: Any) -> dict[str, Any]:
    base = {"message_id": 5, "from": PERSON, "chat": PRIVATE, "date": 1_700_000_000}
    return {"update_id": update_id, kind: base | fields}


def only(payload: Any) -> Inbound:
    (found,) = ADAPTER.parse(payload)
    return found


def test_text() -> None:
    found = only(message(42, text="permesso renew kaise hoga"))
    assert (found.kind, found.text) == (InboundKind.TEXT, "permesso renew kaise hoga")
    assert (found.channel, found.account, found.event_key) == ("telegram", str(BOT_ID), "42")
    assert (found.thread, found.user_ref, found.language_hint) == ("77", "77", "ur")


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("/start", ""),
        ("/start poster-market", "poster-market"),
        ("/start@sportello_bot x", "x"),
        # Nothing that fits into no link: somebody typed it.
        ("/start due parole", ""),
        ("/start è", ""),
        (f"/start {'x' * 64}", "x" * 64),
        (f"/start {'x' * 65}", ""),
    ],
)
def test_start_with_and_without_payload(text: str, payload: str) -> None:
    found = only(message(text=text))
    assert (found.kind, found.payload) == (InboundKind.START, payload)


def test_other_commands_are_text() -> None:
    assert only(message(text="/menu")).text == "/menu"


def test_a_command_may_name_the_bot() -> None:
    assert only(message(text="/menu@sportello_bot")).text == "/menu"
    assert only(message(text="/menu@sportello_bot e poi?")).text == "/menu@sportello_bot e poi?"


def test_messages_have_an_id_and_albums_a_name() -> None:
    assert (only(message(text="ciao")).message_id, only(message(text="/start")).message_id) == ("5", None)
    found = only(message(photo=PHOTO, media_group_id="130"))
    assert (found.album, found.message_id, found.to_json()["album"]) == ("130", "5", "130")
    assert only(message(kind="edited_message", photo=PHOTO, media_group_id="130", edit_date=1)).album is None


def test_a_live_location_is_kept_where_it_began() -> None:
    location = {"latitude": 43.88, "longitude": 11.1, "live_period": 60}
    assert only(message(location=location)).media == MediaRef("location", "43.88000,11.10000")
    assert ADAPTER.parse(message(kind="edited_message", location=location, edit_date=1)) == []
    edited = only(message(kind="edited_message", photo=PHOTO, caption="ora", edit_date=1))
    assert (edited.kind, edited.text, edited.media) == (
        InboundKind.EDITED,
        "ora",
        MediaRef("photo", "large", size=90000),
    )


def test_edited() -> None:
    found = only(message(kind="edited_message", text="corretto", edit_date=1_700_000_100))
    assert (found.kind, found.text) == (InboundKind.EDITED, "corretto")


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({"photo": PHOTO}, MediaRef("photo", "large", size=90000)),
        ({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, MediaRef("voice", "v")),
        (
            {"document": {"file_id": "d", "file_unique_id": "d", "file_name": "busta.pdf", "file_size": 10}},
            MediaRef("document", "d", name="busta.pdf", size=10),
        ),
        ({"location": {"latitude": 43.88, "longitude": 11.1}}, MediaRef("location", "43.88000,11.10000")),
        ({"contact": {"phone_number": "+390000", "first_name": "X"}}, MediaRef("contact", "5")),
    ],
)
def test_media_are_references(fields: dict[str, Any], media: MediaRef) -> None:
    found = only(message(caption="guarda", **fields))
    assert (found.kind, found.media, found.text) == (InboundKind.MEDIA, media, "guarda")
    assert "+390000" not in json.dumps(found.to_json())


def test_a_tap_and_a_tap_on_a_message_that_is_gone() -> None:
    query = {"id": "991", "from": PERSON, "chat_instance": "1", "data": "17.2"}
    fresh = only({"update_id": 2, "callback_query": query | {"message": message(text="x")["message"]}})
    assert (fresh.kind, fresh.choice_id, fresh.acknowledge, fresh.thread) == (InboundKind.CHOICE, "17.2", "991", "77")
    old = only({"update_id": 3, "callback_query": query | {"message": {"chat": PRIVATE, "message_id": 1, "date": 0}}})
    assert old.thread == "77"
    assert only({"update_id": 4, "callback_query": query}).thread == "77"


@pytest.mark.parametrize(("status", "kind"), [("kicked", InboundKind.LEFT), ("member", InboundKind.RETURNED)])
def test_blocked_and_unblocked(status: str, kind: InboundKind) -> None:
    bot = {"id": BOT_ID, "is_bot": True, "first_name": "S"}
    change = {"chat": PRIVATE, "from": PERSON, "date": 1_700_000_000}
    change["old_chat_member"] = {"user": bot, "status": "member"}
    change["new_chat_member"] = {"user": bot, "status": status} | ({"until_date": 0} if status == "kicked" else {})
    assert only({"update_id": 9, "my_chat_member": change}).kind is kind


def test_groups_are_answered_only_when_spoken_to() -> None:
    assert ADAPTER.parse(message(chat=GROUP, text="ciao a tutti")) == []
    assert only(message(chat=GROUP, text="/start")).kind is InboundKind.GROUP
    ours = {"message_id": 4, "date": 1, "chat": GROUP, "from": {"id": BOT_ID, "is_bot": True, "first_name": "S"}}
    spoken = only(message(chat=GROUP, text="e allora?", reply_to_message=ours))
    assert (spoken.kind, spoken.text) == (InboundKind.GROUP, None)


@pytest.mark.parametrize("payload", [{"update_id": 1}, {"update_id": 1, "poll": {}}, {"update_id": 1, "new_kind": {}}])
def test_kinds_without_use_are_passed_over_or_set_aside(payload: dict[str, Any]) -> None:
    try:
        assert ADAPTER.parse(payload) == []
    except BadPayloadError:
        assert "poll" in payload


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {},
        {"update_id": "7"},
        {"update_id": True},
        {"update_id": 1, "message": {"text": "no date, no chat"}},
        message(date=10**30, text="x"),
        message(text=["not", "text"]),
        {"update_id": 1, "callback_query": {"id": "1", "from": PERSON}},
    ],
)
def test_malformed_updates_are_bad_payloads_and_have_a_key_all_the_same(payload: Any) -> None:
    with pytest.raises(BadPayloadError):
        ADAPTER.parse(payload)
    assert ADAPTER.event_key(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
pieces = st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "inline_query"])
fields = st.sampled_from(["text", "from", "chat", "date", "photo", "data", "message", "id", "caption", "entities"])


updates = st.dictionaries(pieces, json_values | st.dictionaries(fields, json_values, max_size=5), max_size=2).flatmap(
    lambda parts: st.integers().map(lambda number: {"update_id": number, **parts})
)


@given(json_values | updates)
def test_nothing_but_a_bad_payload_escapes(payload: Any) -> None:
    assert isinstance(ADAPTER.event_key(payload), str)
    try:
        found = ADAPTER.parse(payload)
    except BadPayloadError:
        return
    assert all(isinstance(inbound, Inbound) for inbound in found)


def test_only_who_knows_the_secret_is_let_in() -> None:
    call = Call({"x-telegram-bot-api-secret-token": "s3cret"}, {}, b'{"update_id": 1}')
    assert ADAPTER.verify(call, now=START) == {"update_id": 1}
    for headers in ({}, {"x-telegram-bot-api-secret-token": "s3cre"}, {"x-telegram-bot-api-secret-token": "é"}):
        with pytest.raises(RejectedError) as refused:
            ADAPTER.verify(Call(headers, {}, b"{}"), now=START)
        assert refused.value.status == 401
    with pytest.raises(RejectedError):
        TelegramAdapter(TOKEN, "", "http://127.0.0.1:9").verify(
            Call({"x-telegram-bot-api-secret-token": ""}, {}, b"{}"), now=START
        )
