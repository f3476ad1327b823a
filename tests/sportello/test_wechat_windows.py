"""WeChat's windows: what matters most is sent first, nothing useful waits longer than it has to, nothing goes twice."""

import pytest
from sqlalchemy import select

from sportello.halving import halve
from store import outbox
from store.conversations import Author
from store.staff import Role
from tests.fakes.wechat_api import OPENID
from tests.sportello.wechat_desk import WeChatDesk, first_answer, replies_read_once

OTHER = "oOTHERuP8q7ou2gfYjqLzSIWZf00"


async def text_of(wechat: WeChatDesk, wording: str, openid: str = OPENID) -> str:
    """Give a text of the bot in the language of a conversation."""
    languages = [row.language for row in await wechat.transcript(openid) if row.author is Author.BOT]
    return wechat.desk.program.catalogue.text(wording, str(languages[-1]))


async def test_a_tap_opens_a_minute_and_what_comes_later_waits(wechat: WeChatDesk) -> None:
    platform, clock = wechat.platform, wechat.desk.clock
    anna = await wechat.desk.staff("anna", Role.MEDIATOR)
    await wechat.do("CLICK", OTHER, EventKey="person")
    assert platform.shown[-1].how == "passive"
    assert await text_of(wechat, "bot.waiting.write", OTHER) in platform.shown[-1].text, "later we could not answer"
    assert await wechat.left(OTHER) == 3
    clock.advance(minutes=2)
    held = await wechat.claim(anna)
    await wechat.reply(held, anna, "eccomi.")
    await wechat.deliver()
    assert (await wechat.statuses(OTHER))[-2:] == ["window-closed"] * 2
    assert platform.calls == []
    await wechat.write("?", OTHER)
    await wechat.deliver()
    assert await replies_read_once(wechat, OTHER) == ["eccomi."]
    assert [shown.how for shown in platform.shown] == ["passive"] * 2, "all that waited goes with the request"
    assert platform.shown[-1].text == f"{await text_of(wechat, 'bot.mediator_joined', OTHER)}\n\neccomi."
    assert await wechat.statuses(OTHER) == ["sent", "sent", "merged"]


async def test_who_writes_is_not_asked_to_write(wechat: WeChatDesk) -> None:
    await wechat.write("persona")
    assert await text_of(wechat, "bot.waiting.write") not in wechat.platform.shown[-1].text
    await wechat.do("CLICK", EventKey="person")
    assert await text_of(wechat, "bot.waiting.write") not in wechat.platform.shown[-1].text, "the long window is open"


async def test_two_messages_of_a_window_are_kept_for_mediators(wechat: WeChatDesk) -> None:
    wechat.hurry()
    anna = await wechat.desk.staff("anna", Role.MEDIATOR)
    await wechat.do("CLICK", EventKey="person")
    await wechat.deliver()
    assert await wechat.left() == 2, "a tap gives three, and the place in the queue took one"
    held = await wechat.claim(anna)
    await wechat.deliver()
    assert await wechat.statuses() == ["sent", "quota-exhausted"], "the bot's own text waits"
    await wechat.reply(held, anna, "eccomi.")
    await wechat.reply(held, anna, "ci sono.")
    await wechat.deliver()
    assert await wechat.statuses() == ["sent", "merged", "sent", "merged"], "and goes with the mediator's"
    joined = await text_of(wechat, "bot.mediator_joined")
    assert wechat.platform.read_by()[1:] == [f"{joined}\n\neccomi.\n\nci sono."]
    assert await wechat.left() == 1


async def test_what_would_make_a_mediators_message_two_waits_for_the_resident(wechat: WeChatDesk) -> None:
    wechat.hurry()
    anna = await wechat.desk.staff("anna", Role.MEDIATOR)
    await wechat.do("CLICK", EventKey="person")
    await wechat.deliver()
    held = await wechat.claim(anna)
    await wechat.deliver()
    await wechat.says(OPENID, "长" * 680)
    await wechat.deliver()
    await wechat.reply(held, anna, "答" * 100)
    await wechat.deliver()
    assert await wechat.statuses() == ["sent", "quota-exhausted", "quota-exhausted", "sent"]
    assert wechat.platform.read_by()[1:] == ["答" * 100]
    # What matters stays a mediator's, whatever goes with it.
    await wechat.says(OPENID, "短")
    await wechat.reply(held, anna, "最后一句")
    wechat.platform.fail_next(-1)
    await wechat.deliver()
    wechat.desk.clock.advance(seconds=5)
    await wechat.deliver()
    assert wechat.platform.read_by()[2:] == ["短\n\n最后一句"]
    assert await wechat.left() == 0
    await wechat.write("谢谢")
    await wechat.deliver()
    assert set(await wechat.statuses()) <= {"sent", "merged"}
    assert "".join(wechat.platform.read_by()).count("长") == 680


