"""People at their browsers: a resident in Urdu, a mediator in Italian, an editor, a phone that loses the network."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import People

# Where set, pictures for the README are made on the way: SPORTELLO_PICTURES=docs/pictures.
PICTURES = os.environ.get("SPORTELLO_PICTURES")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def accessible(page: Page) -> None:
    """Hold a page against WCAG 2.2 A and AA, as far as a machine can tell."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    # Of what is not broken one node is enough to hear of: there are thousands, and telling each took half of the time.
    options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
    results = Axe().run(page, options=options)
    broken = [(found["id"], [node["target"] for node in found["nodes"]]) for found in results.response["violations"]]
    assert broken == [], page.url


def ask(page: Page, text: str) -> None:
    page.locator("textarea[name=text]").fill(text)
    page.keyboard.press("Enter")


def in_language(page: Page, code: str) -> None:
    """Change the language of the desk, in the menu that bears the member's name."""
    page.locator(".account summary").click()
    page.locator("#desk-language").select_option(code)
    page.locator(".language-form button").click()
    # Until the page has come: nothing may be closed in the middle of it.
    expect(page.locator("html")).to_have_attribute("lang", code)


def no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("language", ["it-IT", "ur-PK"])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
def test_the_residents_page_in_every_dress(people: People, language: str, *, dark: bool, phone: bool) -> None:
    page = people.resident(language, dark=dark, phone=phone)
    accessible(page)
    page.locator(".topics > details > summary").first.click()
    sections = page.locator(".topics details[open] .section > summary")
    expect(sections).to_have_count(9)
    no_sideways_scrolling(page)
    picture(page, f"topics-{language[:2]}-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}")
    sections.nth(3).click()
    choices = page.locator(".section[open] .choice:visible")
    expect(choices.first).to_be_visible()
    assert choices.count() <= 12
    accessible(page)
    no_sideways_scrolling(page)
    ask(page, "malik tankhwa nahi deta")
    answer = page.locator(".message.bot .answer")
    expect(answer).to_be_visible()
    expect(answer.locator(".text")).to_have_attribute("lang", "ur")
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator("textarea")).to_be_focused()
    # A bubble is as high as its words: no rule for the page's body may meet the rows that bear the same name.
    asked = page.locator(".message.resident").bounding_box()
    assert asked is not None
    assert asked["height"] < 200
    accessible(page)
    no_sideways_scrolling(page)
    picture(page, f"resident-{language[:2]}-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}")
    assert people.complaints == []


