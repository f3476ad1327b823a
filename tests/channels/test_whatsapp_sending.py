"""Sending to the fake Cloud API: texts, buttons, lists, templates, media, and every error code that is known."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapter import MediumGoneError, Outbound, OutboundChoice, PlatformRefusedError, WireMessage
from channels.composing import tried
from channels.rendering import render
from channels.results import NeedsPerson, RetryAfter, SendResult, Sent, TooLong, Unknown, WindowClosed
from channels.whatsapp import Template, WhatsAppAdapter
from channels.whatsapp_errors import result_of, result_of_code
from tests.channels.whatsapp_peer import adapter_for
from tests.conftest import FakeClock
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import FakeCloudApi

CHAT = "393331234567"


@pytest.fixture
def api(clock: FakeClock) -> FakeCloudApi:
    api = FakeCloudApi(clock=clock.timestamp)
    api.heard(CHAT)
    return api


@pytest.fixture
def server(api: FakeCloudApi) -> Iterator[LoopbackServer]:
    with LoopbackServer(api.app()) as server:
        api.url = server.url
        yield server


@pytest.fixture
async def adapter(server: LoopbackServer) -> AsyncIterator[WhatsAppAdapter]:
    adapter = adapter_for(server.url, "answer_ready:it,en,zh_CN")
    yield adapter
    await adapter.close()


async def test_the_sign_that_somebody_writes_marks_as_read_costs_no_message_and_never_fails(
    api: FakeCloudApi, adapter: WhatsAppAdapter, clock: FakeClock
) -> None:
    api.heard(CHAT, "wamid.1")
    await tried(adapter.show_typing_under("wamid.1"))
    assert (api.shows_typing(CHAT), api.read, api.sent) == (True, ["wamid.1"], [])
    clock.advance(seconds=25)
    assert not api.shows_typing(CHAT)
    await tried(adapter.show_typing_under("wamid.1"))
    assert isinstance(await adapter.send(CHAT, WireMessage("ciao")), Sent)
    assert not api.shows_typing(CHAT), "a message ends it"
    with pytest.raises(PlatformRefusedError):
        await adapter.show_typing_under("wamid.of nobody")
    await tried(adapter.show_typing_under("wamid.of nobody"))
    api.garbage_next(status=502)
    await tried(adapter.show_typing_under("wamid.1"))
    assert len(api.read) == 2


def choices(*labels: str) -> tuple[OutboundChoice, ...]:
    return tuple(OutboundChoice(f"7.{place}", label) for place, label in enumerate(labels))


async def test_a_text_goes_as_it_is(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    assert await adapter.send(CHAT, WireMessage("سلام https://example.it")) == Sent("wamid.00000001")
    (message,) = api.sent
    assert (message.to, message.via, message.text) == (CHAT, "text", "سلام https://example.it")


async def test_an_id_instead_of_a_number_is_named_as_such(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    api.heard("IT.1349120")
    assert isinstance(await adapter.send("IT.1349120", WireMessage("ciao")), Sent)


async def test_up_to_three_short_choices_are_buttons(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    assert isinstance(await adapter.send(CHAT, WireMessage("Aiuta?", choices("Sì", "No", "x" * 20))), Sent)
    assert (api.sent[0].via, api.sent[0].choices[0]) == ("button", ("7.0", "Sì", ""))


@pytest.mark.parametrize(
    "labels",
    [
        ("Sì", "Voglio parlare con una persona"),
        ("1", "2", "3", "4"),
        ("Uguale", "Uguale"),
        ("বাংলা ভাষায় কথা বলতে চাই", "হ্যাঁ"),
        tuple(f"{number} {'parola ' * 30}" for number in range(10)),
    ],
)
async def test_more_or_longer_or_equal_ones_are_a_list(
    api: FakeCloudApi, adapter: WhatsAppAdapter, labels: tuple[str, ...]
) -> None:
    result = await adapter.send(CHAT, WireMessage("Che cosa?", choices(*labels), language="it"))
    assert isinstance(result, Sent)
    (message,) = api.sent
    assert message.via == "list"
    for (_, title, more), label in zip(message.choices, labels, strict=True):
        assert title == label or (title.endswith("…") and (more == label or more.endswith("…")))


labels = st.text(st.sampled_from("ab ক্ষ্মেاردو中文👩🏽‍🚒é\u0301.1"), min_size=1, max_size=120).filter(str.strip)


@given(text=st.text(st.characters(codec="utf-8"), max_size=3000), names=st.lists(labels, min_size=1, max_size=14))
async def test_whatever_is_to_be_said_keeps_within_every_limit(text: str, names: list[str]) -> None:
    """Everything that rendering gives is taken by the fake, which counts as strictly as anybody could."""
    api = FakeCloudApi(enforce_window=False)
    adapter = adapter_for("http://127.0.0.1:9")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app())) as client:
        # The same adapter without a socket between, so that a hundred examples take a second.
        own, adapter._client = adapter._client, client
        client.headers.update(own.headers)
        for part in render(Outbound("ur", (text,), choices(*names)), adapter.capabilities):
            assert isinstance(await adapter.send(CHAT, part), Sent)
        await own.aclose()
    offered = [choice for message in api.sent for choice in message.choices]
    assert [choice[0] for choice in offered] == ([c.id for c in choices(*names)] if len(names) <= 10 else [])


async def test_too_long_is_told_apart_whoever_counts(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    assert await adapter.send(CHAT, WireMessage("x" * 4097)) == TooLong()
    assert await adapter.send(CHAT, WireMessage("x" * 1025, choices("Sì"))) == TooLong()
    api.fail_next(100, "Param text['body'] must be at most 4096 characters long.")
    assert await adapter.send(CHAT, WireMessage("ciao")) == TooLong()
    assert api.sent == []


async def test_after_24_hours_only_the_template_goes_in_the_nearest_language(
    api: FakeCloudApi, adapter: WhatsAppAdapter, clock: FakeClock
) -> None:
    clock.advance(hours=24)
    assert isinstance(await adapter.send(CHAT, WireMessage("ciao")), Sent)
    clock.advance(seconds=1)
    assert await adapter.send(CHAT, WireMessage("ciao")) == WindowClosed()
    for language in ("en", "zh", "ur"):
        assert isinstance(await adapter.knock(CHAT, language), Sent)
    assert [(m.via, m.text, m.language) for m in api.sent[1:]] == [
        ("template", "answer_ready", tag) for tag in ("en", "zh_CN", "it")
    ]
    api.templates.clear()
    assert await adapter.knock(CHAT, "it") == NeedsPerson("132001 template")


def test_a_template_is_read_from_the_settings() -> None:
    assert Template.parse("  ") is None
    assert Template.parse("risposta: it, en_US") == Template("risposta", ("it", "en_US"))
    for wrong in ("risposta", "risposta:", ":it"):
        with pytest.raises(ValueError, match="name:language"):
            Template.parse(wrong)


CODES: list[tuple[int, SendResult]] = [
    (131047, WindowClosed()),
    (131026, WindowClosed()),
    (131056, RetryAfter(timedelta(seconds=6), "chat", "131056 too many to one person")),
    (130429, RetryAfter(timedelta(seconds=3), "account", "130429 too many in all")),
    (131048, RetryAfter(timedelta(minutes=5), "account", "131048 held back as spam")),
    (190, RetryAfter(timedelta(seconds=60), "account", "190 token refused")),
    (368, RetryAfter(timedelta(minutes=5), "account", "368 account blocked for its policy")),
    (131051, NeedsPerson("131051 kind not supported")),
    (100, NeedsPerson("100 parameter")),
    (131000, Unknown("131000 unknown error")),
    (132015, NeedsPerson("132015 template")),
    (133010, RetryAfter(timedelta(minutes=5), "account", "133010 registration of the number")),
    (294, RetryAfter(timedelta(seconds=60), "account", "294 permission missing")),
    (987654, NeedsPerson("987654 unknown")),
]


@pytest.mark.parametrize(("code", "expected"), CODES)
async def test_every_code_has_its_meaning(
    api: FakeCloudApi, adapter: WhatsAppAdapter, code: int, expected: SendResult
) -> None:
    api.fail_next(code, "with 'a text' of the resident")
    assert await adapter.send(CHAT, WireMessage("ciao")) == expected
    assert api.sent == []


def test_answers_without_a_code_are_read_by_their_status() -> None:
    assert result_of(429, {}) == RetryAfter(timedelta(seconds=60), "account", "HTTP 429")
    assert result_of(401, "no json") == RetryAfter(timedelta(seconds=60), "account", "HTTP 401")
    assert result_of(503, None) == Unknown("HTTP 503 without an error code")
    assert result_of(500, {"error": {"code": True}}) == Unknown("HTTP 500 without an error code")
    assert result_of_code(987654, status=502) == Unknown("987654 unknown")


async def test_the_pace_of_one_pair_is_told_for_that_chat_alone(
    api: FakeCloudApi, adapter: WhatsAppAdapter, clock: FakeClock
) -> None:
    api.enforce_rate = True
    api.heard("390000")
    for _ in range(45):
        assert isinstance(await adapter.send(CHAT, WireMessage("ciao")), Sent)
        clock.advance(seconds=0.5)
    result = await adapter.send(CHAT, WireMessage("ciao"))
    assert isinstance(result, RetryAfter)
    assert result.scope == "chat"
    assert isinstance(await adapter.send("390000", WireMessage("ciao")), Sent)


async def test_a_wrong_token_holds_everything_until_it_is_mended(api: FakeCloudApi, server: LoopbackServer) -> None:
    adapter = adapter_for(server.url)
    adapter._client.headers["Authorization"] = "Bearer another"
    result = await adapter.send(CHAT, WireMessage("ciao"))
    assert isinstance(result, RetryAfter)
    assert (result.scope, result.reason, api.sent) == ("account", "190 token refused", [])
    await adapter.close()


# --- media ---------------------------------------------------------------------------------------


async def test_a_medium_is_fetched_in_two_steps(api: FakeCloudApi, adapter: WhatsAppAdapter, clock: FakeClock) -> None:
    api.keep("m1", "image/jpeg", b"\xff\xd8picture")
    medium = await adapter.fetch("m1")
    assert (medium.media_type, medium.content) == ("image/jpeg", b"\xff\xd8picture")
    clock.advance(days=7.1)
    with pytest.raises(MediumGoneError, match="no longer"):
        await adapter.fetch("m1")
    with pytest.raises(MediumGoneError):
        await adapter.fetch("never-there")


async def test_a_medium_that_is_too_large_is_not_read_to_its_end(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    api.keep("m1", "video/mp4", b"x" * (20 * 1024 * 1024 + 1))
    with pytest.raises(MediumGoneError, match="20 MB"):
        await adapter.fetch("m1")


async def test_the_token_goes_to_no_address_less_safe_than_the_api(api: FakeCloudApi, adapter: WhatsAppAdapter) -> None:
    api.keep("m1", "image/jpeg", b"x")
    for url in ("ftp://127.0.0.1", "file:///etc", "", "http://[", "https://elsewhere.example"):
        api.url = url
        with pytest.raises(PlatformRefusedError):
            await adapter.fetch("m1")


async def test_a_server_that_is_away_is_a_passing_trouble() -> None:
    adapter = adapter_for("http://127.0.0.1:9")
    with pytest.raises(PlatformRefusedError):
        await adapter.fetch("m1")
    await adapter.close()
