"""A resident who waits for an answer: where the page opens, and what it shows meanwhile."""

from playwright.sync_api import expect

from tests.browser.conftest import People


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