def test_a_very_narrow_page_still_fits(people: People) -> None:
    page = people.resident("it-IT")
    page.set_viewport_size({"width": 320, "height": 600})
    ask(page, "come rinnovo il permesso di soggiorno?")
    expect(page.locator(".answer")).to_be_visible()
    no_sideways_scrolling(page)
    for target in page.locator("button:visible, a:visible:not(.skip), summary:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 24, target.inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_a_text_that_is_too_long_is_neither_cut_nor_lost(people: People, *, script: bool) -> None:
    page = people.resident("it-IT", script=script)
    pasted = "ho una domanda lunga " * 100
    page.locator("textarea[name=text]").fill(pasted)
    page.get_by_role("button", name="Invia").click()
    expect(page.get_by_text("al massimo 2000 caratteri")).to_be_visible()
    expect(page.locator("textarea[name=text]")).to_have_value(pasted if script else pasted.strip())
    if script:
        # More than any form may be: refused before anybody reads it.
        page.locator("textarea[name=text]").fill("ا" * 100_000)
        page.get_by_role("button", name="Invia").click()
        expect(page.get_by_text("È troppo grande")).to_be_visible()
    expect(page.locator(".message")).to_have_count(0)


def test_two_people_resident_in_urdu_and_mediator_in_italian(people: People) -> None:
    resident = people.resident("ur-PK")
    mediator = people.staff()
    expect(mediator.get_by_text("Nessuno aspetta.")).to_be_visible()
    ask(resident, "کیا گدھے اڑ سکتے ہیں؟")
    # Not by a button of the answer: which one there is depends on whether probabilities are fitted already.
    expect(resident.locator(".message.bot")).to_be_visible()
    resident.locator(".always [value=person]").click()
    expect(resident.get_by_text("آپ کا نمبر")).to_be_visible()
    # Somebody has the desk open, so nothing is said of opening hours.
    expect(resident.get_by_text("اس وقت ڈیسک پر کوئی موجود ہے")).to_be_visible()
    waiting = mediator.locator("[data-ticket]", has_text="کیا گدھے اڑ سکتے ہیں؟")
    expect(waiting).to_be_visible()
    picture(mediator, "desk-queue")
    accessible(mediator)
    waiting.get_by_role("button", name="Rispondo io").click()
    expect(mediator.get_by_role("heading", name="اردو")).to_be_visible()
    expect(resident.get_by_text("اب آپ کو ایک شخص جواب دے رہا ہے")).to_be_visible()
    reply = mediator.locator("[data-draft=reply] textarea")
    reply.fill("السلام علیکم، میں سن رہی ہوں")
    mediator.get_by_role("button", name="Invia").dblclick()
    shown = resident.locator(".message.mediator", has_text="السلام علیکم، میں سن رہی ہوں")
    expect(shown).to_have_count(1)
    expect(shown.locator(".text")).to_have_attribute("dir", "auto")
    ask(resident, "شکریہ باجی")
    expect(mediator.locator(".message.resident", has_text="شکریہ باجی")).to_have_count(1)
    expect(mediator.locator(".message.mediator")).to_have_count(1)
    mediator.get_by_text("Nota interna").first.click()
    mediator.locator("[data-draft=note] textarea").fill("solo per noi")
    mediator.get_by_role("button", name="Salva la nota").click()
    expect(mediator.locator(".message.note", has_text="solo per noi")).to_be_in_viewport()
    assert "solo per noi" not in resident.content()
    accessible(mediator)
    picture(mediator, "desk-conversation")
    # Folded away, so that no slip ends a conversation.
    expect(mediator.get_by_role("button", name="Risolta")).to_be_hidden()
    mediator.locator("summary", has_text="Fine della conversazione").click()
    mediator.get_by_role("button", name="Risolta").click()
    mediator.wait_for_url("**/desk")
    expect(resident.get_by_text("خودکار سروس دوبارہ جواب دے گی")).to_be_visible()
    assert people.complaints == []


def test_without_a_script_everything_works_as_forms(people: People) -> None:
    page = people.resident("it-IT", script=False)
    page.locator("textarea[name=text]").fill("guardia medica numero")
    page.get_by_role("button", name="Invia").click()
    expect(page.locator(".answer")).to_contain_text("116117")
    page.get_by_role("button", name="Sì, mi ha aiutato").click()
    expect(page.locator(".message.bot").last).to_contain_text("altra domanda")
    page.locator(".topics > details > summary", has_text="Lavoro").click()
    page.locator(".section summary", has_text="Problemi sul lavoro").click()
    page.locator(".section[open] .choice").first.click()
    expect(page.locator(".answer")).to_have_count(2)
    page.locator(".switch summary").click()
    page.get_by_role("button", name="বাংলা").click()
    expect(page.locator("html")).to_have_attribute("lang", "bn")


def test_the_keyboard_alone_is_enough(people: People) -> None:
    page = people.resident("it-IT")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.topics') && document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".topics details[open]")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".topics .section[open]")).to_have_count(1)
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    page.keyboard.type("guardia medica numero")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_have_count(2)


def test_a_phone_that_lost_the_network_misses_nothing(people: People) -> None:
    page = people.resident("it-IT")
    ask(page, "menu")
    expect(page.locator(".message.bot")).to_have_count(1)
    # The same person's other window, with the same session, writes while this one is cut off.
    cookies = page.context.cookies()
    page.context.set_offline(True)
    other_context = people.context("it-IT")
    other_context.add_cookies([{k: c[k] for k in ("name", "value", "domain", "path")} for c in cookies])  # type: ignore[misc]
    other = other_context.new_page()
    other.goto("/")
    for text in ("guardia medica numero", "grazie"):
        ask(other, text)
        # While one message is on its way, the next one stays in the box.
        expect(other.locator(".message.resident", has_text=text)).to_have_count(1)
    expect(other.locator(".message")).to_have_count(6)
    page.locator("textarea").fill("un messaggio nel vuoto")
    page.keyboard.press("Enter")
    expect(page.locator("[data-status]")).to_contain_text("non è partito")
    expect(page.locator("textarea")).to_have_value("un messaggio nel vuoto")
    page.context.set_offline(False)
    expect(page.locator(".message")).to_have_count(6, timeout=20_000)
    places = page.locator(".message").evaluate_all("rows => rows.map(row => Number(row.dataset.seq))")
    assert places == sorted(set(places))
    page.keyboard.press("Enter")
    expect(page.locator(".message.resident", has_text="un messaggio nel vuoto")).to_have_count(1)


def test_an_editor_corrects_a_text_and_residents_get_it_within_seconds(people: People) -> None:
    editor = people.staff()
    editor.get_by_role("link", name="Risposte").click()
    accessible(editor)
    picture(editor, "knowledge-list")
    # Folded, the 83 entries are no longer than a screen or two; typing alone finds one.
    assert editor.locator(".lines a:visible").count() == 0
    editor.get_by_label("Cerca in tutte le lingue").press_sequentially("guardia medica numero")
    expect(editor.get_by_role("status")).to_have_text("1 risposta")
    editor.locator(".lines li", has_text="night-doctor").get_by_role("link").click()
    editor.get_by_role("link", name="اردو").click()
    expect(editor.get_by_role("heading", name="Testo italiano")).to_be_visible()
    answer = editor.get_by_label("Risposta")
    expect(answer).to_have_attribute("dir", "rtl")
    answer.fill("رات کو 116117 پر کال کریں۔ نیا متن۔")
    editor.get_by_role("button", name="Anteprima").click()
    expect(editor.locator(".preview .answer")).to_contain_text("نیا متن")
    accessible(editor)
    picture(editor, "knowledge-edit")
    editor.get_by_role("button", name="Pubblica").click()
    expect(editor.get_by_role("status")).to_contain_text("Pubblicato")
    resident = people.resident("ur-PK")

    def answered_anew() -> bool:
        ask(resident, "raat ka doctor number")
        resident.locator(".answer").last.wait_for()
        resident.wait_for_timeout(400)  # the page's own time, not the test's: a moment between two questions
        return "نیا متن" in resident.locator(".answer").last.inner_text()

    assert any(answered_anew() for _ in range(5))
    editor.get_by_role("link", name="Versioni").click()
    accessible(editor)
    editor.get_by_role("button", name="Ripristina questa versione").last.click()
    expect(editor.get_by_role("status")).to_contain_text("Pubblicato")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("language", ["it", "ur"])
def test_the_staffs_pages_in_every_dress(people: People, language: str, *, dark: bool, phone: bool) -> None:
    page = people.staff(dark=dark, phone=phone)
    in_language(page, language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    pages = (
        "/desk",
        "/desk/knowledge",
        "/desk/knowledge?q=tax&language=ur&todo=draft",
        "/desk/knowledge/tax-code/ur",
        "/desk/knowledge/tax-code/ur/history",
        "/desk/knowledge/health-registration/ur",
        "/desk/knowledge/records",
    )
    for address in pages:
        page.goto(address)
        accessible(page)
        no_sideways_scrolling(page)
    page.goto("/desk")
    in_language(page, "it")
    expect(page.locator("html")).to_have_attribute("lang", "it")


def test_privacy_and_problems_are_readable(people: People) -> None:
    page = people.resident("ur-PK")
    page.get_by_role("link", name="رازداری کا نوٹس").click()
    accessible(page)
    page.goto("/there-is-no-such-page")
    accessible(page)
    page.goto("/desk/sign-in")
    accessible(page)
