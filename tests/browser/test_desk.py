"""The staff at the desk: an entry found with two taps, and a reply that is not lost when the conversation changes."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import People
from tests.browser.test_pages import accessible, ask


def taken(people: People, resident: Page, question: str) -> Page:
    """Let a resident ask for a person, and a mediator take the conversation."""
    ask(resident, question)
    resident.get_by_role("button", name="Sì, voglio una persona").click()
    mediator = people.staff()
    mediator.locator("[data-ticket]", has_text=question).get_by_role("button", name="Rispondo io").click()
    mediator.wait_for_url("**/desk/tickets/*")
    return mediator


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
    mediator.locator("[data-draft=reply] textarea").fill("Porti il passaporto")
    other = mediator.context.new_page()
    other.goto(mediator.url)
    other.locator("summary", has_text="Fine della conversazione").click()
    other.get_by_role("button", name="Risolta").click()
    other.wait_for_url("**/desk")
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
