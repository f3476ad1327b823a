"""The one suite for all platforms: what comes in is stored once or refused, what goes out ends in the closed set.

Whatever else comes is in test_contract_fuzzing.py, what a text may become in test_contract_rendering.py. The relay desk
is no adapter, and is held to the same endings in tests/sportello/test_relay_contract.py.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final, cast

import pytest
from sqlalchemy import select

from channels.adapter import CalledAdapter, InboundKind, WireMessage
from channels.results import (
    Blocked,
    NeedsPerson,
    QuotaExhausted,
    RetryAfter,
    SendResult,
    Sent,
    TooLong,
    Unknown,
    WindowClosed,
)
from store import undelivered
from store.inbox import InboxStatus, inbox
from store.outbox import OutboxStatus
from tests.channels.contract import Line
from tests.channels.handed_over import UNREADABLE
from tests.channels.peer import Peer, Trouble
from tests.fakes.lost import lose_connections

THREAD: Final = "77"
# Longer than any platform asks us to wait, and than any pause of ours.
LATER: Final = timedelta(minutes=10)

EXPECTED: Final[dict[Trouble, tuple[type[SendResult], OutboxStatus]]] = {
    Trouble.NONE: (Sent, OutboxStatus.SENT),
    Trouble.THROTTLED: (RetryAfter, OutboxStatus.QUEUED),
    Trouble.BLOCKED: (Blocked, OutboxStatus.BLOCKED),
    Trouble.WINDOW_CLOSED: (WindowClosed, OutboxStatus.WINDOW_CLOSED),
    Trouble.QUOTA_EXHAUSTED: (QuotaExhausted, OutboxStatus.QUOTA_EXHAUSTED),
    Trouble.TOO_LONG: (TooLong, OutboxStatus.TOO_LONG),
    # Nobody knows what became of these three: they are never repeated by themselves.
    Trouble.TIME_OUT: (Unknown, OutboxStatus.UNKNOWN),
    Trouble.SERVER_ERROR: (Unknown, OutboxStatus.UNKNOWN),
    Trouble.GARBAGE: (Unknown, OutboxStatus.UNKNOWN),
    Trouble.NO_CONNECTION: (RetryAfter, OutboxStatus.QUEUED),
    Trouble.REFUSED: (NeedsPerson, OutboxStatus.NEEDS_PERSON),
    # What is told later comes in like everything else, and is believed by a turn: see below.
    Trouble.TOLD_LATER: (Sent, OutboxStatus.SENT),
}
# Sent after all: the first by itself, the others when the resident writes again.
BY_ITSELF: Final = frozenset({Trouble.THROTTLED})
FAILED_LATER: Final = frozenset({OutboxStatus.WINDOW_CLOSED, OutboxStatus.BLOCKED, OutboxStatus.NEEDS_PERSON})
WHEN_WRITTEN_TO: Final = frozenset({Trouble.WINDOW_CLOSED, Trouble.QUOTA_EXHAUSTED})


# --- what comes in -------------------------------------------------------------------------------


async def test_a_text_is_stored_once_and_answered_in_the_platforms_words(wire: Line) -> None:
    call = wire.peer.text("Guten Tag, 你好, سلام", event=1, thread=THREAD)
    payload = wire.adapter.verify(call, now=wire.clock())
    answer = await wire.call(call)
    assert answer.status_code == 200
    assert answer.text == wire.adapter.answer(payload, None, now=wire.clock()).body
    assert (await wire.counts())[InboxStatus.WAITING] == await wire.stored() == await wire.conversations() == 1


async def test_the_same_request_is_stored_once_however_often_it_comes(wire: Line) -> None:
    call = wire.peer.text("ciao", event=1, thread=THREAD)
    first = await wire.call(call)
    assert [(await wire.call(call)).status_code for _ in range(2)] == [first.status_code] * 2 == [200] * 2
    at_once = await asyncio.gather(*(wire.call(wire.peer.text("due", event=2, thread=THREAD)) for _ in range(4)))
    assert [answer.status_code for answer in at_once] == [200] * 4
    assert (await wire.counts())[InboxStatus.WAITING] == await wire.stored() == 2


async def test_a_second_event_with_the_same_words_is_another_one(wire: Line) -> None:
    for event in (1, 2):
        assert (await wire.call(wire.peer.text("ciao", event=event, thread=THREAD))).status_code == 200
        wire.clock.advance(seconds=30)
    assert (await wire.counts())[InboxStatus.WAITING] == 2


async def test_forged_requests_are_refused_and_leave_nothing(wire: Line) -> None:
    forged = wire.peer.forged()
    assert forged
    for call in forged:
        assert 400 <= (await wire.call(call)).status_code < 500
    assert (await wire.stored(), await wire.conversations()) == (0, 0)


async def test_an_old_request_is_refused_or_at_least_never_stored_twice(wire: Line) -> None:
    call = wire.peer.replayed()
    if call is None:
        pytest.skip("this platform signs no time")
    answers = [(await wire.call(call)).status_code for _ in range(2)]
    assert all(400 <= status < 500 for status in answers) or await wire.stored() <= 1


async def test_what_cannot_be_read_is_set_aside_once_and_blocks_nobody(wire: Line) -> None:
    malformed = wire.peer.malformed()
    for call in [*malformed, *malformed]:
        assert (await wire.call(call)).status_code == UNREADABLE.get(wire.adapter.channel, 200)
    assert (await wire.call(wire.peer.text("ciao", event=9, thread=THREAD))).status_code == 200
    counts = await wire.counts()
    assert (counts[InboxStatus.SET_ASIDE], counts[InboxStatus.WAITING]) == (len(malformed), 1)


async def test_too_much_is_refused_and_leaves_nothing(wire: Line) -> None:
    call = wire.peer.text("ciao", event=1, thread=THREAD)
    for length in (wire.adapter.body_max + 1, 8 * wire.adapter.body_max):
        too_much = replace(call, body=call.body.ljust(length))
        assert (await wire.call(too_much)).status_code == 413
    assert await wire.stored() == 0


async def test_a_kind_that_nobody_knows_does_no_harm(wire: Line) -> None:
    call = wire.peer.unknown()
    if call is None:
        pytest.skip("the format is ours, and every kind is known")
    assert (await wire.call(call)).status_code == 200
    assert await wire.stored() == 0
    assert (await wire.call(wire.peer.text("ciao", event=9, thread=THREAD))).status_code == 200
    assert await wire.stored() == 1


async def test_without_the_database_nothing_is_acknowledged_and_nothing_lost(wire: Line) -> None:
    call = wire.peer.text("ciao", event=1, thread=THREAD)
    async with wire.without_database():
        assert (await wire.post(call)).status_code == 503
    assert (await wire.call(call)).status_code == 200
    assert (await wire.counts())[InboxStatus.WAITING] == await wire.stored() == 1


# --- what goes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", Trouble)
async def test_every_way_a_platform_can_answer_has_its_result(peer: Peer, trouble: Trouble) -> None:
    async with peer.connect() as adapter:
        if not hasattr(adapter, "send"):
            pytest.skip("nothing is sent to who fetches by itself")
        thread = peer.thread_for(trouble)
        if thread is None:
            pytest.skip("this platform has no such trouble")
        before = len(peer.sent())
        result = await cast("CalledAdapter", adapter).send(thread, WireMessage("ciao", key="1-0"))
        assert isinstance(result, EXPECTED[trouble][0]), result
        taken = len(peer.sent()) - before
        assert taken <= 1
        if trouble is Trouble.TOLD_LATER:
            assert taken == 0
        elif isinstance(result, Sent):
            assert taken == 1
        elif not isinstance(result, Unknown):
            assert taken == 0, "what is known not to be sent is not sent"


async def test_a_connection_lost_as_soon_as_it_is_made_is_tried_again(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peer.connect() as adapter:
        if not hasattr(adapter, "send"):
            pytest.skip("nothing is sent to who fetches by itself")
        thread = peer.thread_for(Trouble.NONE)
        assert thread is not None
        send, before = cast("CalledAdapter", adapter).send, len(peer.sent())
        with monkeypatch.context() as patch:
            lose_connections(patch)
            assert isinstance(await send(thread, WireMessage("ciao", key="1-0")), RetryAfter)
        assert len(peer.sent()) == before
        assert isinstance(await send(thread, WireMessage("ciao", key="1-0")), Sent)
        assert len(peer.sent()) == before + 1


@pytest.mark.parametrize("trouble", Trouble)
async def test_the_outbox_ends_as_it_should_and_nothing_goes_twice(wire: Line, trouble: Trouble) -> None:
    thread = wire.peer.thread_for(trouble)
    if thread is None:
        pytest.skip("this platform has no such trouble")
    conversation = await wire.talk(thread)
    before = len(wire.peer.sent())
    await wire.queue(thread, conversation, "Ecco la risposta.")
    assert await wire.deliver() >= (0 if trouble is Trouble.NO_CONNECTION else 1)
    assert await wire.statuses() == [EXPECTED[trouble][1].value]
    if trouble is Trouble.NO_CONNECTION:
        assert len(wire.peer.sent()) == before
        return
    wire.clock.now += LATER
    await wire.deliver()
    if trouble in WHEN_WRITTEN_TO:
        assert len(wire.peer.sent()) == before
        assert (await wire.call(wire.peer.text("ci sono", event=50, thread=thread))).status_code == 200
        wire.clock.now += LATER
        await wire.deliver()
    if trouble in BY_ITSELF | WHEN_WRITTEN_TO | {Trouble.NONE}:
        assert await wire.statuses() == [OutboxStatus.SENT.value]
        assert len(wire.peer.sent()) == before + 1
    else:
        assert await wire.statuses() == [EXPECTED[trouble][1].value]
        assert len(wire.peer.sent()) <= before + 1
    if trouble is Trouble.BLOCKED:
        assert (await wire.counts())[InboxStatus.WAITING] == 1, "the engine hears of it"


async def test_what_is_told_later_names_the_message_that_did_not_arrive(wire: Line) -> None:
    thread = wire.peer.thread_for(Trouble.TOLD_LATER)
    if thread is None:
        pytest.skip("this platform says at once what became of a message")
    conversation = await wire.talk(thread)
    await wire.queue(thread, conversation, "Ecco la risposta.")
    await wire.deliver()
    assert (await wire.statuses(), list(wire.peer.sent())) == ([OutboxStatus.SENT.value], [])
    call = wire.peer.told_later()
    assert call is not None
    for _ in range(2):
        assert (await wire.call(call)).status_code == 200
    async with wire.database.begin() as connection:
        (told,) = (await connection.execute(select(inbox.c.payload))).scalars()
        assert told["kind"] == InboundKind.UNDELIVERED
        assert OutboxStatus(told["payload"]) in FAILED_LATER
        assert await undelivered.contradicted(connection, conversation, told["message_id"]) is not None


async def test_what_nobody_fetched_waits_and_goes_once(wire: Line) -> None:
    thread = wire.peer.thread_for(Trouble.NO_CONNECTION)
    assert thread is not None
    if wire.deliveries is not None:
        pytest.skip("nothing is fetched by a platform that is sent to")
    await wire.queue(thread, await wire.talk(thread), "Ecco la risposta.")
    assert (await wire.deliver(), await wire.statuses()) == (0, [OutboxStatus.QUEUED.value])
    wire.peer.thread_for(Trouble.NONE)
    assert [await wire.deliver() for _ in range(2)] == [1, 0]
    assert (await wire.statuses(), len(wire.peer.sent())) == ([OutboxStatus.SENT.value], 1)


async def test_a_long_text_goes_in_parts_in_their_order_and_none_twice(wire: Line) -> None:
    thread = wire.peer.thread_for(Trouble.NONE)
    assert thread is not None
    conversation = await wire.talk(thread)
    before = len(wire.peer.sent())
    await wire.queue(thread, conversation, "Una frase. " * (wire.adapter.capabilities.text_max // 9))
    await wire.deliver()
    assert await wire.statuses() == [OutboxStatus.SENT.value]
    assert len(wire.peer.sent()) == before + 2
