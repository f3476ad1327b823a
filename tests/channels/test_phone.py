"""The phone's notifications: what is read, what is refused, and whose name is too weak."""

import contextlib
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Call, InboundKind, Outbound, OutboundChoice, RejectedError
from channels.phone import BODY_MAX, TEXT_MAX, PhoneDevice, read
from channels.phone_identity import Weakness, cleaned, number_of, thread_of, weakness
from channels.rendering import measure, render
from tests.conftest import START
from tests.fakes.phone import IMO, WHATSAPP, notification

DEVICE = PhoneDevice("via-roma", "token-of-via-roma-1")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
# Near misses: the right names with anything in them.
near = st.fixed_dictionaries(
    {
        "messengerPackageName": st.just(IMO) | json_values,
        "query": st.fixed_dictionaries(
            {"sender": st.text() | json_values, "message": st.text() | json_values},
            optional={"isGroup": json_values, "groupParticipant": json_values, "isTestMessage": json_values},
        ),
    }
)


@given(json_values | near)
def test_the_parser_raises_nothing_but_what_it_should(payload: Any) -> None:
    DEVICE.event_key(payload)
    try:
        found = DEVICE.parse(payload)
    except BadPayloadError:
        return
    for inbound in found:
        assert inbound.user_ref
        assert inbound.thread.startswith(f"{payload['messengerPackageName'].replace(chr(0), '')}|")
        assert "\0" not in (inbound.text or "")


def test_a_body_nested_too_deep_is_refused_like_any_other() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(BadPayloadError):
        DEVICE.parse({"messengerPackageName": IMO, "query": deep})


@pytest.mark.parametrize("missing", ["groupParticipant", "isTestMessage", "isGroup", "ruleId"])
def test_what_older_versions_leave_out_is_optional(missing: str) -> None:
    body = notification("ciao")
    del body["query"][missing]
    (inbound,) = DEVICE.parse(body)
    assert (inbound.kind, inbound.text, inbound.user_ref) == (InboundKind.TEXT, "ciao", "Ali Khan")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"query": {"sender": "Ali", "message": "ciao"}},
        notification(""),
        notification("   "),
        notification("ciao", sender=""),
        notification("ciao", sender="\u200f\u2068 \u2069"),
        notification("x" * 8001),
        notification("ciao", package=""),
        notification("ciao", isGroup="perhaps"),
        notification("ciao", sender="{not_title}"),
        notification("[notification]"),
    ],
)
def test_incomplete_notifications_are_refused_without_quoting_them(body: Any) -> None:
    with pytest.raises(BadPayloadError) as refused:
        DEVICE.parse(body)
    assert "ciao" not in str(refused.value)


def test_a_group_is_heard_of_and_not_listened_to() -> None:
    for marks in ({"isGroup": True}, {"groupParticipant": "Bilal"}):
        (inbound,) = DEVICE.parse(notification("chi mi aiuta?", sender="Condominio", **marks))
        assert (inbound.kind, inbound.text) == (InboundKind.GROUP, None)
        assert inbound.thread == f"{IMO}|group:condominio"


def test_the_rule_that_fired_says_nothing_of_who_writes() -> None:
    (one,), (two,) = (DEVICE.parse(notification("ciao", ruleId=rule)) for rule in (1, 2))
    assert one == two


def test_the_apps_test_button_is_no_residents_word() -> None:
    body = notification("test", isTestMessage=True)
    assert read(body).query.is_test
    assert DEVICE.parse(body) == []


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        ("+39 333 123 4567", "+393331234567"),
        ("+39 (333) 123-4567", "+393331234567"),
        ("3331234567", "3331234567"),
        ("٣٣٣١٢٣٤٥٦٧", None),
        ("Ali 3331234567", None),
        ("12345", None),
        ("1 - - - - 2", None),
    ],
)
def test_numbers_are_known_by_their_digits(sender: str, number: str | None) -> None:
    assert number_of(sender) == number


def test_names_are_compared_as_people_see_them() -> None:
    assert cleaned("\u2068Ali\u00a0 Khan\u2069\u200f") == "Ali Khan"
    assert thread_of("Ali Khan") == thread_of("ALI-KHAN 🌷") == "alikhan"
    assert thread_of("علی خان") != thread_of("علی حان")
    assert thread_of("🌷") == "🌷"


