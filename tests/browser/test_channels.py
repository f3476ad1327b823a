"""A mediator who sees how the channels are, and what a platform still lets them write."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import People, Server
from tests.browser.test_pages import accessible, in_language, no_sideways_scrolling, picture
from tests.browser.test_relay import wait_until_understood
from tests.fakes.servers import LoopbackServer
from tests.fakes.whatsapp_api import PHONE_ID, SECRET, TOKEN, VERIFY_TOKEN, FakeCloudApi, text_value

RESIDENT = "393331234567"


class WhatsAppServer(Server):
    """A server with a WhatsApp number and a phone that never gave a sign of life."""

    def __init__(self, folder: Path, api_base: str) -> None:
        super().__init__(folder)
        self._api_base = api_base

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "SPORTELLO_WHATSAPP_PHONE_ID": PHONE_ID,
            "SPORTELLO_WHATSAPP_TOKEN": TOKEN,
            "SPORTELLO_WHATSAPP_SECRET": SECRET,
            "SPORTELLO_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "SPORTELLO_WHATSAPP_API_BASE": f"{self._api_base}/v24.0",
            "SPORTELLO_PHONE_DEVICES": "via-roma:token-of-via-roma-1",
        }


@pytest.fixture(scope="module")
def api() -> FakeCloudApi:
    return FakeCloudApi()


@pytest.fixture(scope="module")
def whatsapp_server(api: FakeCloudApi) -> Iterator[Server]:
    folder = Path(mkdtemp(prefix="sportello-channels-"))
    folder.chmod(0o755)
    with LoopbackServer(api.app()) as fake:
        server = WhatsAppServer(folder, fake.url)
        server.start()
        wait_until_understood(folder / "server.log")
        yield server
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def people(browser: Browser, whatsapp_server: Server) -> Iterator[People]:
    people = People(browser, whatsapp_server)
    yield people
    people.leave()


def write(server: Server, api: FakeCloudApi, text: str, key: str) -> None:
    """Let a resident write on WhatsApp, through the webhook."""
    api.heard(RESIDENT)
    body, headers = api.call(text_value(text, key=key, sender=RESIDENT, at=time.time()))
    answer = httpx.post(f"{server.url}/webhooks/whatsapp", content=body, headers=headers, timeout=10)
    assert answer.status_code == 200


def test_a_mediator_sees_what_may_be_written_and_how_the_channels_are(
    people: People, whatsapp_server: Server, api: FakeCloudApi
) -> None:
    mediator = people.staff()
    expect(mediator.locator("[data-lists]")).not_to_contain_text("Un canale ha un problema")
    api.garbage_next()
    write(whatsapp_server, api, "voglio parlare con una persona", "wamid.1")
    mediator.locator("[data-ticket]").get_by_role("button", name="Rispondo io").click()
    expect(mediator.locator("[data-allowance]")).to_contain_text("Puoi scrivere fino a")
    accessible(mediator)
    no_sideways_scrolling(mediator)
    # What was sent into the unknown is told on every page of the desk.
    mediator.wait_for_timeout(16_000)  # the page's own time: the notice is looked up no more often than this
    mediator.goto("/desk")
    notice = mediator.get_by_role("link", name="Un canale ha un problema")
    expect(notice).to_be_visible()
    accessible(mediator)
    notice.click()
    mediator.wait_for_url("**/desk/channels")
    whatsapp = mediator.locator("[data-channel=whatsapp]")
    expect(whatsapp).to_contain_text("non si sa se siano arrivati")
    expect(whatsapp).to_contain_text("Meta (WhatsApp)")
    expect(mediator.locator("[data-channel=phone]")).to_contain_text("Il telefono non dà segni")
    expect(mediator.locator("[data-channel=telegram]")).to_contain_text("spento")
    picture(mediator, "desk-channels")
    assert people.complaints == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("language", ["it", "ur"])
def test_the_channels_in_every_dress(people: People, language: str, *, dark: bool, phone: bool) -> None:
    page = people.staff(dark=dark, phone=phone)
    in_language(page, language)
    page.goto("/desk/channels")
    expect(page.locator("html")).to_have_attribute("lang", language)
    accessible(page)
    page.set_viewport_size({"width": 320 if phone else 1280, "height": 700})
    no_sideways_scrolling(page)
    in_language(page, "it")
