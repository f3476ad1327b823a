"""Sending through the real library to the fake server: every result of the closed set, and the fake itself."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from channels.adapter import Medium, MediumGoneError, OutboundChoice, PlatformRefusedError, WireMessage
from channels.composing import show
from channels.results import Blocked, NeedsPerson, RetryAfter, Sent, TooLong, Unknown
from channels.telegram import TelegramAdapter
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import FILE_MAX, TOKEN, FakeBotApi, StoredFile


@pytest.fixture
def api() -> FakeBotApi:
    return FakeBotApi()


@pytest.fixture
def address(api: FakeBotApi) -> Iterator[str]:
    with LoopbackServer(api.app()) as server:
        yield server.url


@pytest.fixture
async def adapter(address: str) -> AsyncIterator[TelegramAdapter]:
    adapter = TelegramAdapter(TOKEN, "secret", address)
    yield adapter
    await adapter.close()


async def test_a_message_with_buttons_arrives(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    choices = (OutboundChoice("7.0", "ہاں"), OutboundChoice("7.1", "x" * 200))
    result = await adapter.send("55", WireMessage("سلام", choices))
    assert result == Sent("1")
    (message,) = api.sent
    assert (message.chat_id, message.text) == (55, "سلام")
    assert [data for _, data in message.buttons] == ["7.0", "7.1"]
    assert len(message.buttons[1][0]) == 60


async def test_refusals_are_told_apart(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    api.blocked.add(1)
    assert isinstance(await adapter.send("1", WireMessage("ciao")), Blocked)
    api.unknown_chats.add(2)
    assert isinstance(await adapter.send("2", WireMessage("ciao")), Blocked)
    assert await adapter.send("3", WireMessage("x" * 4097)) == TooLong()
    assert isinstance(await adapter.send("3", WireMessage(" ")), NeedsPerson)
    api.fail_next(400, "Bad Request: can't parse entities")
    assert isinstance(await adapter.send("3", WireMessage("ciao")), NeedsPerson)
    api.fail_next(401, "Unauthorized")
    assert await adapter.send("3", WireMessage("ciao")) == RetryAfter(timedelta(seconds=60), "account", "unauthorized")
    assert api.sent == []


async def test_the_sign_that_somebody_writes_costs_no_message_and_never_fails(
    api: FakeBotApi, adapter: TelegramAdapter
) -> None:
    await show(adapter, "55")
    assert (api.typing, api.sent) == ([55], [])
    api.blocked.add(55)
    await show(adapter, "55")
    api.fail_next(429, "Too Many Requests: retry after 3", retry_after=3)
    await show(adapter, "55")
    assert api.typing == [55]


async def test_the_flood_limit_says_how_long_to_wait_for_this_chat(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    api.enforce_rate = True
    assert isinstance(await adapter.send("1", WireMessage("uno")), Sent)
    result = await adapter.send("1", WireMessage("due"))
    assert result == RetryAfter(timedelta(seconds=1), "chat", "too many requests")
    assert isinstance(await adapter.send("2", WireMessage("altro")), Sent)


async def test_what_nobody_knows_is_unknown_and_what_never_left_is_tried_again(
    api: FakeBotApi, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Patched so that the time-out takes a tenth of a second and not fifteen.
    monkeypatch.setattr("channels.telegram.READ_SECONDS", 0.1)
    adapter = TelegramAdapter(TOKEN, "secret", address)
    api.stall_next(0.5)
    assert isinstance(await adapter.send("1", WireMessage("forse")), Unknown)
    assert [message.text for message in api.sent] == ["forse"]
    api.garbage_next()
    assert isinstance(await adapter.send("1", WireMessage("ciao")), Unknown)
    api.fail_next(502, "Bad Gateway")
    assert isinstance(await adapter.send("1", WireMessage("ciao")), Unknown)
    await adapter.close()
    nowhere = TelegramAdapter(TOKEN, "secret", "http://127.0.0.1:9")
    result = await nowhere.send("1", WireMessage("ciao"))
    assert isinstance(result, RetryAfter)
    assert result.scope == "account"
    await nowhere.close()


async def test_a_tap_is_answered_and_too_late_is_as_good(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    api.tap("q1")
    assert await adapter.acknowledge("q1") == Sent("")
    assert api.answered == ["q1"]
    assert await adapter.acknowledge("q0") == Sent("")
    api.fail_next(429, "Too Many Requests: retry after 5", retry_after=5)
    assert isinstance(await adapter.acknowledge("q1"), RetryAfter)


async def test_the_webhook_is_set_with_the_secret_and_polling_gives_raw_updates(
    api: FakeBotApi, adapter: TelegramAdapter
) -> None:
    await adapter.set_webhook("https://sportello.example.it/webhooks/telegram")
    assert api.webhook["secret_token"] == "secret"
    assert api.webhook["url"] == "https://sportello.example.it/webhooks/telegram"
    await adapter.delete_webhook()
    api.updates.extend([{"update_id": 5, "malformed": True}, {"update_id": 6}])
    assert await adapter.updates(None, seconds=0) == [{"update_id": 5, "malformed": True}, {"update_id": 6}]
    assert await adapter.updates(6, seconds=0) == [{"update_id": 6}]


async def test_a_file_is_fetched_with_the_type_of_its_name(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    for name, path, media_type in (
        ("v", "voice/file_1.oga", "audio/ogg"),
        ("p", "photos/file 2.jpg", "image/jpeg"),
        ("n", "documents/file_3", "application/octet-stream"),
    ):
        api.files[name] = StoredFile(path, name.encode())
        assert await adapter.fetch(name) == Medium(media_type, name.encode())


async def test_a_file_that_cannot_be_had_is_told_apart(api: FakeBotApi, adapter: TelegramAdapter) -> None:
    api.files["large"] = StoredFile("videos/1.mp4", b"", says=FILE_MAX + 1)
    api.files["liar"] = StoredFile("videos/2.mp4", b"x" * (FILE_MAX + 1), says=5)
    api.files["full"] = StoredFile("videos/3.mp4", b"x" * FILE_MAX)
    assert len((await adapter.fetch("full")).content) == FILE_MAX
    for ref, too_large in (("large", True), ("liar", True), ("nobody's", False)):
        with pytest.raises(MediumGoneError) as gone:
            await adapter.fetch(ref)
        assert gone.value.too_large is too_large
    api.fail_next(429, "Too Many Requests: retry after 5", retry_after=5)
    with pytest.raises(PlatformRefusedError) as refused:
        await adapter.fetch("full")
    assert TOKEN not in str(refused.value)
    nowhere = TelegramAdapter(TOKEN, "secret", "http://127.0.0.1:9")
    with pytest.raises(PlatformRefusedError) as refused:
        await nowhere.fetch("full")
    assert TOKEN not in str(refused.value)
    await nowhere.close()
