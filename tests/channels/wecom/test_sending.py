"""What is sent to WeCom through the real HTTP client: its codes, the code of an opened chat, states of a session."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import OutboundChoice, WireMessage
from channels.results import Blocked, NeedsPerson, QuotaExhausted, RetryAfter, Sent, TooLong, Unknown, WindowClosed
from channels.wecom import WecomAdapter, message_id
from channels.wecom_api import WecomApi
from tests.channels.wecom_peer import HELLO, adapter_of
from tests.conftest import FakeClock
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wecom_api import FakeKf
from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID


async def test_a_text_arrives_under_an_id_of_ours(api: FakeKf, adapter: WecomAdapter) -> None:
    api.writes("wm1", "ciao")
    assert await adapter.send("wm1", HELLO) == Sent(message_id("wm1", HELLO))
    (message,) = api.sent
    assert (message.touser, message.text, message.menu, message.on_event) == ("wm1", "你好", (), False)
    assert api.tokens_fetched == 1


@given(thread=st.text(max_size=20), key=st.text(max_size=20), text=st.text(max_size=20))
def test_ids_are_short_and_the_same_for_the_same_message_only(thread: str, key: str, text: str) -> None:
    message = WireMessage(text, key=key)
    given_id = message_id(thread, message)
    assert given_id == message_id(thread, message)
    assert len(given_id) == 32
    assert given_id.isascii()
    assert given_id.isalnum()
    assert given_id != message_id(thread, WireMessage(text + "x", key=key))
    assert given_id != message_id(thread, WireMessage(text, key=key + "1"))
    assert given_id != message_id(thread + "1", message)


async def test_a_menu_is_sent_where_it_was_chosen_with_labels_cut_by_bytes(api: FakeKf, address: str) -> None:
    adapter = adapter_of(address, menus=True)
    api.writes("wm1", "ciao")
    labels = ("是", "পরিবারের সদস্যদের জন্য পারমিট " * 4)
    choices = tuple(OutboundChoice(f"2.{place}", label) for place, label in enumerate(labels))
    assert isinstance(await adapter.send("wm1", WireMessage("选一个", choices, key="1-0")), Sent)
    (message,) = api.sent
    assert message.text == "选一个"
    assert [choice_id for _, choice_id in message.menu] == ["2.0", "2.1"]
    assert message.menu[0][0] == "是"
    assert len(message.menu[1][0].encode()) <= 128
    assert message.menu[1][0].endswith("…")
    assert labels[1].startswith(message.menu[1][0][:-1])
    await adapter.close()


async def test_odd_characters_do_not_keep_a_text_from_being_sent(api: FakeKf, adapter: WecomAdapter) -> None:
    api.writes("wm1", "ciao")
    assert isinstance(await adapter.send("wm1", WireMessage("a\ud800b", key="1-0")), Sent)
    assert api.sent[0].text == "a?b"


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (-1, RetryAfter),
        (40001, RetryAfter),
        (40013, RetryAfter),
        (45009, RetryAfter),
        (48002, RetryAfter),
        (60020, RetryAfter),
        (95000, RetryAfter),
        (95004, RetryAfter),
        (95011, RetryAfter),
        (95012, RetryAfter),
        (95017, RetryAfter),
        (40003, Blocked),
        (40096, Blocked),
        (84061, Blocked),
        (45002, TooLong),
        (95001, QuotaExhausted),
        (95002, WindowClosed),
        (95013, WindowClosed),
        (40058, NeedsPerson),
        (95003, NeedsPerson),
        (123456, NeedsPerson),
    ],
)
async def test_every_code_has_its_result(api: FakeKf, adapter: WecomAdapter, code: int, result: type) -> None:
    api.writes("wm1", "ciao")
    api.fail_next(code)
    found = await adapter.send("wm1", HELLO)
    assert isinstance(found, result)
    assert api.sent == []
    if isinstance(found, RetryAfter):
        assert found.scope == "account"
        assert found.delay >= timedelta(seconds=3)
    if isinstance(found, RetryAfter | Blocked | NeedsPerson) and code > 0:
        assert str(code) in found.reason


@pytest.mark.parametrize("code", [40014, 41001, 42001])
async def test_a_refused_token_is_replaced_once_and_only_once(api: FakeKf, adapter: WecomAdapter, code: int) -> None:
    api.writes("wm1", "ciao")
    api.fail_next(code)
    assert isinstance(await adapter.send("wm1", HELLO), Sent)
    assert api.tokens_fetched == 2
    api.fail_next(code)
    api.fail_next(code)
    result = await adapter.send("wm1", WireMessage("ancora", key="2-0"))
    assert isinstance(result, RetryAfter)
    assert api.tokens_fetched == 3
    assert len(api.sent) == 1


async def test_an_expired_token_is_found_out_by_its_refusal(
    api: FakeKf, adapter: WecomAdapter, clock: FakeClock
) -> None:
    api.writes("wm1", "ciao")
    assert isinstance(await adapter.send("wm1", HELLO), Sent)
    clock.advance(hours=2)
    assert isinstance(await adapter.send("wm1", WireMessage("due", key="2-0")), Sent)
    assert api.tokens_fetched == 2


@pytest.mark.parametrize("secret", ["wrong", ""])
async def test_a_wrong_secret_makes_messages_wait(api: FakeKf, address: str, secret: str) -> None:
    api.writes("wm1", "ciao")
    tokens = WecomApi(CORP_ID, secret, address, MemoryTokens)
    adapter = WecomAdapter(corp_id=CORP_ID, open_kfid=OPEN_KFID, api=tokens)
    result = await adapter.send("wm1", HELLO)
    assert result == RetryAfter(timedelta(seconds=60), "account", "the secret is wrong (40001)")
    await adapter.close()


# --- the code of an opened chat ------------------------------------------------------------------


async def test_the_code_lets_one_message_be_sent_and_costs_none(api: FakeKf, adapter: WecomAdapter) -> None:
    code = api.enters("wm1")
    assert code is not None
    assert isinstance(await adapter.send("wm1", WireMessage("欢迎", key="1-0", reply_code=code)), Sent)
    assert (api.sent[0].on_event, api.sessions["wm1"].sent) == (True, 0)


async def test_a_code_too_old_is_no_window(api: FakeKf, adapter: WecomAdapter, clock: FakeClock) -> None:
    code = api.enters("wm1")
    clock.advance(seconds=21)
    api.sessions["wm1"].state = 1
    assert await adapter.send("wm1", WireMessage("欢迎", key="1-0", reply_code=code)) == WindowClosed()
    api.writes("wm1", "ciao")
    assert isinstance(await adapter.send("wm1", WireMessage("欢迎", key="1-0", reply_code=code)), Sent)
    assert api.sent[0].on_event is False


async def test_what_may_pass_does_not_cost_the_code(api: FakeKf, adapter: WecomAdapter) -> None:
    code = api.enters("wm1")
    message = WireMessage("欢迎", key="1-0", reply_code=code)
    api.fail_next(-1)
    assert isinstance(await adapter.send("wm1", message), RetryAfter)
    api.garbage_next(status=502)
    assert isinstance(await adapter.send("wm1", message), Unknown)
    assert isinstance(await adapter.send("wm1", message), Sent)
    assert api.sent[0].on_event


# --- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "result"), [(2, NeedsPerson), (3, NeedsPerson), (4, WindowClosed)])
async def test_a_session_that_is_not_ours_is_left_alone(
    api: FakeKf, adapter: WecomAdapter, state: int, result: type
) -> None:
    api.writes("wm1", "ciao")
    api.sessions["wm1"].state = state
    assert isinstance(await adapter.send("wm1", HELLO), result)
    assert (api.sent, api.transitions) == ([], [])


async def test_a_session_that_is_nobodys_is_taken_once(api: FakeKf, adapter: WecomAdapter) -> None:
    api.writes("wm1", "ciao")
    api.fail_next(95018)
    assert isinstance(await adapter.send("wm1", HELLO), Sent)
    assert api.transitions == [("wm1", 1)]
    api.writes("wm2", "ciao")
    api.sessions["wm2"].state = 1
    api.fail_next(95018)
    assert isinstance(await adapter.send("wm2", HELLO), NeedsPerson)
    assert api.transitions == [("wm1", 1)]


async def test_a_question_without_answer_leaves_the_message_unsent(api: FakeKf, adapter: WecomAdapter) -> None:
    api.writes("wm1", "ciao")
    api.fail_next(95018)
    api.garbage_next()
    assert isinstance(await adapter.send("wm1", HELLO), RetryAfter)
    api.fail_next(95018)
    api.fail_next(45009)
    assert isinstance(await adapter.send("wm1", HELLO), RetryAfter)
    assert api.sent == []