@pytest.mark.parametrize(("code", "status"), [(45047, "quota-exhausted"), (45015, "window-closed")])
async def test_the_platform_is_believed_where_it_counts_otherwise(wechat: WeChatDesk, code: int, status: str) -> None:
    wechat.hurry()
    await wechat.write("guardia medica")
    wechat.platform.fail_next(code)
    await wechat.deliver()
    assert await wechat.statuses() == [status]
    sends = wechat.platform.calls.count("message/custom/send")
    wechat.desk.clock.advance(minutes=5)
    await wechat.deliver()
    assert wechat.platform.calls.count("message/custom/send") == sends
    await wechat.write("e adesso?")
    await wechat.deliver()
    assert "\n".join(wechat.platform.read_by()).count(await first_answer(wechat)) == 1
    assert set(await wechat.statuses()) <= {"sent", "merged"}


async def test_what_the_platform_finds_too_long_goes_once_more_in_smaller_parts(wechat: WeChatDesk) -> None:
    await wechat.write("ciao")
    assert await wechat.left() == 5
    await wechat.says(OPENID, "长" * 600)
    wechat.platform.fail_next(45002)
    before = len(wechat.platform.shown)
    await wechat.deliver()
    shown = wechat.platform.shown[before:]
    assert "".join(each.text for each in shown) == "长" * 600
    assert [len(each.text.encode()) <= 1024 for each in shown] == [True, True]
    assert ((await wechat.statuses())[-1], await wechat.left()) == ("sent", 3), "what was refused cost nothing"


async def test_what_is_too_long_in_smaller_parts_too_ends_and_is_shown(wechat: WeChatDesk) -> None:
    await wechat.write("ciao")
    for text, refusals in (("长" * 600, 2), ("短", 1)):
        calls = wechat.platform.calls.count("message/custom/send")
        await wechat.says(OPENID, text)
        wechat.platform.fail_next(45002, times=refusals)
        await wechat.deliver()
        assert (await wechat.statuses())[-1] == "too-long"
        assert wechat.platform.calls.count("message/custom/send") == calls + refusals


async def test_of_what_arrived_in_part_the_rest_goes_in_smaller_parts(wechat: WeChatDesk) -> None:
    await wechat.write("ciao")
    before = len(wechat.platform.shown)
    text = "".join(chr(0x4E00 + number) for number in range(1200))
    await wechat.says(OPENID, text)
    await wechat.deliveries.open()
    wechat.desk.clock.advance(seconds=5)
    assert await wechat.deliveries.deliver()
    wechat.platform.fail_next(45002)
    await wechat.deliver()
    shown = [each.text for each in wechat.platform.shown[before:]]
    assert "".join(shown) == text, "nothing twice, and nothing left out"
    assert [len(part.encode()) // 1024 for part in shown] == [1, 0, 0]
    assert ((await wechat.statuses())[-1], await wechat.left()) == ("sent", 2)


async def test_a_rest_that_is_too_long_in_smaller_parts_too_ends(wechat: WeChatDesk) -> None:
    await wechat.write("ciao")
    left = 5
    for refusals, text in ((2, "长" * 1200), (1, "长" * 690)):
        before = len(wechat.platform.shown)
        await wechat.says(OPENID, text)
        await wechat.deliveries.open()
        wechat.desk.clock.advance(seconds=5)
        assert await wechat.deliveries.deliver()
        wechat.platform.fail_next(45002, times=refusals)
        await wechat.deliver()
        assert (await wechat.statuses())[-1] == "too-long"
        assert len(wechat.platform.shown) == before + 1
        assert await wechat.left() == left - 1, "what was refused cost nothing"
        left -= 1


async def test_what_was_erased_while_the_platform_found_it_too_long_is_not_kept(wechat: WeChatDesk) -> None:
    await wechat.write("ciao")
    await wechat.says(OPENID, "长" * 600)
    conversation, database = await wechat.conversation(), wechat.desk.program.database
    await wechat.deliveries.open()
    wechat.desk.clock.advance(seconds=5)
    async with database.begin() as connection:
        leased = await wechat.deliveries._lease(connection)
    assert leased is not None
    async with database.begin() as connection:
        await outbox.erase(connection, conversation, now=wechat.desk.clock())
        assert not await halve(connection, leased, wechat.deliveries.adapter.capabilities, now=wechat.desk.clock())
    async with database.read() as connection:
        kept = (await connection.execute(select(outbox.outbox.c.payload).order_by(outbox.outbox.c.id))).scalars().all()
    assert kept[-1] is None
