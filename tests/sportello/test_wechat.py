"""Whole days on WeChat in injected time: nothing lost, nothing doubled, and never more than the platform allows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import URL

from sportello.platforms import adapters, called
from sportello.settings import described
from store import health
from store.conversations import Author
from store.staff import Role
from tests.fakes.wechat_api import APP_ID, OPENID, SECRET
from tests.fakes.wechat_platform import AES_KEY, OLD_AES_KEY, TOKEN
from tests.sportello.desk import Desk, settings_for
from tests.sportello.wechat_desk import WeChatDesk, first_answer, replies_read_once

OTHER = "oOTHERuP8q7ou2gfYjqLzSIWZf00"


async def test_a_day(wechat: WeChatDesk) -> None:
    platform, clock = wechat.platform, wechat.desk.clock
    anna = await wechat.desk.staff("anna", Role.MEDIATOR)

    # Morning: a poster at the market, a question, a choice by its number, one by its words, in any digits.
    await wechat.do("subscribe", EventKey="qrscene_market", Ticket="t")
    assert (await wechat.transcript())[0].body == {"started": True, "scene": "market"}
    assert await wechat.left() == 3
    for text in ("guardia medica", "二", "menu", "２", "人工"):
        clock.advance(minutes=1)
        await wechat.write(text)
    assert [shown.how for shown in platform.shown] == ["passive"] * 6
    assert platform.calls == [], "nothing was asked of the interface, and nothing spent"
    assert await wechat.left() == 5

    # A mediator takes it, and writes more than the platform allows. The tokens are lost in between.
    clock.advance(minutes=20)
    held = await wechat.claim(anna)
    await wechat.deliver()
    for number in range(1, 7):
        if number == 3:
            platform.lose_tokens()
        await wechat.reply(held, anna, f"risposta {number}.")
        await wechat.deliver()
        clock.advance(minutes=2)
    assert await wechat.left() == 0
    assert (await wechat.statuses())[-7:] == ["sent"] * 5 + ["quota-exhausted"] * 2
    sends = platform.calls.count("message/custom/send")
    assert sends == 6, "five arrived, and one was repeated with a new token; the platform was never asked for more"

    # The resident writes again: what waited goes with that very request, as one message.
    clock.advance(hours=1)
    await wechat.write("grazie, ho capito")
    assert platform.shown[-1].how == "passive"
    assert platform.shown[-1].text == "risposta 5.\n\nrisposta 6."
    assert await wechat.left() == 5

    # Two days of silence, then the mediator comes back: the window is over, so it waits.
    clock.advance(hours=48, minutes=1)
    await wechat.reply(held, anna, "risposta 7.")
    await wechat.deliver()
    assert (await wechat.statuses())[-1] == "window-closed"
    assert platform.calls.count("message/custom/send") == sends
    await wechat.write("ci siete?")
    assert platform.shown[-1].text == "risposta 7."

    assert await replies_read_once(wechat) == [f"risposta {number}." for number in range(1, 8)]
    assert set(await wechat.statuses()) <= {"sent", "merged"}
    assert not [shown for shown in platform.shown if shown.how == "fault"]


async def ask_while_answers_get_lost(wechat: WeChatDesk) -> None:
    """Let two residents ask; the platform repeats what it got no answer to: one turn, the same answer, read once."""
    platform, start = wechat.platform, wechat.desk.clock()
    for openid, lost in ((OPENID, 1), (OTHER, 2)):
        wechat.lost = lost
        await wechat.write("guardia medica", openid)
        assert platform.attempts[-1] == lost + 1
        assert [shown.how for shown in platform.shown if shown.openid == openid] == ["passive"]
    assert wechat.desk.clock() - start >= timedelta(seconds=15)
    await wechat.write("menu", OTHER)
    assert platform.calls == [], "no token was needed yet"


async def test_two_days_on_which_the_platform_knows_better(wechat: WeChatDesk) -> None:
    platform, clock = wechat.platform, wechat.desk.clock
    anna = await wechat.desk.staff("anna", Role.MEDIATOR)

    await ask_while_answers_get_lost(wechat)
    # A mediator answers the first. After two hours that token has ended, and the next one is there before it is missed.
    await wechat.write("persona")
    held = await wechat.claim(anna)
    await wechat.reply(held, anna, "risposta 1.")
    await wechat.deliver()
    clock.advance(hours=2, seconds=1)
    await wechat.reply(held, anna, "risposta 2.")
    await wechat.deliver()
    assert (platform.calls.count("stable_token"), platform.refused) == (2, [])
    # Somebody else forces one: ours ends long before its time, is refused once, and the message goes with another.
    platform.renew_elsewhere()
    clock.advance(minutes=6)
    await wechat.reply(held, anna, "risposta 3.")
    await wechat.deliver()
    assert (platform.calls.count("stable_token"), platform.refused) == (3, [42001])
    assert platform.read_by()[-1] == "risposta 3."

    # A colleague wrote from the platform's own page, which nobody tells us: it counts fewer messages than we do.
    platform.residents[OPENID].left = 0
    assert await wechat.left() == 2
    await wechat.reply(held, anna, "risposta 4.")
    await wechat.deliver()
    assert ((await wechat.statuses())[-1], await wechat.left()) == ("quota-exhausted", 0)
    # Nobody else's messages are fewer for it.
    await wechat.says(OTHER, "Il corso comincia domani.")
    await wechat.deliver()
    assert platform.read_by(OTHER)[-1] == "Il corso comincia domani."
    await wechat.write("grazie")
    assert platform.shown[-1].text == "risposta 4."

    # Our clock falls behind within the 48 hours: by it the window is still open for a few seconds.
    platform.clock = lambda: clock() + timedelta(seconds=30)
    clock.advance(hours=47, minutes=59, seconds=45)
    await wechat.reply(held, anna, "risposta 5.")
    await wechat.deliver()
    assert (await wechat.statuses())[-1] == "window-closed"
    assert platform.refused == [42001, 45047, 45015], "each was asked for once, and believed"
    clock.advance(minutes=5)
    await wechat.deliver()
    await wechat.write("ci siete?")
    assert platform.shown[-1].text == "risposta 5."

    assert await replies_read_once(wechat) == [f"risposta {number}." for number in range(1, 6)]
    for openid in (OPENID, OTHER):
        assert set(await wechat.statuses(openid)) <= {"sent", "merged"}
        asked = [row for row in await wechat.transcript(openid) if row.author is Author.RESIDENT]
        assert len(asked) == {OPENID: 4, OTHER: 2}[openid]
    assert not [shown for shown in platform.shown if shown.how == "fault"]


async def test_a_busy_platform_is_asked_again_and_nothing_spent_twice(wechat: WeChatDesk) -> None:
    wechat.hurry()
    await wechat.write("guardia medica")
    wechat.platform.fail_next(-1, times=3)
    for _ in range(20):
        await wechat.deliver()
        wechat.desk.clock.advance(seconds=3)
    assert "\n".join(wechat.platform.read_by()).count(await first_answer(wechat)) == 1
    assert await wechat.left() == 4


async def test_who_leaves_is_left_alone_and_may_come_back(wechat: WeChatDesk) -> None:
    await wechat.write("persona")
    await wechat.do("unsubscribe")
    assert (await wechat.transcript())[-1].body == {"code": "closed", "values": {"outcome": "resident-left"}}
    await wechat.do("subscribe")
    assert wechat.platform.shown[-1].how == "passive"


async def test_odd_messages_harm_nobody(wechat: WeChatDesk) -> None:
    for text in ("", " ", "]]>", "<xml/>", "\u200f", "x" * 20_000, "&#0;"):
        await wechat.write(text)
    await wechat.platform.deliver(
        wechat.platform.message(MsgType="link", Title="", Description="", Url=""), wechat.post
    )
    await wechat.do("CLICK", EventKey="no such verb")
    await wechat.do("CLICK", EventKey="entry:")
    await wechat.do("SCAN", EventKey="x" * 128)
    assert (await wechat.desk.inbox_counts())["failed"] == 0
    assert (await wechat.desk.inbox_counts())["set-aside"] == 0
    assert not [shown for shown in wechat.platform.shown if shown.how == "fault"]


async def test_when_the_administrator_has_to_do_something_the_channel_says_so(wechat: WeChatDesk) -> None:
    wechat.hurry()
    await wechat.write("guardia medica")
    wechat.platform.listed = False
    await wechat.deliver()
    async with wechat.desk.program.database.read() as connection:
        (found,) = [row for row in await health.everything(connection) if row.channel == "wechat"]
    assert found.last_error == "40164: the address of this server is not in the account's list"
    assert await wechat.statuses() == ["queued"]
    wechat.platform.listed = True
    wechat.desk.clock.advance(minutes=2)
    await wechat.deliver()
    assert await wechat.statuses() == ["sent"]


# --- set-up ---


async def test_the_address_is_checked_with_what_came_and_nothing_around_it(wechat: WeChatDesk) -> None:
    answer = await wechat.web.get("/webhooks/wechat", params=wechat.platform.check("5837397576500011341"))
    assert (answer.status_code, answer.content) == (200, b"5837397576500011341")
    assert answer.headers["content-type"].startswith("text/plain")
    forged = wechat.platform.check() | {"nonce": "1"}
    assert (await wechat.web.get("/webhooks/wechat", params=forged)).status_code == 403


def made(desk: Desk, folder: Path, **others: Any) -> tuple[list[str], list[str]]:
    settings = settings_for(desk.program.database.url, folder, **others)
    found = adapters(settings, desk.program.database, desk.clock, desk.program.catalogue)
    return [each.channel for each in found], [each.channel for each in called(settings, found)]


async def test_it_is_off_until_it_is_set_up_and_never_called_without_a_token(desk: Desk, tmp_path: Path) -> None:
    app = {"wechat_app_id": APP_ID, "wechat_secret": SECRET, "wechat_aes_key": AES_KEY}
    assert made(desk, tmp_path) == (["telegram"], ["telegram"])
    assert made(desk, tmp_path, **app) == (["telegram", "wechat"], ["telegram"])
    both = (["telegram", "wechat"], ["telegram", "wechat"])
    assert made(desk, tmp_path, **app, wechat_token=TOKEN) == both
    assert made(desk, tmp_path, **app, wechat_token=TOKEN, telegram_secret="")[1] == ["wechat"]
    async with desk.browser() as web:
        assert (await web.get("/webhooks/wechat")).status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"wechat_app_id": APP_ID}, "SPORTELLO_WECHAT_SECRET"),
        ({"wechat_app_id": APP_ID, "wechat_secret": SECRET}, "SPORTELLO_WECHAT_AES_KEY"),
        ({"wechat_aes_key": AES_KEY[:-1]}, "43 characters"),
        ({"wechat_old_aes_key": "!" * 43}, "letters and digits"),
        ({"wechat_mode": "unsafe"}, "'safe', 'compat' or 'plain'"),
        ({"wechat_app_id": "wx 1"}, "pattern"),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_not_quoted(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    url = URL.create("postgresql")
    with pytest.raises(ValidationError, match=said) as raised:
        settings_for(url, tmp_path, **values)
    assert SECRET not in str(raised.value)
    assert AES_KEY[:-1] not in str(raised.value)


def test_the_settings_say_who_gets_what_and_show_no_secret(tmp_path: Path) -> None:
    keys = {"wechat_aes_key": AES_KEY, "wechat_old_aes_key": OLD_AES_KEY, "wechat_token": TOKEN}
    settings = settings_for(URL.create("postgresql"), tmp_path, wechat_app_id=APP_ID, wechat_secret=SECRET, **keys)
    rows = described(settings)
    (meaning,) = [meaning for name, _, meaning in rows if name == "SPORTELLO_WECHAT_APP_ID"]
    assert "Tencent" in meaning
    shown = str(rows)
    assert not [secret for secret in (SECRET, AES_KEY, OLD_AES_KEY) if secret in shown]
    assert ("SPORTELLO_WECHAT_TOKEN", "(set, hidden)") in [(name, value) for name, value, _ in rows]
