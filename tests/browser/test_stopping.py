"""The end of a program that people have open in their browsers, and how soon the next one is ready."""

import re
import time

from playwright.sync_api import expect

from tests.browser.conftest import People, Server, runs


def test_stopping_leaves_nothing_running(server: Server, people: People) -> None:
    """An open stream does not hold up the stop, the database ends too, and a second start is quick.

    As quick as it is by itself: while other programs have the processors, it is not the start that takes long.
    """
    page = people.resident("it-IT")
    page.locator("textarea[name=text]").fill("ciao")
    page.keyboard.press("Enter")
    expect(page.locator(".message.bot")).to_have_count(1)
    postmaster = server.folder / "var" / "postgres" / "postmaster.pid"
    database = int(postmaster.read_text(encoding="ascii").splitlines()[0])
    assert runs(database)
    assert server.running() != []
    began = time.monotonic()
    assert server.interrupt() == 0
    assert time.monotonic() - began < 8
    assert not postmaster.exists()
    # It drops its file first, and is gone a moment later.
    until = time.monotonic() + 2
    while runs(database):
        assert time.monotonic() < until, "the database runs on"
        time.sleep(0.02)
    assert server.running() == []
    began = time.monotonic()
    server.start()
    took = time.monotonic() - began - server.stood_in_line()
    assert took < 5, "a second start is ready within 5 seconds"
    # The index is being made, which takes seconds: nobody waits for that, either.
    began = time.monotonic()
    assert server.interrupt() == 0
    assert time.monotonic() - began < 5
    server.start()
    assert re.search(r"password", (server.folder / "server.log").read_text())
