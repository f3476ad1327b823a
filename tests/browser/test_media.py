"""A mediator opens what a resident sent on Telegram: nothing is fetched before, voices play, pictures show."""

import io
import json
import shutil
import struct
import urllib.request
import wave
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import People, Server
from tests.browser.test_pages import accessible, no_sideways_scrolling
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import TOKEN, FakeBotApi, StoredFile

SECRET = "s3cret"
PERSON = {"id": 7, "is_bot": False, "first_name": "R", "language_code": "ur"}
CHAT = {"id": 7, "type": "private", "first_name": "R"}


class TelegramServer(Server):
    """The same, with a bot."""

    api_base = ""

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "SPORTELLO_TELEGRAM_TOKEN": TOKEN,
            "SPORTELLO_TELEGRAM_SECRET": SECRET,
            "SPORTELLO_TELEGRAM_API_BASE": self.api_base,
        }

    def update(self, number: int, **fields: Any) -> None:
        """Bring an update to the webhook."""
        message = {"message_id": number, "from": PERSON, "chat": CHAT, "date": 1_700_000_000} | fields
        request = urllib.request.Request(  # noqa: S310 - to this test's own server
            f"{self.url}/webhooks/telegram",
            json.dumps({"update_id": number, "message": message}).encode(),
            {"X-Telegram-Bot-Api-Secret-Token": SECRET},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
            assert answer.status == 200


@pytest.fixture
def api() -> FakeBotApi:
    return FakeBotApi(
        files={
            "voice": StoredFile("voice/file_1.wav", sound()),
            "photo": StoredFile("photos/file_2.png", picture()),
            "photo2": StoredFile("photos/file_3.png", picture()),
        }
    )


@pytest.fixture
def telegram(api: FakeBotApi) -> Iterator[TelegramServer]:
    folder = Path(mkdtemp(prefix="sportello-media-"))
    folder.chmod(0o755)
    with LoopbackServer(api.app()) as fake:
        server = TelegramServer(folder)
        server.api_base = fake.url
        server.start()
        server.settle()
        yield server
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def sound() -> bytes:
    """Make a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8000)
        written.writeframes(b"\x80" * 8000)
    return file.getvalue()


def picture() -> bytes:
    """Make a grey picture, wider than a phone."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x99" * 900) * 300
    head = struct.pack(">IIBBBBB", 900, 300, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def photo(name: str, **fields: Any) -> dict[str, Any]:
    return {"photo": [{"file_id": name, "file_unique_id": name, "width": 900, "height": 300}]} | fields


@pytest.mark.parametrize("dark", [False, True])
def test_a_mediator_sees_and_hears_what_was_sent(
    browser: Browser, telegram: TelegramServer, api: FakeBotApi, *, dark: bool
) -> None:
    telegram.update(1, text="/start market")
    telegram.update(2, **photo("photo", media_group_id="1", caption="la busta paga"))
    telegram.update(3, **photo("photo2", media_group_id="1"))
    telegram.update(4, voice={"file_id": "voice", "file_unique_id": "voice", "duration": 1})
    telegram.update(5, document={"file_id": "gone", "file_unique_id": "gone", "file_name": "contratto.pdf"})
    telegram.update(6, text="persona")
    people = People(browser, telegram)
    page = people.staff(dark=dark)
    # The program begins to take turns when it has read the entries.
    claim = page.get_by_role("button", name="Rispondo io")
    expect(claim).to_be_visible(timeout=120_000)
    claim.click()
    expect(page.get_by_text("market")).to_be_visible()
    expect(page.locator("details.medium")).to_have_count(2)
    assert api.fetched == 0
    page.locator("details.medium summary").first.click()
    first = "document.querySelector('details.medium img')"
    assert page.evaluate(f"{first}.decode().then(() => {first}.naturalWidth)") == 900
    assert api.fetched == 1
    voice = "document.querySelector('audio')"
    assert page.evaluate(f"{voice}.play().then(() => {voice}.duration)") == 1
    accessible(page)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 740})
        no_sideways_scrolling(page)
    accessible(page)
    page.locator("a.download").last.click()
    expect(page.get_by_role("alert")).to_contain_text("l'app non lo ha più")
    accessible(page)
    assert people.complaints == []
    people.leave()
