"""WeCom's calls, and what is sent and fetched through the real HTTP client from the fake server."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from channels.adapter import (
    BadPayloadError,
    Call,
    MediumGoneError,
    OutboundChoice,
    PlatformRefusedError,
    Pulled,
    RejectedError,
    WireMessage,
)
from channels.results import Blocked, NeedsPerson, QuotaExhausted, RetryAfter, Sent, TooLong, Unknown, WindowClosed
from channels.wechat_envelope import write_xml
from channels.wecom import REPLAY_WINDOW, WecomAdapter, message_id
from channels.wecom_api import MEDIUM_MAX, WecomApi
from tests.channels.wecom_peer import adapter_of
from tests.conftest import START, FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.tokens import MemoryTokens
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID, envelope, sealed, signed
from tests.fakes.wecom_memory import Session

ALONE = adapter_of("http://127.0.0.1:9")
HELLO = WireMessage("你好", key="1-0")


@pytest.fixture
def api(clock: FakeClock) -> FakeKf:
    return FakeKf(clock=clock.timestamp)


@pytest.fixture
def address(api: FakeKf) -> Iterator[str]:
    with LoopbackServer(api.app()) as server:
        yield server.url


@pytest.fixture
async def adapter(address: str) -> AsyncIterator[WecomAdapter]:
    adapter = adapter_of(address)
    yield adapter
    await adapter.close()


# --- calls ---------------------------------------------------------------------------------------


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


# --- sending -------------------------------------------------------------------------------------


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


# --- fetching ------------------------------------------------------------------------------------


async def pulled(adapter: WecomAdapter, cursor: str = "", token: str = "") -> Pulled:
    found = await adapter.pull(cursor, token)
    assert isinstance(found, Pulled), found
    return found


def token_of(adapter: WecomAdapter, api: FakeKf, clock: FakeClock) -> str:
    return adapter.doorbell(adapter.verify(api.rings(), now=clock())) or ""


async def test_pages_follow_one_another_and_an_empty_one_is_not_the_end(
    api: FakeKf, adapter: WecomAdapter, clock: FakeClock
) -> None:
    api.page = 2
    for number in range(3):
        api.writes("wm1", f"messaggio {number}")
    api.empty_pages = 1
    token = token_of(adapter, api, clock)
    empty = await pulled(adapter, "", token)
    assert (empty.payloads, empty.more) == ((), True)
    first = await pulled(adapter, empty.cursor, token)
    assert ([each["text"]["content"] for each in first.payloads], first.more) == (["messaggio 0", "messaggio 1"], True)
    second = await pulled(adapter, first.cursor, token)
    assert (len(second.payloads), second.more) == (1, False)
    assert api.syncs[0] == {"token": token, "open_kfid": OPEN_KFID, "limit": 200, "voice_format": 0}
    assert api.syncs[1]["cursor"] == empty.cursor


async def test_what_we_sent_is_not_fetched_and_staffs_is_not_taken_for_the_residents(
    api: FakeKf, adapter: WecomAdapter
) -> None:
    api.writes("wm1", "ciao")
    await adapter.send("wm1", HELLO)
    api.staff_write("wm1", "sono Zhangsan")
    page = await pulled(adapter)
    assert len(page.payloads) == 2
    assert [inbound.text for payload in page.payloads for inbound in adapter.parse(payload)] == ["ciao"]


async def test_an_old_token_is_left_out_and_calls_without_one_are_few(
    api: FakeKf, adapter: WecomAdapter, clock: FakeClock
) -> None:
    token = token_of(adapter, api, clock)
    clock.advance(minutes=11)
    assert await pulled(adapter, "", token) == Pulled((), "c0", more=False)
    assert ["token" in sync for sync in api.syncs] == [True, False]
    for _ in range(2):
        await pulled(adapter)
    result = await adapter.pull("", "")
    assert isinstance(result, RetryAfter)
    assert "45009" in result.reason


async def test_a_cursor_that_is_not_taken_begins_anew(api: FakeKf, adapter: WecomAdapter, clock: FakeClock) -> None:
    api.writes("wm1", "vecchio")
    clock.advance(days=3)
    api.writes("wm1", "nuovo")
    page = await pulled(adapter, "of another age", token_of(adapter, api, clock))
    assert [each["text"]["content"] for each in page.payloads] == ["nuovo"]


async def test_nothing_is_fetched_from_an_answer_that_is_none(api: FakeKf, adapter: WecomAdapter) -> None:
    api.garbage_next()
    assert isinstance(await adapter.pull("c0", ""), Unknown)
    api.fail_next(0, next_cursor=7)
    assert isinstance(await adapter.pull("c0", ""), Unknown)
    api.fail_next(0, msg_list="x", next_cursor="c1")
    assert isinstance(await adapter.pull("c0", ""), Unknown)
    nowhere = adapter_of("http://127.0.0.1:9")
    assert isinstance(await nowhere.pull("c0", ""), RetryAfter)
    await nowhere.close()


async def test_without_a_next_cursor_the_old_one_stays_and_what_came_is_not_lost(
    api: FakeKf, adapter: WecomAdapter
) -> None:
    api.fail_next(0, has_more=1, msg_list=[{"msgid": "m1"}])
    assert await pulled(adapter, "c0") == Pulled(({"msgid": "m1"},), "c0", more=False)


async def test_media_are_fetched_for_three_days(api: FakeKf, adapter: WecomAdapter, clock: FakeClock) -> None:
    picture, data = b"\xff\xd8\xff\xe0 not text", b'{"errcode": 40007, "of": "a file of the resident"}'
    media_id, file_id = api.keeps("image/jpeg", picture), api.keeps("application/json", data)
    found = await adapter.fetch(media_id)
    assert (found.media_type, found.content) == ("image/jpeg", picture)
    assert (await adapter.fetch(file_id)).content == data
    api.lose_token()
    assert (await adapter.fetch(media_id)).content == picture
    api.fail_next(45009)
    with pytest.raises(PlatformRefusedError, match="45009"):
        await adapter.fetch(media_id)
    large = api.keeps("video/mp4", b"\0" * (MEDIUM_MAX + 1))
    with pytest.raises(MediumGoneError) as too_large:
        await adapter.fetch(large)
    assert too_large.value.too_large
    clock.advance(days=3)
    with pytest.raises(MediumGoneError):
        await adapter.fetch(media_id)
    nowhere = adapter_of("http://127.0.0.1:9")
    with pytest.raises(PlatformRefusedError):
        await nowhere.fetch(media_id)
    await nowhere.close()


# --- the fake itself -----------------------------------------------------------------------------


def test_an_independent_client_finds_the_fake_to_be_wecoms_server(api: FakeKf, address: str) -> None:
    """Drive the fake with wechatpy's client for WeCom: its tokens, its errors, its media."""
    client = WeChatClient(CORP_ID, SECRET, auto_retry=False)
    client.API_BASE_URL = f"{address}/cgi-bin/"
    # Its own fetching has the address written into it.
    token = client._fetch_access_token(
        url=f"{address}/cgi-bin/gettoken", params={"corpid": CORP_ID, "corpsecret": SECRET}
    )
    assert token["expires_in"] == 7200
    api.writes("wm1", "ciao")
    api.sessions["wm1"] = Session(state=3, wrote_at=api.clock())
    arguments: dict[str, Any] = {
        "touser": "wm1",
        "open_kfid": OPEN_KFID,
        "msgtype": "text",
        "text": {"content": "你好"},
    }
    with pytest.raises(WeChatClientException) as refused:
        client.post("kf/send_msg", data=arguments)
    assert refused.value.errcode == 95018
    client.post("kf/service_state/trans", data={"open_kfid": OPEN_KFID, "external_userid": "wm1", "service_state": 4})
    with pytest.raises(WeChatClientException) as not_allowed:
        client.post(
            "kf/service_state/trans", data={"open_kfid": OPEN_KFID, "external_userid": "wm1", "service_state": 1}
        )
    assert not_allowed.value.errcode == 95016
    api.writes("wm1", "ancora")
    assert client.post("kf/send_msg", data=arguments)["msgid"]
    page = client.post("kf/sync_msg", data={"open_kfid": OPEN_KFID})
    assert [each["msgtype"] for each in page["msg_list"]] == ["text", "text"]
    # Its own downloading has the address written into it too.
    assert client.get("media/get", params={"media_id": api.keeps("image/png", b"png")}).content == b"png"
    client.session.set(client.access_token_key, "another")
    with pytest.raises(WeChatClientException) as token_refused:
        client.post("kf/sync_msg", data={})
    assert token_refused.value.errcode == 40014
