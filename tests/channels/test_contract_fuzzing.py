"""Whatever comes: no exception escapes, nothing is stored twice, and nothing that holds anything is lost."""

import contextlib
import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapter import BadPayloadError, Call, CalledSource, Inbound, InboundKind, RejectedError
from channels.payloads import PartlyReadError
from channels.receiving import store as store_payload
from tests.channels.contract import Line
from tests.channels.peer import Peer

THREAD: Final = "77"
# What any of the platforms reads of a query; each gets the others' too.
NAMES: Final = (
    *("timestamp", "nonce", "signature", "msg_signature", "encrypt_type", "echostr"),
    *("hub.mode", "hub.challenge", "hub.verify_token"),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give every place in a value where something stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in inner for place in _places(each, (*at, key)))]


def _with(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """Give a copy of a value with something else at a place."""
    if not place:
        return other
    changed = copy.deepcopy(value)
    at = changed
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = other
    return changed


@st.composite
def damaged(draw: st.DrawFn, payload: Any) -> Any:
    """Draw a payload that once was a good one."""
    if isinstance(payload, str):
        start, end = sorted((draw(st.integers(0, len(payload))), draw(st.integers(0, len(payload)))))
        return payload[:start] + draw(st.text(max_size=20)) + payload[end:]
    return _with(payload, draw(st.sampled_from(_places(payload))), draw(json_values))


def any_payload(wire: Line) -> st.SearchStrategy[Any]:
    """Give payloads of every kind: made up, and damaged ones, whether they are posted or fetched."""
    posted = wire.adapter.verify(wire.peer.text("ciao", event=1, thread=THREAD), now=wire.clock())
    return st.one_of(json_values, *(damaged(good) for good in (posted, *wire.peer.fetched())))


def keys_of(adapter: CalledSource, payload: Any) -> set[str]:
    """Give the keys of the rows that a payload must leave: what it holds, and what of it nobody can read."""
    found: Sequence[Inbound]
    try:
        found, keys = adapter.parse(payload), set()
    except PartlyReadError as error:
        found, keys = error.read, {adapter.event_key(error.rest)}
    except BadPayloadError:
        found, keys = (), {adapter.event_key(payload)}
    # What failed of a chat that is not there is nobody's.
    return keys | {inbound.event_key for inbound in found if inbound.kind is not InboundKind.UNDELIVERED}


async def come_in(wire: Line, payload: Any, call: Call | None) -> None:
    """Let a payload come as it does: over its own routes, or to the storing that all others share."""
    if call is not None:
        assert (await wire.post(call)).status_code < 500
        return
    async with wire.database.begin() as connection:
        await store_payload(
            connection, wire.adapter, payload, now=wire.clock(), new_id=wire.new_id, counts=wire.inbox_counts
        )


@given(data=st.data())
async def test_nothing_but_a_bad_payload_escapes_and_keys_never_change(data: st.DataObject, wire: Line) -> None:
    payload = data.draw(any_payload(wire))
    key = wire.adapter.event_key(payload)
    assert key
    assert key == wire.adapter.event_key(copy.deepcopy(payload))
    try:
        found = wire.adapter.parse(payload)
    except BadPayloadError:
        return
    assert all(isinstance(inbound, Inbound) for inbound in found)
    json.dumps([inbound.to_json() for inbound in found])
    again = wire.adapter.parse(copy.deepcopy(payload))
    assert [inbound.event_key for inbound in found] == [inbound.event_key for inbound in again]


@given(body=st.binary(max_size=200), headers=st.booleans())
async def test_no_body_whatsoever_makes_verifying_fail_otherwise_than_by_refusal(
    body: bytes,
    headers: bool,  # noqa: FBT001 - drawn by hypothesis
    wire: Line,
) -> None:
    call = wire.peer.text("ciao", event=1, thread=THREAD)
    forged = replace(call, body=body, headers=call.headers if headers else {})
    with contextlib.suppress(RejectedError):
        assert wire.adapter.event_key(wire.adapter.verify(forged, now=wire.clock()))


def any_query(good: Call) -> st.SearchStrategy[Call]:
    """Give calls whose query is damaged: values that were changed, that are missing, and that nobody expects."""
    names = st.sampled_from([*good.query, *NAMES])
    values = st.text(max_size=40) | st.sampled_from(["", "0", "-1", "1e9", "٣", "9" * 400, "aes", "raw", "subscribe"])
    changed = st.dictionaries(names, values | st.none(), min_size=1, max_size=4)

    def with_others(others: dict[str, str | None]) -> Call:
        query = {**good.query, **others}
        return replace(good, query={name: value for name, value in query.items() if value is not None})

    return changed.map(with_others)


@given(data=st.data())
async def test_no_query_whatsoever_makes_a_call_fail_otherwise_than_by_refusal(data: st.DataObject, wire: Line) -> None:
    call = data.draw(any_query(wire.peer.text("ciao", event=1, thread=THREAD)))
    with contextlib.suppress(RejectedError):
        assert wire.adapter.event_key(wire.adapter.verify(call, now=wire.clock()))


@given(data=st.data())
async def test_no_query_whatsoever_makes_a_check_fail_otherwise_than_by_refusal(
    data: st.DataObject, wire: Line
) -> None:
    good = wire.peer.check()
    call = data.draw(any_query(good or Call({}, {}, b"")))
    with contextlib.suppress(RejectedError):
        answer = wire.adapter.check(call, now=wire.clock())
        assert good is not None, "who checks no address is given nothing"
        assert isinstance(answer.body, str)


async def test_an_address_is_checked_by_its_platform_and_by_nobody_else(peer: Peer, wire: Line) -> None:
    good = peer.check()
    answer = await wire.get(good or Call({}, {}, b""))
    if good is None:
        assert 400 <= answer.status_code < 500
        return
    assert (answer.status_code, answer.text) == (200, peer.echo)
    for name in good.query.keys() - {"echostr", "hub.challenge"}:
        forged = replace(good, query={**good.query, name: "1"})
        assert 400 <= (await wire.get(forged)).status_code < 500, name


@settings(max_examples=50)
@given(data=st.data())
async def test_whatever_comes_is_stored_once_and_nothing_is_lost(data: st.DataObject, wire: Line) -> None:
    payload = data.draw(any_payload(wire))
    call = wire.peer.carrying(payload)
    if call is not None:
        payload = wire.adapter.verify(call, now=wire.clock())
    must = keys_of(wire.adapter, payload)
    await wire.forget()
    for _ in range(2):
        await come_in(wire, payload, call)
        assert await wire.kept() == len(must)
