"""WeChat's tokens: refused, lost, forced and refused for good; and the rules that the fake keeps of them."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from channels.access import Fetched
from channels.adapter import WireMessage
from channels.results import (
    RetryAfter,
    Sent,
)
from channels.wechat import WeChatAdapter
from channels.wechat_api import WeChatApi
from channels.wechat_codes import LATER, SOON
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET
from tests.fakes.wechat_platform import FakeWeChat

TEXT = WireMessage("ciao", key="1-0")


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
