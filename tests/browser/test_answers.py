"""A resident who waits for an answer: where the page opens, and what it shows meanwhile."""

from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.test_desk import ended, taken
from tests.browser.test_pages import accessible, ask, no_sideways_scrolling, picture


def test_without_a_script_the_page_opens_where_the_answer_begins(people: People) -> None:
    page = people.resident("it-IT", script=False)
    for question in ("come rinnovo il permesso di soggiorno?", "come chiedo la cittadinanza?"):
        page.locator("textarea[name=text]").fill(question)
        page.get_by_role("button", name="Invia").click()
        answer = page.locator(".message.bot").filter(has=page.locator(".answer")).last
        expect(answer.locator("h3")).to_be_in_viewport()
        box, height = answer.bounding_box(), page.locator(".scroll").evaluate("scroll => scroll.clientHeight")
        assert box is not None
        assert box["height"] > height, "longer than the screen"
        assert box["y"] >= page.locator(".scroll").evaluate("scroll => scroll.getBoundingClientRect().top")
    # Where somebody answers later: the link looks again, though the address names the same place.
    for _ in range(2):
        before = page.url
        with page.expect_navigation():
            page.get_by_role("link", name="Guarda se ci sono nuovi messaggi").click()
        assert page.url != before


def test_a_resident_sees_that_a_person_writes_and_then_the_answer(people: People) -> None:
    resident = people.resident("ur-PK")
    resident.clock.install()
    mediator = taken(people, resident, "کیا گدھے اڑ سکتے ہیں؟")
    writing = resident.locator("[data-writing]")
    expect(writing).to_be_empty()
    reply = mediator.locator("[data-draft=reply] textarea")
    reply.press_sequentially("السلام")
    expect(writing).to_have_text("ایک شخص لکھ رہا ہے…")
    expect(writing).to_have_attribute("aria-live", "polite")
    accessible(resident)
    # Who stops typing says nothing of it: the sign goes by itself.
    resident.clock.fast_forward("00:11")
    expect(writing).to_be_empty()
    mediator.clock.install()
    mediator.clock.fast_forward("00:05")
    reply.press_sequentially(" علیکم")
    expect(writing).to_have_text("ایک شخص لکھ رہا ہے…")
    mediator.get_by_role("button", name="Invia").click()
    expect(resident.locator(".message.mediator")).to_have_count(1)
    expect(writing).to_be_empty()
    ended(mediator)
    assert people.complaints == []


def test_half_a_question_goes_along_into_another_language(people: People) -> None:
    page = people.resident("it-IT")
    page.locator("textarea[name=text]").fill("mera permesso")
    page.locator(".switch summary").click()
    page.get_by_role("button", name="اردو").click()
    expect(page.locator("html")).to_have_attribute("lang", "ur")
    expect(page.locator("textarea[name=text]")).to_have_value("mera permesso")
    assert page.evaluate("sessionStorage.length") == 0, "nothing of it stays on the phone"
    page.reload()
    expect(page.locator("textarea[name=text]")).to_have_value("")
    assert people.complaints == []


def test_of_many_questions_three_are_answered_and_the_others_are_buttons_below(people: People) -> None:
    page = people.resident("it-IT", phone=True)
    ask(page, "come rinnovo il permesso di soggiorno? codice fiscale? isee? spid? corso di italiano?")
    offered = page.locator(".message.bot", has_text="Nel tuo messaggio ci sono altre domande")
    expect(offered).to_be_visible()
    expect(page.locator(".answer")).to_have_count(3)
    expect(offered.get_by_role("button")).to_have_count(4)
    accessible(page)
    no_sideways_scrolling(page)
    picture(page, "many-questions")
    offered.get_by_role("button").nth(1).click()
    expect(page.locator(".answer")).to_have_count(4)
    assert people.complaints == []
