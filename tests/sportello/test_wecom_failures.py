"""What WeCom took and says later that it could not deliver: each reason leads to what helps, and nothing goes twice."""

import pytest
from sqlalchemy import select

from store import budgets, outbox
from store.conversations import Author
from store.staff import Role
from tests.conftest import FakeClock
from tests.sportello.wecom_desk import WecomDesk


async def hears(wecom: WecomDesk) -> None:
    """Let the program hear of a failure, and take the turn that follows."""
    await wecom.rings()
    await wecom.desk.turns()


async def errors(wecom: WecomDesk) -> list[str | None]:
    async with wecom.desk.program.database.read() as connection:
        return list((await connection.execute(select(outbox.outbox.c.error).order_by(outbox.outbox.c.id))).scalars())


@pytest.mark.parametrize("reason", [0, 1, 2, 7, 8, 9, 11])
async def test_what_may_pass_or_be_mended_is_sent_again_under_another_id(
    wecom: WecomDesk, clock: FakeClock, reason: int
) -> None:
    wecom.kf.fails.append(reason)
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    assert await wecom.statuses("wmA") == ["sent"], "as far as we know"
    await hears(wecom)
    assert await wecom.statuses("wmA") == ["queued"]
    (said,) = await errors(wecom)
    assert (await wecom.health()).last_error == said
    assert await wecom.deliver() == 0, "not at once"
    clock.advance(minutes=1)
    assert await wecom.deliver() == 1
    assert await wecom.statuses("wmA") == ["sent"]
    (text,) = wecom.texts("wmA")
    assert "116117" in text


async def test_it_is_tried_a_few_times_only_and_what_comes_later_keeps_its_place(
    wecom: WecomDesk, clock: FakeClock
) -> None:
    wecom.kf.fails.extend([8] * 4)
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    await hears(wecom)
    await wecom.says("wmA", "dopo")
    for minutes in (1, 2, 4):
        assert (await wecom.statuses("wmA"))[0] == "queued"
        assert await wecom.deliver() == 0
        clock.advance(minutes=minutes)
        if minutes == 4:
            # Whatever the resident does meanwhile.
            wecom.kf.writes("wmA", "?")
        await wecom.answers()
        await hears(wecom)
    assert (await wecom.statuses("wmA"))[0] == "needs-person"
    assert not wecom.kf.fails, "four times in all"
    clock.advance(hours=1)
    await wecom.deliver()
    assert (await wecom.statuses("wmA"))[0] == "needs-person"


@pytest.mark.parametrize(("reason", "status"), [(4, "window-closed"), (5, "window-closed"), (6, "quota-exhausted")])
async def test_what_only_the_resident_can_open_waits_for_them_whole(wecom: WecomDesk, reason: int, status: str) -> None:
    for text in ("guardia medica", "menu"):
        wecom.kf.writes("wmA", text)
    wecom.kf.fails.append(reason)
    await wecom.answers()
    assert await wecom.statuses("wmA") == ["sent", "merged"]
    await hears(wecom)
    assert await wecom.statuses("wmA") == [status, "merged"]
    await wecom.deliver()
    assert wecom.texts("wmA") == []
    wecom.kf.writes("wmA", "lingua")
    await wecom.answers()
    assert set(await wecom.statuses("wmA")) <= {"sent", "merged"}
    said = "\n".join(wecom.texts("wmA"))
    said_by_bot = [row for row in await wecom.transcript("wmA") if row.author is Author.BOT]
    texts = [block["text"].strip() for row in said_by_bot for block in row.body["blocks"]]
    assert [said.count(text) >= 1 for text in texts] == [True] * len(texts), "also what went along with it"
    assert said.count("自动服务") == 1, "and once"


