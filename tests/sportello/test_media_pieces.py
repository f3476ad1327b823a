"""Voices and films in pieces: a player that insists on them can seek, and gets no more than the file."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from store import tickets
from store.staff import Role
from tests.fakes.telegram_api import StoredFile
from tests.sportello.desk import Desk
from tests.sportello.telegram_line import TelegramLine, telegram_line

CHAT = 77
VOICE = b"OggS" + bytes(range(96))


@pytest.fixture
async def line(desk: Desk) -> AsyncIterator[TelegramLine]:
    async with telegram_line(desk) as made:
        yield made


async def voice_of(line: TelegramLine) -> str:
    """Let a resident send a voice message and ask for a person, and sign a mediator in; gives its address."""
    line.api.files["v"] = StoredFile("voice/file_1.oga", VOICE)
    line.side.send(CHAT, voice={"file_id": "v", "file_unique_id": "v", "duration": 3})
    line.side.write(CHAT, "persona")
    await line.until(6)
    await line.desk.staff("anna", Role.MEDIATOR)
    await line.sign_in("anna")
    async with line.desk.program.database.read() as connection:
        (found,) = await tickets.waiting(connection)
    ticket: UUID = found.id
    return f"/desk/tickets/{ticket}/media/1/0"


async def test_a_player_gets_the_pieces_that_it_asks_for(line: TelegramLine) -> None:
    voice = await voice_of(line)
    whole = await line.browser.get(voice)
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, VOICE, "bytes")
    assert "content-range" not in whole.headers
    for asked, first, last in (("0-1", 0, 1), ("0-", 0, 99), ("50-59", 50, 59), ("-10", 90, 99), ("95-500", 95, 99)):
        answer = await line.browser.get(voice, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, VOICE[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
        assert answer.headers["content-length"] == str(last - first + 1)
        for name in ("content-type", "content-disposition", "content-security-policy", "cache-control", "etag"):
            assert answer.headers[name] == whole.headers[name]


async def test_what_is_not_there_is_told_and_what_cannot_be_read_gives_the_whole(line: TelegramLine) -> None:
    voice = await voice_of(line)
    for asked in ("100-", "100-200", "-0"):
        answer = await line.browser.get(voice, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == (416, b"", "bytes */100")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for header in ("bytes=0-1,5-6", "bytes=9-3", "lines=0-1", "bytes=x", "bytes=-"):
        answer = await line.browser.get(voice, headers={"Range": header})
        assert (answer.status_code, answer.content) == (200, VOICE)


async def test_a_piece_of_another_file_is_not_put_to_what_a_player_holds(line: TelegramLine) -> None:
    voice = await voice_of(line)
    tag = (await line.browser.get(voice)).headers["etag"]
    asked = {"Range": "bytes=0-1"}
    assert (await line.browser.get(voice, headers=asked | {"If-Range": tag})).status_code == 206
    line.api.files["v"] = StoredFile("voice/file_1.oga", VOICE[::-1])
    changed = await line.browser.get(voice, headers=asked | {"If-Range": tag})
    assert (changed.status_code, changed.content) == (200, VOICE[::-1])
    assert changed.headers["etag"] != tag


async def test_pieces_are_for_whom_the_file_is(line: TelegramLine) -> None:
    voice = await voice_of(line)
    fetched = line.api.fetched
    line.browser.cookies.clear()
    assert (await line.browser.get(voice, headers={"Range": "bytes=0-1"})).status_code == 303
    assert line.api.fetched == fetched
