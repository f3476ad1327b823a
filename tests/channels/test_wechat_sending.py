"""Sending to the fake interface over HTTP: every code of the table, tokens, and media; and the fake itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from channels.access import Fetched
from channels.adapter import Medium, MediumGoneError, PlatformRefusedError, WireMessage
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
from channels.wechat import WeChatAdapter
from channels.wechat_api import LATER, MEDIUM_MAX, MUCH_LATER, SOON, WeChatApi
from tests.channels.wechat_peer import adapter_of
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET
from tests.fakes.wechat_platform import FakeWeChat

TEXT = WireMessage("ciao", key="1-0")


@pytest.fixture
def platform(clock: FakeClock) -> FakeWeChat:
    return FakeWeChat(clock=clock)


@pytest.fixture
def address(platform: FakeWeChat) -> Iterator[str]:
    with LoopbackServer(platform.app()) as server:
        yield server.url


@pytest.fixture
async def adapter(platform: FakeWeChat, address: str) -> AsyncIterator[WeChatAdapter]:
    adapter = adapter_of(platform, address)
    yield adapter
    await adapter.close()


async def test_a_text_arrives_letter_by_letter(platform: FakeWeChat, adapter: WeChatAdapter) -> None:
    platform.text("ciao")
    text = 'سلام 你好 বাংলা 👩🏽‍⚕️ "\\u4f60" <b>'
    assert await adapter.send(OPENID, WireMessage(text, key="12-0")) == Sent("12-0")
    assert platform.read_by() == [text]
    assert platform.calls == ["stable_token", "message/custom/send"]


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (-1, RetryAfter(SOON, "message", "-1: the platform is busy")),
        (40003, Blocked("40003: nobody has this openid")),
        (40013, RetryAfter(LATER, "account", "40013: the app id is wrong")),
        (40125, RetryAfter(LATER, "account", "40125: the secret is wrong")),
        (40164, RetryAfter(LATER, "account", "40164: the address of this server is not in the account's list")),
        (41001, NeedsPerson("41001: no token was given")),
        (43004, Blocked("43004: does not follow the account")),
        (50005, Blocked("50005: does not follow the account")),
        (45002, TooLong()),
        (45009, RetryAfter(MUCH_LATER, "account", "45009: the account's calls of the day are used up")),
        (45011, RetryAfter(LATER, "account", "45011: too many calls a minute")),
        (45015, WindowClosed()),
        (45047, QuotaExhausted()),
        (45065, Sent("1-0")),
        (48001, RetryAfter(LATER, "account", "48001: the account may not send messages of customer service")),
        (48002, Blocked("48002: takes no messages")),
        (48004, RetryAfter(MUCH_LATER, "account", "48004: the interface is blocked for this account")),
        (99999, NeedsPerson("the platform refuses it: 99999")),
    ],
)
async def test_every_code_has_its_result(
    platform: FakeWeChat, adapter: WeChatAdapter, code: int, result: SendResult
) -> None:
    platform.fail_next(code)
    with capture_logs() as logs:
        assert await adapter.send(OPENID, TEXT) == result
    assert platform.calls.count("message/custom/send") == 1
    waits_for_an_administrator = isinstance(result, RetryAfter) and result.scope == "account"
    assert [entry["log_level"] for entry in logs] == ["error"] * waits_for_an_administrator
    assert "ciao" not in str(logs)


async def test_windows_and_quotas_are_those_of_the_platform(
    platform: FakeWeChat, adapter: WeChatAdapter, clock: FakeClock
) -> None:
    assert await adapter.send(OPENID, TEXT) == WindowClosed()
    platform.event("CLICK", EventKey="menu")
    for _ in range(3):
        assert await adapter.send(OPENID, TEXT) == Sent("1-0")
    assert await adapter.send(OPENID, TEXT) == QuotaExhausted()
    clock.advance(seconds=61)
    assert await adapter.send(OPENID, TEXT) == WindowClosed()
    platform.text("ciao")
    for _ in range(5):
        assert await adapter.send(OPENID, TEXT) == Sent("1-0")
    assert await adapter.send(OPENID, TEXT) == QuotaExhausted()
    assert await adapter.send(OPENID, WireMessage("中" * 683)) == TooLong()
    platform.event("unsubscribe")
    assert isinstance(await adapter.send(OPENID, TEXT), Blocked)


@pytest.mark.parametrize("content", ["<html>welcome</html>", "", "[]", "null", '{"errcode": "0"}', "{}", "[" * 20_000])
async def test_a_status_of_200_that_says_nothing_leaves_a_doubt(
    platform: FakeWeChat, adapter: WeChatAdapter, content: str
) -> None:
    platform.answer_next(content)
    assert isinstance(await adapter.send(OPENID, TEXT), Unknown)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (502, Unknown("HTTP 502")),
        (302, Unknown("HTTP 302")),
        (404, RetryAfter(LATER, "account", "HTTP 404")),
        (429, RetryAfter(LATER, "account", "HTTP 429")),
    ],
)
async def test_a_status_that_the_platform_never_gives(
    platform: FakeWeChat, adapter: WeChatAdapter, status: int, result: SendResult
) -> None:
    platform.answer_next("<html>a proxy</html>", status=status)
    assert await adapter.send(OPENID, TEXT) == result


async def test_a_time_out_is_a_doubt_and_what_never_left_is_tried_again(platform: FakeWeChat) -> None:
    platform.text("ciao")
    with LoopbackServer(platform.app()) as server:
        adapter = adapter_of(platform, server.url)
        await adapter.send(OPENID, TEXT)
        platform.stall_next(1.0)
        assert await adapter.send(OPENID, TEXT) == Unknown("no answer: ReadTimeout")
        assert len(platform.read_by()) == 2
    assert await adapter.send(OPENID, TEXT) == RetryAfter(SOON, "account", "no connection")
    await adapter.close()


# --- tokens ---


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_refused_token_is_replaced_once_and_the_message_sent_once_more(
    platform: FakeWeChat, adapter: WeChatAdapter, code: int
) -> None:
    platform.text("ciao")
    platform.fail_next(code)
    assert await adapter.send(OPENID, TEXT) == Sent("1-0")
    assert platform.read_by() == ["ciao"]
    assert platform.calls.count("message/custom/send") == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_platform_that_refuses_every_token_is_not_asked_for_ever(
    platform: FakeWeChat, adapter: WeChatAdapter, code: int
) -> None:
    platform.fail_next(code, times=100)
    result = await adapter.send(OPENID, TEXT)
    assert result == RetryAfter(LATER, "account", f"{code}: a new token is refused too")
    assert platform.calls.count("message/custom/send") == 2
    assert platform.calls.count("stable_token") <= 3


async def test_a_lost_token_that_is_still_given_out_is_forced_to_change(
    platform: FakeWeChat, adapter: WeChatAdapter
) -> None:
    platform.text("ciao")
    assert await adapter.send(OPENID, TEXT) == Sent("1-0")
    platform.refuse_without_forgetting()
    assert await adapter.send(OPENID, TEXT) == Sent("1-0")
    assert len(platform.forced) == 1
    # Forced again within 30 seconds the platform refuses, and the message waits.
    platform.refuse_without_forgetting()
    assert isinstance(await adapter.send(OPENID, TEXT), RetryAfter)
    assert len(platform.forced) == 1


@pytest.mark.parametrize(
    ("app_id", "secret", "listed", "reason"),
    [
        ("wx0", SECRET, True, "40013: the app id is wrong"),
        (APP_ID, "another", True, "40125: the secret is wrong"),
        (APP_ID, SECRET, False, "40164: the address of this server is not in the account's list"),
    ],
)
async def test_what_an_administrator_has_to_mend_is_told_and_messages_wait(
    platform: FakeWeChat, address: str, app_id: str, secret: str, *, listed: bool, reason: str
) -> None:
    platform.listed = listed
    api = WeChatApi(app_id, secret, address)
    with capture_logs() as logs:
        assert await api.fetch_token() == RetryAfter(LATER, "account", reason)
    assert [(entry["event"], entry["reason"]) for entry in logs] == [("wechat_refuses", reason)]
    assert secret not in str(logs)
    await api.close()


async def test_no_token_is_no_doubt_whatever_became_of_asking() -> None:
    async def garbage(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b'{"access_token": ""}'})  # type: ignore[operator]

    with LoopbackServer(garbage) as server:
        api = WeChatApi(APP_ID, SECRET, server.url)
        assert await api.fetch_token() == RetryAfter(SOON, "account", "no token: answer not understood")
    assert await api.fetch_token() == RetryAfter(SOON, "account", "no token: no connection")
    await api.close()


# --- media ---


async def test_a_medium_is_fetched_for_three_days(
    platform: FakeWeChat, adapter: WeChatAdapter, clock: FakeClock
) -> None:
    platform.media["m1"] = (clock(), "image/jpeg", b"\xff\xd8\xff")
    platform.media["m2"] = (clock(), "audio/amr", b"#!AMR")
    assert await adapter.fetch("m1") == Medium("image/jpeg", b"\xff\xd8\xff")
    assert await adapter.fetch("m2") == Medium("audio/amr", b"#!AMR")
    clock.advance(days=3)
    with pytest.raises(MediumGoneError, match="three days"):
        await adapter.fetch("m1")


async def test_the_bytes_of_an_error_are_never_taken_for_a_medium(platform: FakeWeChat, adapter: WeChatAdapter) -> None:
    for media_type in ("application/json", "text/plain", "text/html"):
        platform.answer_next('{"errcode": -1, "errmsg": "system error"}', media_type=media_type)
        with pytest.raises(PlatformRefusedError):
            await adapter.fetch("m1")
    platform.answer_next("<html>bad gateway</html>", status=502)
    with pytest.raises(PlatformRefusedError):
        await adapter.fetch("m1")


async def test_a_token_that_is_refused_for_a_medium_is_replaced_too(
    platform: FakeWeChat, adapter: WeChatAdapter, clock: FakeClock
) -> None:
    platform.media["m1"] = (clock(), "image/jpeg", b"\xff\xd8\xff")
    platform.fail_next(42001)
    assert (await adapter.fetch("m1")).media_type == "image/jpeg"


async def test_what_is_too_large_is_not_fetched_to_its_end(
    platform: FakeWeChat, adapter: WeChatAdapter, clock: FakeClock
) -> None:
    platform.media["m1"] = (clock(), "video/mp4", bytes(MEDIUM_MAX + 1))
    with pytest.raises(MediumGoneError, match="larger"):
        await adapter.fetch("m1")


async def test_a_video_is_fetched_from_the_platform_and_from_nowhere_else(
    platform: FakeWeChat, adapter: WeChatAdapter, address: str
) -> None:
    platform.answer_next(f'{{"video_url": "{address}/cgi-bin/film"}}', media_type="text/plain")
    platform.answer_next("film", media_type="video/mp4")
    assert (await adapter.fetch("m1")).media_type == "video/mp4"
    for elsewhere in ("http://127.0.0.1:22/", "file:///etc/hostname", "https://qq.com.example.org/", "x"):
        platform.answer_next(f'{{"video_url": "{elsewhere}"}}', media_type="text/plain")
        with pytest.raises(PlatformRefusedError, match="not the platform's"):
            await adapter.fetch("m1")


# --- the fake itself ---


async def test_the_fake_keeps_a_stable_token_until_its_last_five_minutes(address: str, clock: FakeClock) -> None:
    api = WeChatApi(APP_ID, SECRET, address)
    first = await api.fetch_token()
    assert isinstance(first, Fetched)
    assert first.lasts == timedelta(seconds=7200)
    clock.advance(seconds=6000)
    assert await api.fetch_token() == Fetched(first.token, timedelta(seconds=1200))
    clock.advance(seconds=901)
    second = await api.fetch_token()
    assert isinstance(second, Fetched)
    assert second.token != first.token
    async with httpx.AsyncClient(base_url=address) as client:
        for seconds, code in ((0, 45015), (300, 42001)):
            clock.advance(seconds=seconds)
            answer = await client.post(
                "/cgi-bin/message/custom/send", params={"access_token": first.token}, json={"touser": OPENID} | ASKED
            )
            assert answer.json()["errcode"] == code
    await api.close()


ASKED = {"msgtype": "text", "text": {"content": "ciao"}}


async def test_the_fake_ends_the_token_before_where_the_old_way_is_used(address: str, clock: FakeClock) -> None:
    query = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
    async with httpx.AsyncClient(base_url=address) as client:

        async def fetched() -> str:
            return str((await client.get("/cgi-bin/token", params=query)).json()["access_token"])

        async def code_of(token: str) -> int:
            params = {"access_token": token}
            answer = await client.post("/cgi-bin/message/custom/send", params=params, json={"touser": OPENID} | ASKED)
            return int(answer.json()["errcode"])

        first, second = await fetched(), await fetched()
        assert [await code_of(first), await code_of(second)] == [45015, 45015]
        clock.advance(minutes=5)
        assert [await code_of(first), await code_of(second)] == [42001, 45015]
        assert await code_of("never given") == 40001


async def test_many_sends_that_meet_a_lost_token_at_once_all_arrive(
    platform: FakeWeChat, adapter: WeChatAdapter
) -> None:
    platform.enforce_windows = False
    await adapter.send(OPENID, TEXT)
    platform.lose_tokens()
    results = await asyncio.gather(*(adapter.send(OPENID, WireMessage(str(n), key=str(n))) for n in range(20)))
    assert results == [Sent(str(n)) for n in range(20)]
    assert sorted(platform.read_by()[1:], key=int) == [str(n) for n in range(20)]