async def test_a_resident_who_wrote_meanwhile_waits_no_longer(wecom: WecomDesk) -> None:
    wecom.kf.fails.append(4)
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    # The failure and the next message are fetched at once: the window is open again before the failure is looked at.
    wecom.kf.writes("wmA", "menu")
    await wecom.answers()
    assert set(await wecom.statuses("wmA")) <= {"sent", "merged"}
    assert "116117" in "\n".join(wecom.texts("wmA"))


async def test_the_parts_of_a_long_text_that_did_not_arrive_go_again(wecom: WecomDesk) -> None:
    anna = await wecom.desk.staff("anna", Role.MEDIATOR)
    wecom.kf.writes("wmA", "persona")
    await wecom.answers()
    held = await wecom.claim(anna)
    await wecom.deliver()
    before = len(wecom.texts("wmA"))
    wecom.kf.sessions["wmA"].sent = 4
    wecom.kf.reports_later = True
    await wecom.reply(held, anna, "一" * 600 + " " + "二" * 600)
    await wecom.deliver()
    assert len(wecom.texts("wmA")) == before + 1, "the second part was one too many"
    await hears(wecom)
    assert (await wecom.statuses("wmA"))[-1] == "quota-exhausted"
    wecom.kf.writes("wmA", "?")
    await wecom.answers()
    assert [text[0] for text in wecom.texts("wmA")[before:]] == ["一", "二"]


@pytest.fixture
async def long_reply(wecom: WecomDesk) -> int:
    """Let a mediator write in three parts; gives how many messages were there before."""
    anna = await wecom.desk.staff("anna", Role.MEDIATOR)
    wecom.kf.writes("wmA", "persona")
    await wecom.answers()
    held = await wecom.claim(anna)
    await wecom.deliver()
    wecom.kf.writes("wmA", "?")
    await wecom.answers()
    before = len(wecom.texts("wmA"))
    await wecom.reply(held, anna, "\n\n".join((number * 600) for number in "一二三"))
    return before


@pytest.mark.parametrize(("lost", "arrives"), [([8], ["二三", "二三一"]), ([8, 8], ["三", "三一二"])])
async def test_a_part_that_arrived_is_not_sent_again_because_one_before_it_did_not(
    wecom: WecomDesk, clock: FakeClock, long_reply: int, lost: list[int], arrives: list[str]
) -> None:
    def parts() -> str:
        return "".join(text[0] for text in wecom.texts("wmA")[long_reply:])

    wecom.kf.fails.extend(lost)
    await wecom.deliver()
    assert parts() == arrives[0]
    await hears(wecom)
    assert (await wecom.statuses("wmA"))[-1] == "queued"
    clock.advance(minutes=1)
    await wecom.deliver()
    assert parts() == arrives[1]
    assert (await wecom.statuses("wmA"))[-1] == "sent"
    await hears(wecom)
    clock.advance(minutes=10)
    assert await wecom.deliver() == 0


async def test_a_rest_that_was_cut_smaller_is_cut_alike_when_a_part_of_it_turns_out_lost(
    wecom: WecomDesk, clock: FakeClock, long_reply: int
) -> None:
    await wecom.desk.turns()
    await wecom.deliveries.open()
    clock.advance(seconds=1)
    assert await wecom.deliveries.deliver()
    wecom.kf.fail_next(45002)
    # The first and the second of the smaller parts: taken, and lost.
    wecom.kf.fails.extend([8, 8])
    conversation = await wecom.conversation("wmA")
    async with wecom.desk.program.database.begin() as connection:
        # More than five, so that the parts are what counts.
        for _ in range(5):
            await budgets.give_back(connection, conversation)
    wecom.kf.sessions["wmA"].sent = -5
    await wecom.deliver()
    for _ in range(2):
        await hears(wecom)
        clock.advance(minutes=1)
        await wecom.deliver()
    assert (await wecom.statuses("wmA"))[-1] == "sent"
    said = wecom.texts("wmA")[long_reply:]
    assert said[0] == "一" * 600
    assert all(len(part.encode()) <= 1024 for part in said[1:])
    counted = {number: sum(part.count(number) for part in said) for number in "一二三"}
    assert counted == dict.fromkeys("一二三", 600), "nothing twice, and nothing left out"


