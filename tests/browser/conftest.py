"""A real browser and a real server process. Without Chromium the tests say loudly that they did not run."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.crash.processes import START_SECONDS, free_port, wait_until_ready

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and put it last.

    Playwright's driver keeps an event loop running in the main thread until the run ends: no test with
    a loop of its own can come after it.
    """
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        message = "THE BROWSER TESTS DID NOT RUN: there is no Chromium (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        print(f"\n{message}", file=sys.stderr)  # noqa: T201 - loudly
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that has ended may wait for somebody to take note of it."""
    try:
        _, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")
    except OSError:
        return False
    return not rest.startswith("Z")


class Server:
    """`sportello serve --setup`, as a person would start it, on a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = ""
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SPORTELLO_DATA_DIR": str(self.folder / "var"),
            "SPORTELLO_DATABASE_URL": "",
            "SPORTELLO_PORT": str(self.port),
            "SPORTELLO_DESK_HOURS": "",
            # Embedding the whole knowledge base takes minutes; what is tried here is the pages.
            "SPORTELLO_EMBEDDER": "none",
        }

    def start(self) -> None:
        log = self.folder / "server.log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", "sportello", "serve", "--setup"],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        wait_until_ready(self.port)
        # Told a moment after the pages are there, and at the first start only.
        until = time.monotonic() + START_SECONDS
        while not self.password:
            told = re.search(r"password: (\S+)", log.read_text())
            self.password = told[1] if told else ""
            assert told or time.monotonic() < until, "no password is told"
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until messages are understood, which is some seconds after the pages are there."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html", "Origin": self.url}) as client:
            client.post("/messages", data={"text": "ciao"})
            until = time.monotonic() + START_SECONDS
            while "message bot" not in client.get("/").text:
                assert time.monotonic() < until, "nothing is answered"
                time.sleep(0.2)

    def stop(self, *, hard: bool = False) -> int:
        assert self._process is not None
        if hard:
            self._process.kill()
        else:
            self._process.terminate()
        return self._process.wait(30)

    def interrupt(self) -> int:
        """Press Ctrl-C: a terminal tells every process that it started."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(30)

    def stood_in_line(self) -> float:
        """Give the seconds in which the server could have gone on, and other programs had the processors.

        The second figure of the main thread's schedstat (Linux, Documentation/scheduler/sched-stats.rst).
        """
        assert self._process is not None
        figures = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="ascii").split()
        return int(figures[1]) / 1e9

    def running(self) -> list[str]:
        """Name what runs of the server; the database is in a session of its own."""
        assert self._process is not None
        found: list[str] = []
        for folder in Path("/proc").glob("[0-9]*"):
            pid = int(folder.name)
            with suppress(ProcessLookupError):
                if os.getsid(pid) == self._process.pid and runs(pid):
                    found.append(folder.name)
        return found


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = Path(mkdtemp(prefix="sportello-browser-"))
    folder.chmod(0o755)
    server = Server(folder)
    server.start()
    server.settle()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class People:
    """Opens a browser window for each person."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self._browser = browser
        self._server = server
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def context(self, language: str, *, phone: bool = True, dark: bool = False, script: bool = True) -> BrowserContext:
        context = self._browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]  # the library's own kind of dictionary
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            base_url=self._server.url,
            reduced_motion="reduce",
        )
        context.set_default_timeout(8000)
        self._contexts.append(context)
        return context

    def resident(self, language: str, **kind: bool) -> Page:
        page = self.context(language, **kind).new_page()
        # A stricter policy than the console's: anything that Chromium complains of is a fault of the page.
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/")
        return page

    def staff(self, login: str = "admin", **kind: bool) -> Page:
        page = self.context("it-IT", **({"phone": False} | kind)).new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto("/desk")
        page.get_by_label("Nome utente").fill(login)
        page.get_by_label("Password").fill(self._server.password)
        page.get_by_role("button", name="Entra").click()
        page.wait_for_url("**/desk")
        return page

    def leave(self) -> None:
        for context in self._contexts:
            # Closed in the middle of a navigation, Chromium now and then never says that it has closed, and nothing
            # limits how long that is waited for. An empty page has none, and is waited for with a limit.
            for page in context.pages:
                page.goto("about:blank")
            context.close()


@pytest.fixture
def people(browser: Browser, server: Server) -> Iterator[People]:
    people = People(browser, server)
    yield people
    people.leave()