@pytest.mark.parametrize(
    ("package", "sender", "known_as", "weak"),
    [
        (IMO, "Ali Khan", None, None),
        (IMO, "Ali Khan", "Ali Khan", None),
        (IMO, "ali khan", "Ali Khan", Weakness.COLLISION),
        (IMO, "Ali Khan 🌷", "Ali Khan", Weakness.COLLISION),
        (IMO, "imo", None, Weakness.NO_PERSON),
        (IMO, "3 new messages", None, Weakness.NO_PERSON),
        (IMO, "5 messages from 2 chats", None, Weakness.NO_PERSON),
        (IMO, "2 nuovi messaggi", None, Weakness.NO_PERSON),
        (WHATSAPP, "Ali Khan", None, Weakness.NO_NUMBER),
        (WHATSAPP, "~Ali", "~Ali", Weakness.NO_NUMBER),
        (WHATSAPP, "+39 333 123 4567", None, None),
        (WHATSAPP, "+39 3331234567", "+39 333 123 4567", None),
    ],
)
def test_which_names_are_too_weak(package: str, sender: str, known_as: str | None, weak: Weakness | None) -> None:
    assert weakness(package, sender, known_as) is weak


@given(st.text())
def test_any_name_has_a_thread(sender: str) -> None:
    clean = cleaned(sender)
    assert cleaned(clean) == clean
    assert bool(thread_of(clean)) == bool(clean)
    weakness(IMO, clean, None)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(min_size=1, max_size=80), max_size=4))
def test_what_goes_out_is_short_and_every_choice_has_its_number(paragraphs: list[str], labels: list[str]) -> None:
    choices = tuple(OutboundChoice(f"1.{place}", label) for place, label in enumerate(labels))
    parts = render(Outbound("ur", tuple(paragraphs), choices), DEVICE.capabilities)
    assert all(part.text and measure(part.text, "utf-16") <= TEXT_MAX and not part.choices for part in parts)
    everything = "\n".join(part.text for part in parts)
    assert all(f"{number}." in everything for number in range(1, len(labels) + 1))


def test_forged_and_oversized_calls_are_refused() -> None:

    def call(token: str, body: bytes = b"{}") -> Call:
        return Call({"x-device-token": token}, {}, body)

    assert DEVICE.verify(call("token-of-via-roma-1", b'{"a": 1}'), now=START) == {"a": 1}
    assert DEVICE.verify(call("token-of-via-roma-1", b"\xff{"), now=START) == "\ufffd{"
    for refused, status in ((call(""), 401), (call("token-of-via-roma-2"), 401), (call("\ud800é"), 401)):
        with pytest.raises(RejectedError) as error:
            DEVICE.verify(refused, now=START)
        assert error.value.status == status
    with pytest.raises(RejectedError) as error:
        DEVICE.verify(call("token-of-via-roma-1", b"x" * (BODY_MAX + 1)), now=START)
    assert error.value.status == 413


def form(body: bytes, **query: str) -> Call:
    headers = {"x-device-token": "token-of-via-roma-1"}
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
    return Call(headers, query, body)


def test_words_that_break_typed_json_come_whole_as_a_form_or_a_query() -> None:
    words = 'dice: "vieni"\n\\ subito & presto 你好'
    fields = {"messengerPackageName": IMO, "sender": "Ali Khan", "message": words, "isGroup": "false"}
    for call in (form(urlencode(fields).encode()), form(b"", **fields)):
        (inbound,) = DEVICE.parse(DEVICE.verify(call, now=START))
        assert (inbound.text, inbound.user_ref, inbound.thread) == (words, "Ali Khan", f"{IMO}|alikhan")
    typed = Call(form(b"").headers, {}, f'{{"query": {{"message": "{words}"}}}}'.encode())
    with pytest.raises(BadPayloadError):
        DEVICE.parse(DEVICE.verify(typed, now=START))


@given(st.binary(max_size=300))
def test_any_form_is_read_or_refused(body: bytes) -> None:
    payload = DEVICE.verify(form(body or b"x"), now=START)
    DEVICE.event_key(payload)
    with contextlib.suppress(BadPayloadError):
        DEVICE.parse(payload)


def test_a_form_with_very_many_fields_is_refused() -> None:
    with pytest.raises(BadPayloadError):
        DEVICE.parse(DEVICE.verify(form(b"a=1&" * 5000), now=START))