async def test_each_part_has_its_own_tries(wecom: WecomDesk, clock: FakeClock, long_reply: int) -> None:
    conversation = await wecom.conversation("wmA")
    async with wecom.desk.program.database.begin() as connection:
        # As if the tries cost nothing.
        for _ in range(20):
            await budgets.give_back(connection, conversation)
    wecom.kf.fails.extend([8] * 9)
    await wecom.deliver()
    for minutes in (1, 2, 4):
        await hears(wecom)
        assert (await wecom.statuses("wmA"))[-1] == "queued"
        clock.advance(minutes=minutes)
        await wecom.deliver()
    await hears(wecom)
    assert (await wecom.statuses("wmA"))[-1] == "sent"
    assert "".join(text[0] for text in wecom.texts("wmA")[long_reply:]) == "一二三"


async def test_who_refuses_messages_has_left_and_is_back_with_the_next_one(wecom: WecomDesk) -> None:
    wecom.kf.writes("wmA", "persona")
    await wecom.rings()
    wecom.kf.sessions["wmA"].refuses = True
    await wecom.deliver()
    await hears(wecom)
    rows = await wecom.transcript("wmA")
    assert [row.body["code"] for row in rows if row.author is Author.SYSTEM] == ["queued", "left", "closed"]
    assert await wecom.statuses("wmA") == ["blocked"]
    wecom.kf.sessions["wmA"].refuses = False
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    assert "116117" in wecom.texts("wmA")[-1]


@pytest.mark.parametrize("reason", [12, 13, 99])
async def test_what_would_fail_again_is_told_and_not_sent_again(
    wecom: WecomDesk, clock: FakeClock, reason: int
) -> None:
    wecom.kf.fails.append(reason)
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    await hears(wecom)
    clock.advance(minutes=10)
    assert await wecom.deliver() == 0
    assert await wecom.statuses("wmA") == ["needs-person"]
    assert (await wecom.health()).last_error == (await errors(wecom))[0]


async def test_what_was_erased_meanwhile_is_not_said_again(wecom: WecomDesk, clock: FakeClock) -> None:
    wecom.kf.fails.append(8)
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    for text in ("cancella i miei dati", "2"):
        wecom.kf.writes("wmA", text)
    wecom.kf.fails.clear()
    await wecom.answers()
    clock.advance(hours=1)
    await wecom.answers()
    assert "116117" not in "\n".join(wecom.texts("wmA")[1:])


# --- opening the chat without a code ---


async def test_by_which_poster_somebody_came_is_kept_although_nothing_is_said(
    wecom: WecomDesk, clock: FakeClock
) -> None:
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.answers()
    left = (await wecom.budget("wmA")).remaining
    sent = len(wecom.kf.sent)
    clock.advance(minutes=5)
    assert wecom.kf.enters("wmA", scene="poster", scene_param="mobile-team") is None
    assert await wecom.answers() == 0
    assert (await wecom.transcript("wmA"))[-1].body == {"started": True, "scene": "mobile-team"}
    assert (len(wecom.kf.sent), (await wecom.budget("wmA")).remaining) == (sent, left)
    registry = wecom.desk.program.registry
    assert registry.get_sample_value("sportello_scenes_total", {"channel": "wecom", "scene": "other"}) == 1
    # Somebody whom WeCom itself greeted: a conversation begins, and nothing may be said to it yet.
    wecom.kf.sessions["wmA"].last_out = clock.timestamp()
    wecom.kf.event("enter_session", "wmNew", scene="market", scene_param="")
    assert await wecom.answers() == 0
    (only,) = await wecom.transcript("wmNew")
    assert only.body == {"started": True, "scene": "market"}
