"""An operator with a phone in hand at the relay desk: by keyboard alone, in every dress, and without a script."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import People, Server
from tests.browser.test_pages import accessible, in_language, no_sideways_scrolling, picture
from tests.fakes.phone import WHATSAPP, notification

TOKEN = "token-of-via-roma-1"


class RelayServer(Server):
    """A server with the relay desk and a phone that never beats, so that the alarm stands on every page."""

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "SPORTELLO_RELAY_APPS": "imo,wechat,other",
            "SPORTELLO_PHONE_DEVICES": f"via-roma:{TOKEN}",
            "SPORTELLO_BRIDGE_SECRET": "a secret of thirty-two letters, at least",
        }


def wait_until_understood(log: Path) -> None:
    """Wait until turns are taken: pages are served before the entries are read."""
    until = time.monotonic() + 120
    while "knowledge_read" not in log.read_text():
        assert time.monotonic() < until, "the entries are not read"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def relay_server() -> Iterator[Server]:
    folder = Path(mkdtemp(prefix="sportello-relay-"))
    folder.chmod(0o755)
    server = RelayServer(folder)
    server.start()
    wait_until_understood(folder / "server.log")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def people(browser: Browser, relay_server: Server) -> Iterator[People]:
    people = People(browser, relay_server)
    yield people
    people.leave()


def operator(people: People, *, phone: bool = False, dark: bool = False, script: bool = True) -> Page:
    page = people.staff("admin", phone=phone, dark=dark, script=script)
    if script:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/desk/relay")
    return page


def in_quarantine(server: Server, text: str) -> None:
    answer = httpx.post(
        f"{server.url}/gateways/phone/messages",
        json=notification(text, sender="Ali Khan", package=WHATSAPP),
        headers={"X-Device-Token": TOKEN},
    )
    assert answer.json() == {"replies": []}


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def focused(page: Page, what: str) -> None:
    expect(page.locator(what).first).to_be_focused(timeout=10_000)


def test_a_whole_conversation_by_keyboard_alone(people: People) -> None:
    page = operator(people)
    keys = page.keyboard
    focused(page, "[data-name]")
    began = time.monotonic()
    keys.type("Ali Khan")
    keys.press("Enter")
    page.wait_for_url("**/desk/relay/threads/*")
    focused(page, "[data-paste] textarea")
    keys.type("malik tankhwa")
    keys.press("Shift+Enter")
    keys.press("Backspace")
    keys.type(" nahi deta")
    keys.press("Enter")
    # The answer comes by itself, and nobody types: its "copy" has the focus.
    focused(page, "[data-answer] [data-copy]")
    expect(page.locator("[data-answer]")).to_have_count(1)
    answer = page.locator("[data-answer]")
    expect(answer.locator("[data-text]")).to_have_attribute("lang", "ur")
    expect(answer.get_by_role("heading", name="In italiano")).to_be_visible()
    picture(page, "relay-desk")
    keys.press("Enter")
    focused(page, "[data-mark=sent] button")
    assert clipboard(page) == answer.locator("[data-text]").text_content()
    assert "1. " in clipboard(page)
    keys.press("Enter")
    focused(page, "[data-paste] textarea")
    # One conversation a minute: the desk may take ten seconds of it, the rest is for the phone in the other hand.
    taken = time.monotonic() - began
    print(f"from the name to marked as sent: {taken:.1f} s")  # noqa: T201 - for docs/measurements.md
    assert taken < 10
    expect(page.locator("[data-answer]")).to_have_count(0)
    _two_answers_at_once(page)
    _to_a_new_person_and_back(page)
    page.locator("summary", has_text="Chi ha fatto che cosa").press("Enter")
    expect(page.locator("[data-acts] li")).to_have_count(6)
    page.locator("summary", has_text="Tasti").press("Enter")
    expect(page.get_by_text("Alt+↓ e Alt+↑")).to_be_visible()
    assert people.complaints == []


def _two_answers_at_once(page: Page) -> None:
    keys = page.keyboard
    # Two at once: the second comes after the first, and then the box.
    keys.type("menu")
    keys.press("Enter")
    focused(page, "[data-copy]")
    keys.press("Escape")
    focused(page, "[data-paste] textarea")
    keys.type("shukria")
    keys.press("Enter")
    expect(page.locator("[data-answer]")).to_have_count(2)
    keys.press("Shift+Tab")
    while not page.evaluate("document.activeElement.matches('[data-answer]:first-child [data-copy]')"):
        keys.press("Shift+Tab")
    for _ in range(2):
        keys.press("Enter")
        focused(page, "[data-mark=sent] button")
        keys.press("Enter")
        page.wait_for_timeout(200)  # the page's own time: the answer of the server
    focused(page, "[data-paste] textarea")
    expect(page.locator("[data-answer]")).to_have_count(0)
    expect(page.locator(".message")).to_have_count(6)


def _to_a_new_person_and_back(page: Page) -> None:
    keys = page.keyboard
    keys.press("Alt+ArrowUp")
    focused(page, "[data-name]")
    keys.type("小王")
    keys.press("Tab")
    keys.type("W")
    keys.press("Enter")
    page.get_by_role("button", name="Apri").press("Enter")
    page.wait_for_function("document.querySelector('h1')?.textContent === '小王'")
    focused(page, "[data-paste] textarea")
    keys.press("Alt+ArrowDown")
    page.wait_for_function("document.querySelector('h1')?.textContent === 'Ali Khan'")


def test_typing_is_never_interrupted_by_an_answer(people: People) -> None:
    page = operator(people)
    page.locator("[data-name]").fill("Occupata")
    page.keyboard.press("Enter")
    focused(page, "[data-paste] textarea")
    page.keyboard.type("guardia medica numero")
    page.keyboard.press("Enter")
    page.keyboard.type("sto scriv")
    expect(page.locator("[data-answer]")).to_have_count(1)
    page.keyboard.type("endo")
    expect(page.locator("[data-paste] textarea")).to_have_value("sto scrivendo")
    # What was typed survives a look elsewhere.
    page.reload()
    expect(page.locator("[data-paste] textarea")).to_have_value("sto scrivendo")
    page.locator("[data-paste] textarea").fill("")


def test_double_clicks_are_harmless(people: People) -> None:
    page = operator(people)
    page.locator("[data-name]").fill("Doppio")
    page.keyboard.press("Enter")
    page.locator("[data-paste] textarea").fill("guardia medica numero")
    page.get_by_role("button", name="Aggiungi").dblclick()
    expect(page.locator("[data-answer]")).to_have_count(1)
    page.get_by_role("button", name="Segna come inviato").dblclick()
    expect(page.locator("[data-answer]")).to_have_count(0)
    expect(page.locator(".message.resident")).to_have_count(1)
    expect(page.locator("[data-problem]")).to_be_empty()


def test_a_colleague_sees_it_at_once(people: People) -> None:
    page = operator(people)
    page.locator("[data-name]").fill("Condivisa")
    page.keyboard.press("Enter")
    page.wait_for_url("**/threads/*")
    colleague = operator(people)
    colleague.goto(page.url)
    page.locator("[data-paste] textarea").fill("guardia medica numero")
    page.keyboard.press("Enter")
    expect(colleague.locator("[data-answer]")).to_have_count(1)
    page.get_by_role("button", name="Non si può inviare").click()
    expect(colleague.locator("[data-answer]")).to_have_count(0)
    expect(colleague.locator("[data-acts] li")).to_have_count(2)


def test_without_a_clipboard_the_text_is_selected(people: People) -> None:
    page = people.staff()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto("/desk/relay")
    page.locator("[data-name]").fill("Senza appunti")
    page.keyboard.press("Enter")
    page.locator("[data-paste] textarea").fill("guardia medica numero")
    page.keyboard.press("Enter")
    page.locator("[data-copy]").click()
    expect(page.locator("[data-problem]")).to_contain_text("è selezionato")
    assert "116117" in page.evaluate("getSelection().toString()")


def test_without_a_script_everything_works_as_forms(people: People, relay_server: Server) -> None:
    in_quarantine(relay_server, "guardia medica senza script")
    page = operator(people, script=False)
    held = page.locator("[data-quarantined]", has_text="guardia medica senza script")
    held.get_by_role("button", name="Assegna").click()
    expect(page.get_by_role("heading", name="Ali Khan")).to_be_visible()
    page.goto("/desk/relay")
    page.locator("[data-name]").fill("Senza script")
    page.get_by_role("button", name="Apri").click()
    page.locator("[data-paste] textarea").fill("guardia medica numero")
    page.get_by_role("button", name="Aggiungi").click()
    expect(page.locator("[data-answer]")).to_contain_text("116117")
    expect(page.locator("[data-copy]")).to_be_hidden()
    page.get_by_role("button", name="Segna come inviato").click()
    expect(page.locator("[data-answer]")).to_have_count(0)
    page.locator("[data-paste] select").select_option("photo")
    page.get_by_role("button", name="Aggiungi").click()
    expect(page.locator(".message.resident .media")).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("language", ["it", "ur"])
def test_the_relay_desk_in_every_dress(
    people: People, relay_server: Server, language: str, *, dark: bool, phone: bool
) -> None:
    in_quarantine(relay_server, f"una frase {language} {dark} {phone}")
    page = operator(people, dark=dark, phone=phone)
    page.locator("[data-name]").fill(f"{language} {dark} {phone}")
    page.keyboard.press("Enter")
    page.locator("[data-paste] textarea").fill("malik tankhwa nahi deta")
    page.keyboard.press("Enter")
    expect(page.locator("[data-answer]")).to_have_count(1)
    if phone:
        page.set_viewport_size({"width": 320, "height": 640})
    in_language(page, language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("[data-copy]")).to_be_visible()
    for details in page.locator(".helps summary").all():
        details.click()
    accessible(page)
    no_sideways_scrolling(page)
    page.goto("/desk/relay")
    expect(page.locator("[data-quarantined]").first).to_be_visible()
    expect(page.locator(".notice.danger", has_text="via-roma")).to_be_visible()
    accessible(page)
    no_sideways_scrolling(page)
    for target in page.locator("button:visible, a:visible:not(.skip), summary:visible, select:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 24
    in_language(page, "it")
    expect(page.locator("html")).to_have_attribute("lang", "it")
    assert re.search(r"/desk/relay$", page.url)


def test_the_description_of_the_bridge_is_readable(people: People) -> None:
    page = people.context("it-IT", phone=True).new_page()
    page.goto("/bridge/docs")
    expect(page.get_by_role("heading", name="Sportello bridge")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 640})
    accessible(page)
    no_sideways_scrolling(page)
