"""Sending to the fake interface over HTTP: every code of the table, and media."""

import pytest
from structlog.testing import capture_logs

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
from channels.wechat_api import MEDIUM_MAX
from channels.wechat_codes import LATER, MUCH_LATER, SOON
from tests.channels.wechat_peer import adapter_of
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_api import OPENID
from tests.fakes.wechat_platform import FakeWeChat

TEXT = WireMessage("ciao", key="1-0")


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
        adapter = adapter_of(platform, server.url, read_seconds=0.3)
        await adapter.send(OPENID, TEXT)
        platform.stall_next(0.45)
        assert await adapter.send(OPENID, TEXT) == Unknown("no answer: ReadTimeout")
        assert len(platform.read_by()) == 2
    assert await adapter.send(OPENID, TEXT) == RetryAfter(SOON, "account", "no connection")
    await adapter.close()


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
