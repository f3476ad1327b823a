"""The staff at the desk: the head, an entry found with two taps, a reply that is not lost."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import People
from tests.browser.test_pages import accessible, ask, in_language, no_sideways_scrolling


def taken(people: People, resident: Page, question: str) -> Page:
    """Let a resident ask for a person, and a mediator take the conversation."""
    ask(resident, question)
    expect(resident.locator(".message.bot")).to_be_visible()
    resident.locator(".always [value=person]").click()
    mediator = people.staff()
    mediator.locator("[data-ticket]", has_text=question).get_by_role("button", name="Rispondo io").click()
    mediator.wait_for_url("**/desk/tickets/*")
    return mediator


def ended(page: Page) -> None:
    """End the conversation that a page shows."""
    page.locator("summary", has_text="Fine della conversazione").click()
    page.get_by_role("button", name="Risolta").click()
    page.wait_for_url("**/desk")


def test_an_entry_is_found_on_a_phone_with_two_taps(people: People) -> None:
    page = people.staff(phone=True, script=False)
    page.goto("/desk/knowledge")
    height = page.locator(".sheet").evaluate("sheet => sheet.scrollHeight")
    assert height < 1200, "the list is short to scan"
    page.locator(".part summary", has_text="Salute").click()
    lines = page.locator(".lines li:visible")
    assert 4 < lines.count() < 13
    page.locator("#night-doctor").get_by_role("link").click()
    expect(page.get_by_role("heading", name="night-doctor")).to_be_visible()
    page.get_by_role("link", name="Tutte le risposte").click()
    # The way back opens the part that the entry is in.
    expect(page.locator("#night-doctor")).to_be_in_viewport()


def test_a_reply_to_a_conversation_that_was_ended_meanwhile_is_kept(people: People) -> None:
    resident = people.resident("it-IT")
    mediator = taken(people, resident, "gli asini volano?")
    # The transcript scrolls, and nothing in it makes the page itself longer than the screen.
    mediator.set_viewport_size({"width": 360, "height": 740})
    assert mediator.locator("[data-scroll]").evaluate("log => log.scrollHeight > log.clientHeight")
    assert mediator.evaluate("document.documentElement.scrollHeight <= innerHeight")
    mediator.locator("[data-draft=reply] textarea").fill("Porti il passaporto")
    other = mediator.context.new_page()
    other.goto(mediator.url)
    ended(other)
    # The page that is still open tells it, and leads on.
    notice = mediator.locator("[data-changed]")
    expect(notice).to_be_visible()
    accessible(mediator)
    notice.get_by_role("button").click()
    kept = mediator.locator("[data-kept]")
    expect(kept.get_by_label("Il tuo testo, non inviato")).to_have_value("Porti il passaporto")
    accessible(mediator)
    # A page that is opened anew has it too, until it is a note.
    mediator.goto(mediator.url)
    kept.get_by_role("button", name="Tieni come nota interna").click()
    expect(mediator.locator(".message.note", has_text="Porti il passaporto")).to_be_visible()
    expect(kept).to_be_hidden()
    assert people.complaints == []


@pytest.mark.parametrize("phone", [False, True])
def test_the_head_takes_one_row_in_every_language(people: People, *, phone: bool) -> None:
    page = people.staff(phone=phone)
    head = page.locator(".desk-bar")
    for code in ("fr", "ro", "uk", "ur"):
        in_language(page, code)
        expect(page.locator("html")).to_have_attribute("lang", code)
        box = head.bounding_box()
        assert box is not None
        assert box["height"] < 75, code
        expect(page.get_by_role("navigation")).to_have_count(1)
        no_sideways_scrolling(page)
    in_language(page, "it")


def test_the_menu_of_a_phone_by_keyboard(people: People) -> None:
    page = people.staff(phone=True)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".menu summary")).to_be_focused()
    page.keyboard.press("Enter")
    accessible(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Coda")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Risposte")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Risposte")).to_be_visible()
    # Of the two that unfold in the head, one is open at a time.
    page.locator(".menu summary").click()
    expect(page.get_by_role("link", name="Coda")).to_be_visible()
    page.locator(".account summary").click()
    expect(page.get_by_role("link", name="Coda")).to_be_hidden()
