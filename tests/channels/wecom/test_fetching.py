"""What is fetched from WeCom through the real HTTP client, messages and media, and the fake server itself."""

from typing import Any

import pytest
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from channels.adapter import MediumGoneError, PlatformRefusedError, Pulled
from channels.results import RetryAfter, Unknown
from channels.wecom import WecomAdapter
from channels.wecom_api import MEDIUM_MAX
from tests.channels.wecom_peer import HELLO, adapter_of
from tests.conftest import FakeClock
from tests.fakes.wecom_api import SECRET, FakeKf
from tests.fakes.wecom_callbacks import CORP_ID, OPEN_KFID
from tests.fakes.wecom_memory import Session


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
