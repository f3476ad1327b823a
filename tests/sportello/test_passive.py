"""The first reply goes back with WeChat's own request: in time, once, the same for a repetition, and costs nothing."""

import asyncio

from channels.rendering import measure
from channels.wechat import PASSIVE, TEXT_MAX
from store import outbox, pacing
from store.conversations import Address, Author
from store.outbox import OutboxKind, Priority
from tests.fakes.wechat_api import APP_ID, OPENID
from tests.sportello.wechat_desk import WeChatDesk


async def test_the_answer_comes_with_the_request_and_costs_nothing(wechat: WeChatDesk) -> None:
    await wechat.write("guardia medica")
    (shown,) = wechat.platform.shown
    assert shown.how == "passive"
    assert "116117" in shown.text
    assert wechat.platform.attempts == [1]
    assert await wechat.statuses() == ["sent"]
    assert await wechat.left() == 5
    assert await wechat.deliver() == 0
    assert wechat.platform.calls == []


async def test_a_repetition_gets_the_same_reply_and_takes_no_second_turn(wechat: WeChatDesk) -> None:
    wechat.lost = 2
    await wechat.write("guardia medica")
    assert wechat.platform.attempts == [3]
    assert len(wechat.platform.shown) == 1
    assert "116117" in wechat.platform.shown[0].text
    opened = [wechat.platform.opened(body)["Content"] for body in wechat.bodies]
    assert len(set(opened)) == 1
    assert len(wechat.bodies) == 3
    assert len(set(wechat.bodies)) == 3, "each is sealed anew"
    assert [row.seq for row in await wechat.transcript()] == [1, 2]
    assert await wechat.deliver() == 0


async def test_a_turn_that_takes_too_long_is_answered_as_customer_service(wechat: WeChatDesk) -> None:
    wechat.hurry()
    await wechat.write("guardia medica")
    assert wechat.bodies == ["success"]
    assert wechat.platform.shown == []
    assert await wechat.deliver() == 1
    (shown,) = wechat.platform.shown
    assert shown.how == "custom"
    assert "116117" in shown.text
    assert await wechat.left() == 4


async def test_until_the_request_is_answered_nothing_else_goes_to_the_chat(wechat: WeChatDesk) -> None:
    wechat.hurry()
    await wechat.write("guardia medica")
    # Another request of the same chat is still open.
    async with wechat.desk.program.database.begin() as connection:
        until = wechat.desk.clock() + PASSIVE
        await pacing.pause_chat(connection, await wechat.conversation(), until=until)
    assert await wechat.deliver() == 0
    wechat.desk.clock.advance(seconds=4)
    assert await wechat.deliver() == 1


async def test_what_nobody_answers_is_answered_at_once(wechat: WeChatDesk) -> None:
    await wechat.write("persona")
    member = await wechat.desk.staff("anna")
    await wechat.claim(member)
    await wechat.deliver()
    before = len(wechat.platform.shown)
    await wechat.write("buongiorno, ho una domanda difficile")
    assert wechat.bodies[-1] == "success"
    assert len(wechat.platform.shown) == before
    await wechat.do("VIEW", EventKey="https://www.comune.prato.it")
    assert wechat.bodies[-1] == "success"
    await wechat.do("unsubscribe")
    assert wechat.bodies[-1] == "success"


async def test_two_texts_at_once_are_both_answered_each_once(wechat: WeChatDesk) -> None:
    platform = wechat.platform
    first, second = platform.text("guardia medica"), platform.text("corso di italiano")
    await asyncio.gather(platform.deliver(first, wechat.post), platform.deliver(second, wechat.post))
    await wechat.deliver()
    read = "\n".join(platform.read_by())
    blocks = [block for row in await wechat.transcript() if row.author is Author.BOT for block in row.body["blocks"]]
    answers = [block["text"] for block in blocks if block["kind"] == "answer"]
    assert len(answers) == 2
    assert [read.count(answer) for answer in answers] == [1, 1]
    assert read.index(answers[0]) < read.index(answers[1])


async def test_the_rest_of_a_long_answer_follows_as_customer_service(wechat: WeChatDesk) -> None:
    await wechat.write("বাংলা")
    before = len(wechat.platform.shown)

    long = "এটি একটি দীর্ঘ বাক্য। " * 100
    async with wechat.desk.program.database.begin() as connection:
        await outbox.queue(
            connection,
            conversation_id=await wechat.conversation(),
            address=Address("wechat", APP_ID, OPENID),
            kind=OutboxKind.MESSAGE,
            priority=Priority.LIVE,
            payload={"language": "bn", "paragraphs": [long], "choices": []},
            seq=None,
            now=wechat.desk.clock(),
        )
    await wechat.write("ধন্যবাদ")
    await wechat.deliver()
    shown = wechat.platform.shown[before:]
    assert [each.how for each in shown] == ["passive", *["custom"] * (len(shown) - 1)]
    assert len(shown) >= 3
    assert all(measure(each.text, "bytes") <= TEXT_MAX for each in shown)
    assert "".join("".join(each.text for each in shown).split()).startswith("".join(long.split()))
