"""What residents send beside text: albums, edits, files that a mediator opens, and by which link they came."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from channels.adapter import InboundKind, MediaRef
from store import tickets
from store.conversations import Author
from store.staff import Role
from tests.fakes.telegram_api import StoredFile
from tests.sportello.desk import Desk
from tests.sportello.telegram_line import TelegramLine, telegram_line

CHAT = 77


@pytest.fixture
async def line(desk: Desk) -> AsyncIterator[TelegramLine]:
    async with telegram_line(desk) as made:
        yield made


def residents(rows: list[Any]) -> list[dict[str, Any]]:
    return [row.body for row in rows if row.author is Author.RESIDENT]


async def ticket_of(line: TelegramLine) -> UUID:
    async with line.desk.program.database.read() as connection:
        (found,) = await tickets.waiting(connection)
    return found.id


async def page(line: TelegramLine, ticket: UUID) -> str:
    return (await line.browser.get(f"/desk/tickets/{ticket}")).text


async def with_ticket(line: TelegramLine) -> UUID:
    """Let the resident ask for a person, and sign a mediator in."""
    line.side.write(CHAT, "persona")
    await line.until(3)
    await line.desk.staff("anna", Role.MEDIATOR)
    await line.sign_in("anna")
    return await ticket_of(line)


async def test_an_album_is_one_message_with_one_reply(line: TelegramLine) -> None:
    line.side.album(CHAT, "a", "b", "c", caption="la mia busta paga")
    await line.settle()
    assert line.api.sent == [], "the first part waits for the others"
    await line.until(4)
    rows = await line.desk.transcript()
    (body,) = residents(rows)
    assert [body["media"]["ref"], *(medium["ref"] for medium in body["more_media"])] == ["a", "b", "c"]
    assert body["text"] == "la mia busta paga"
    assert len(line.api.sent) == 1
    assert (await line.desk.inbox_counts())["done"] == 3
    ticket = await with_ticket(line)
    shown = await page(line, ticket)
    assert shown.count('id="m-1"') == 1
    assert all(f"/media/1/{place}" in shown for place in range(3))


async def test_a_late_part_joins_its_album_without_another_reply(line: TelegramLine) -> None:
    album = str(13_000_000_000)
    line.side.album(CHAT, "a", "b")
    await line.until(4)
    line.side.send(CHAT, media_group_id=album, voice={"file_id": "c", "file_unique_id": "c", "duration": 3})
    await line.until(4)
    bodies = residents(await line.desk.transcript())
    assert (bodies[1]["media"]["ref"], bodies[1]["joins"]) == ("c", 1)
    assert len(line.api.sent) == 1
    assert "Inviato insieme al messaggio precedente" in await page(line, await with_ticket(line))


async def test_two_albums_are_two_messages_and_a_text_behind_one_waits_for_it(line: TelegramLine) -> None:
    line.side.album(CHAT, "a", "b")
    line.side.album(CHAT, "c", "d")
    line.side.write(CHAT, "guardia medica")
    await line.settle()
    assert await line.desk.inbox_counts() == {"waiting": 5, "done": 0, "failed": 0, "set-aside": 0}
    await line.until(6)
    bodies = residents(await line.desk.transcript())
    assert [len(body.get("more_media", ())) + 1 for body in bodies[:2]] == [2, 2]
    assert bodies[2]["text"] == "guardia medica"
    assert len(line.api.sent) == 3


async def test_an_album_that_makes_the_program_fail_is_set_aside_whole_with_one_apology(desk: Desk) -> None:
    for ref, kind in (("a", "no such kind"), ("b", "photo"), ("c", "photo")):
        await desk.write("", kind=InboundKind.MEDIA, media=MediaRef(kind, ref), album="1")
    for _ in range(4):
        desk.clock.advance(seconds=2)
        await desk.turns()
    assert await desk.inbox_counts() == {"waiting": 0, "done": 1, "failed": 3, "set-aside": 0}
    assert [row.author for row in await desk.transcript()] == [Author.BOT]


async def test_an_edit_is_shown_as_one_and_what_was_said_before_stays(line: TelegramLine) -> None:
    written = line.side.write(CHAT, "persona")
    line.side.edit(CHAT, written, "persona")
    await line.until(3)
    assert len(residents(await line.desk.transcript())) == 1, "nothing was changed"
    first = line.side.write(CHAT, "abito in via Roma 1")
    await line.until(3)
    for text in ("abito in via Roma 11", "abito in via Roma 111"):
        line.side.edit(CHAT, first, text)
        await line.until(3)
    rows = await line.desk.transcript()
    seqs = {row.body["text"]: row.seq for row in rows if row.author is Author.RESIDENT}
    bodies = {body["text"]: body for body in residents(rows)}
    assert bodies["abito in via Roma 11"]["edits"] == seqs["abito in via Roma 1"]
    assert bodies["abito in via Roma 111"]["edits"] == seqs["abito in via Roma 11"]
    await line.desk.staff("anna", Role.MEDIATOR)
    await line.sign_in("anna")
    shown = await page(line, await ticket_of(line))
    assert all(f"abito in via Roma {number}<" in shown for number in ("1", "11", "111"))
    assert f'modificato · <a href="#m-{seqs["abito in via Roma 1"]}">Prima della modifica</a>' in shown


async def test_a_changed_picture_is_kept_and_answered_by_nobody(line: TelegramLine) -> None:
    sent = line.side.send(CHAT, photo=[{"file_id": "a", "file_unique_id": "a", "width": 9, "height": 9}])
    await line.until(3)
    changed = line.side._message(CHAT, sent) | {"caption": "eccola", "edit_date": 1}
    changed["photo"] = [{"file_id": "b", "file_unique_id": "b", "width": 9, "height": 9}]
    line.side._push("chat", CHAT, "edited_message", changed)
    location = line.side._message(CHAT, 99) | {"location": {"latitude": 43.88, "longitude": 11.1, "live_period": 60}}
    line.side._push("chat", CHAT, "edited_message", location)
    await line.until(3)
    bodies = residents(await line.desk.transcript())
    assert [(body["media"]["ref"], body.get("edits")) for body in bodies] == [("a", None), ("b", 1)]
    assert len(line.api.sent) == 1


async def test_a_mediator_opens_what_can_do_no_harm_and_downloads_the_rest(line: TelegramLine) -> None:
    line.api.files |= {
        "v": StoredFile("voice/file_1.oga", b"OggS voice"),
        "p": StoredFile("photos/file_2.jpg", b"\xff\xd8 photo"),
        "d": StoredFile("documents/file_3.pdf", b"%PDF"),
        "s": StoredFile("documents/file_4.svg", b"<svg onload='alert(1)'/>"),
    }
    line.side.send(CHAT, voice={"file_id": "v", "file_unique_id": "v", "duration": 3})
    line.side.send(CHAT, photo=[{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}])
    for file_id, name in (("d", 'busta "paga" è.pdf'), ("s", "disegno.svg")):
        line.side.send(CHAT, document={"file_id": file_id, "file_unique_id": file_id, "file_name": name})
    line.side.send(CHAT, location={"latitude": 43.88, "longitude": 11.1})
    await line.until(12)
    ticket = await with_ticket(line)
    shown = await page(line, ticket)
    assert line.api.fetched == 0, "nothing is fetched before somebody asks"
    addresses = dict(re.findall(r'href="(/desk/tickets/[^"]+/media/(\d+)/0)\?download=1"', shown))
    voice, photo, document, drawing = sorted(addresses, key=lambda address: int(addresses[address]))
    assert f'<audio class="medium" controls preload="none" src="{voice}"' in shown
    assert f'<img loading="lazy" src="{photo}"' in shown
    assert "43.88000,11.10000" in shown
    for address, media_type, disposition, content in (
        (voice, "audio/ogg", "inline", b"OggS voice"),
        (photo, "image/jpeg", "inline", b"\xff\xd8 photo"),
        (f"{photo}?download=1", "image/jpeg", "attachment", b"\xff\xd8 photo"),
        (document, "application/octet-stream", "attachment", b"%PDF"),
        (drawing, "application/octet-stream", "attachment", b"<svg onload='alert(1)'/>"),
    ):
        answer = await line.browser.get(address)
        assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, media_type, content)
        assert answer.headers["content-disposition"].startswith(f"{disposition}; filename=")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cache-control"] == "no-store"
    named = (await line.browser.get(document)).headers["content-disposition"]
    assert named.endswith("filename=\"busta _paga_ _.pdf\"; filename*=UTF-8''busta%20%22paga%22%20%C3%A8.pdf")
    heard = (await line.browser.get(voice)).headers["content-disposition"]
    assert heard == "inline; filename=\"voice-1-0.ogg\"; filename*=UTF-8''voice-1-0.ogg"
    assert "media-src 'self'" in (await line.browser.get("/desk")).headers["content-security-policy"]


async def test_what_is_gone_too_large_or_away_is_told_in_words(line: TelegramLine) -> None:
    line.api.files |= {
        "large": StoredFile("videos/file_1.mp4", b"", says=21 * 1024 * 1024),
        "liar": StoredFile("videos/file_2.mp4", b"x" * (20 * 1024 * 1024 + 1), says=5),
        "away": StoredFile("videos/file_3.mp4", b"x"),
    }
    for file_id in ("large", "liar", "away", "gone"):
        line.side.send(
            CHAT, video={"file_id": file_id, "file_unique_id": file_id, "width": 1, "height": 1, "duration": 1}
        )
    await line.until(8)
    ticket = await with_ticket(line)
    rows = [row.seq for row in await line.desk.transcript() if "media" in row.body]
    for seq, status, told in zip(
        rows,
        (413, 413, 503, 410),
        ("troppo grande", "troppo grande", "L&#39;app non risponde", "L&#39;app non lo ha"),
        strict=True,
    ):
        if status == 503:
            line.api.fail_next(500, "Internal Server Error")
        answer = await line.browser.get(f"/desk/tickets/{ticket}/media/{seq}/0")
        assert answer.status_code == status
        assert told.lower() in answer.text.lower()
        assert "Traceback" not in answer.text


async def test_media_are_for_the_desk_and_only_those_of_the_ticket(line: TelegramLine) -> None:
    line.api.files["p"] = StoredFile("photos/file_2.jpg", b"photo")
    line.side.send(CHAT, photo=[{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}])
    line.side.send(CHAT, location={"latitude": 43.88, "longitude": 11.1})
    await line.until(3)
    line.side.write(CHAT, "persona")
    await line.until(3)
    ticket = await ticket_of(line)
    good = f"/desk/tickets/{ticket}/media/1/0"
    assert (await line.browser.get(good)).status_code == 303
    await line.desk.staff("edda", Role.EDITOR)
    await line.sign_in("edda")
    assert (await line.browser.get(good)).status_code == 403
    await line.desk.staff("anna", Role.MEDIATOR)
    await line.sign_in("anna")
    assert (await line.browser.get(good)).status_code == 200
    for wrong in ("1/1", "2/0", "3/0", "999/0", f"{2**40}/0", "-1/0", "x/0", "1/x"):
        answer = await line.browser.get(f"/desk/tickets/{ticket}/media/{wrong}")
        assert answer.status_code in {404, 422}, wrong
    assert (await line.browser.get(f"/desk/tickets/{UUID(int=9)}/media/1/0")).status_code == 404
    assert line.api.fetched == 1


async def test_by_which_link_somebody_came_is_shown_and_counted_without_the_person(line: TelegramLine) -> None:
    turns = line.desk.program.turns
    assert turns is not None
    object.__setattr__(turns, "scenes", frozenset({"market"}))
    for chat, scene in ((CHAT, "market"), (78, "market"), (79, "made-up"), (80, ""), (81, "x' OR 1=1")):
        line.side.write(chat, f"/start {scene}".strip())
    await line.until(3)
    assert (await line.desk.transcript())[0].body == {"started": True, "scene": "market"}
    assert (await line.desk.transcript("81"))[0].body == {"started": True}
    ticket = await with_ticket(line)
    assert "È arrivato da: \u2068market\u2069" in await page(line, ticket)
    figures = (await line.browser.get("/metrics", headers={"Authorization": "Bearer metrics"})).text
    assert 'sportello_scenes_total{channel="telegram",scene="market"} 2.0' in figures
    assert 'sportello_scenes_total{channel="telegram",scene="other"} 1.0' in figures
    assert "made-up" not in figures


async def test_who_blocks_and_comes_back_is_seen_at_the_desk(line: TelegramLine) -> None:
    ticket = await with_ticket(line)
    line.side.block(CHAT)
    await line.until(2)
    line.side.unblock(CHAT)
    await line.until(2)
    shown = await page(line, ticket)
    assert "Non è più raggiungibile" in shown
    assert "È di nuovo raggiungibile" in shown
    line.side.write(CHAT, "menu")
    await line.until(3)
    assert line.api.sent[-1].text.startswith("Scegli")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/start", "Ciao!"),
        ("/menu", "Scegli"),
        ("/menu@sportello_bot", "Scegli"),
        ("/lingua", "Scegli la lingua"),
        ("/stop", "Va bene"),
        ("/cancella", "Cancello tutto"),
        ("/persona", "Aspetti"),
    ],
)
async def test_commands_work_at_every_stage_as_words_do(line: TelegramLine, command: str, says: str) -> None:
    line.side.write(CHAT, command)
    await line.until(2)
    assert says in line.api.sent[-1].text
    line.side.write(CHAT, "persona")
    await line.until(3)
    before = len(line.api.sent)
    line.side.write(CHAT, command)
    await line.until(3)
    assert len(line.api.sent) == before + 1
    assert says in line.api.sent[-1].text
