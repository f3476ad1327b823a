"""WeCom customer service with the whole program: a day of it, and what can go wrong in one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.engine import URL

from channels.wecom import WecomAdapter
from sportello.pulling import LEASE
from sportello.settings import described
from store.conversations import Author
from store.outbox import Priority
from store.staff import Role
from tests.conftest import FakeClock
from tests.sportello.desk import settings_for
from tests.sportello.wecom_desk import WecomDesk


async def ask_on_several_pages(wecom: WecomDesk) -> None:
    """Ask more than a page holds; an empty page comes first, and says that there is more. What waits is one message."""
    kf = wecom.kf
    questions = ["corso di italiano", "codice fiscale", "menu"]
    for text in questions:
        kf.writes("wmB", text)
    kf.page, kf.empty_pages, before = 2, 1, len(kf.syncs)
    assert await wecom.answers() == 0
    wecom.desk.clock.advance(seconds=1)
    assert await wecom.fetch() == 2
    await wecom.deliver()
    kf.page = 1000
    begun, *later = [int(sync["cursor"].removeprefix("c")) for sync in kf.syncs[before:]]
    assert later == [begun, begun + 2], "the empty one moved nothing, and the first of two said that there is more"
    asked = [message.body["text"] for message in await wecom.transcript("wmB") if message.author is Author.RESIDENT]
    assert asked == questions
    assert all(len(text.encode()) <= 2048 for text in wecom.texts("wmB"))
    assert set(await wecom.statuses("wmB")) <= {"sent", "merged"}
    assert len(wecom.texts("wmB")) < 3


async def test_a_whole_day(wecom: WecomDesk, clock: FakeClock) -> None:
    kf, desk = wecom.kf, wecom.desk
    lin = await desk.staff("lin", Role.MEDIATOR)
    # Nine: somebody scans the poster at the market, and is greeted with the code that came with it.
    kf.enters("wmA", scene="poster", scene_param="market")
    assert await wecom.answers() == 1
    (welcome,) = kf.sent
    assert (welcome.touser, welcome.on_event, welcome.menu) == ("wmA", True, ())
    assert "1. " in welcome.text, "topics are a list to answer by number"
    (started, *_) = await wecom.transcript("wmA")
    assert started.body == {"started": True, "scene": "market"}
    assert (await wecom.budget("wmA")).remaining == 0, "the greeting lets us say nothing more"
    # They open the chat again and again, which is no reason to greet them anew.
    clock.advance(minutes=1)
    kf.enters("wmA", scene="poster")
    assert await wecom.answers() == 0
    # A question, and others that came while nobody fetched.
    kf.writes("wmA", "guardia medica")
    assert await wecom.answers() == 1
    assert "116117" in kf.sent[-1].text
    assert (await wecom.budget("wmA")).remaining == 4
    await ask_on_several_pages(wecom)
    # Noon: the token has ended, nobody notices. A person is asked for, and answers more than once.
    clock.advance(hours=3)
    kf.writes("wmA", "persona")
    await wecom.answers()
    assert kf.tokens_fetched == 2
    ticket = await wecom.claim(lin)
    for number in range(3):
        await wecom.reply(ticket, lin, f"risposta {number}")
        await wecom.deliver()
    joined = desk.program.catalogue.text("bot.mediator_joined", "zh")
    assert wecom.texts("wmA")[-3:] == [f"{joined}\n\nrisposta 0", "risposta 1", "risposta 2"]
    # The resident sends a picture that the mediator can look at, and writes to staff in WeCom's own app as well.
    media_id = kf.keeps("image/jpeg", b"\xff\xd8\xff")
    kf.sends("wmA", "image", {"media_id": media_id})
    kf.staff_write("wmA", "non sono il residente")
    await wecom.answers()
    media = [message.body["media"] for message in await wecom.transcript("wmA") if "media" in message.body]
    assert [each["ref"] for each in media] == [media_id]
    adapter = wecom.deliveries.adapter
    assert isinstance(adapter, WecomAdapter)
    assert (await adapter.fetch(media[0]["ref"])).content == b"\xff\xd8\xff"
    # Three days later nothing is owed to anybody, and nothing was said twice.
    clock.advance(days=3)
    await wecom.answers()
    assert await wecom.deliver() == 0
    sent = [(message.touser, message.text) for message in kf.sent]
    assert len(sent) == len(set(sent))
    assert {status for status, number in (await desk.inbox_counts()).items() if number} == {"done"}


async def test_two_messages_are_kept_for_mediators_and_the_rest_waits_for_the_resident(wecom: WecomDesk) -> None:
    wecom.kf.writes("wmA", "ciao")
    await wecom.answers()
    for number in range(4):
        await wecom.says("wmA", f"bot {number}")
        await wecom.deliver()
    assert (await wecom.statuses("wmA"))[1:] == ["sent", "sent", "quota-exhausted", "quota-exhausted"]
    assert (await wecom.budget("wmA")).remaining == 2
    for number in range(3):
        await wecom.says("wmA", f"persona {number}", priority=Priority.MEDIATOR)
        await wecom.deliver()
    assert (await wecom.statuses("wmA"))[-3:] == ["sent", "sent", "quota-exhausted"]
    assert len(wecom.kf.sent) == 5
    wecom.kf.writes("wmA", "grazie")
    await wecom.answers()
    assert set((await wecom.statuses("wmA"))[3:]) <= {"sent", "merged"}
    said = "\n".join(wecom.texts("wmA"))
    assert [said.count(text) for text in ("bot 2", "bot 3", "persona 2")] == [1, 1, 1]


async def test_a_greeting_whose_code_came_late_waits_for_the_resident(wecom: WecomDesk, clock: FakeClock) -> None:
    wecom.kf.enters("wmA")
    clock.advance(seconds=25)
    assert await wecom.answers() == 0
    assert await wecom.statuses("wmA") == ["window-closed"]
    wecom.kf.writes("wmA", "menu")
    assert await wecom.answers() == 1
    assert await wecom.statuses("wmA") == ["sent", "merged"]
    assert [message.on_event for message in wecom.kf.sent] == [False]


async def test_a_greeting_that_could_not_be_sent_keeps_its_code_for_a_while(wecom: WecomDesk, clock: FakeClock) -> None:
    wecom.kf.enters("wmA")
    await wecom.rings()
    wecom.kf.fail_next(-1, "system busy")
    assert await wecom.deliver() == 1
    assert (wecom.kf.sent, await wecom.statuses("wmA")) == ([], ["queued"])
    clock.advance(seconds=4)
    assert await wecom.deliver() == 1
    assert [message.on_event for message in wecom.kf.sent] == [True]


async def test_a_failure_that_is_told_later_is_seen_at_the_message_and_believed(wecom: WecomDesk) -> None:
    wecom.kf.reports_later = True
    wecom.kf.writes("wmA", "ciao")
    await wecom.answers()
    wecom.kf.sessions["wmA"].sent = 5
    await wecom.says("wmA", "ancora una cosa")
    await wecom.deliver()
    assert (await wecom.statuses("wmA"))[-1] == "sent"
    await wecom.rings()
    assert (await wecom.budget("wmA")).remaining == 0
    await wecom.desk.turns()
    assert (await wecom.statuses("wmA"))[-1] == "quota-exhausted"
    # What the resident does after it counts again, also where both are fetched at once.
    wecom.kf.event("msg_send_fail", "wmA", fail_msgid="another", fail_type=4)
    wecom.kf.writes("wmA", "ci sono")
    assert await wecom.answers() == 1
    assert (await wecom.statuses("wmA"))[-1] == "sent"


async def test_staff_who_take_a_session_in_wecom_are_left_alone(wecom: WecomDesk) -> None:
    wecom.kf.writes("wmA", "ciao")
    await wecom.answers()
    wecom.kf.sessions["wmA"].state = 3
    await wecom.says("wmA", "da noi")
    await wecom.deliver()
    assert (await wecom.statuses("wmA"))[-1] == "needs-person"
    assert "staff have the session" in ((await wecom.health()).last_error or "")
    # They end it: what comes after waits until the resident writes, and is sent then.
    wecom.kf.sessions["wmA"].state = 4
    await wecom.says("wmA", "dopo")
    await wecom.deliver()
    assert (await wecom.statuses("wmA"))[-1] == "window-closed"
    wecom.kf.writes("wmA", "eccomi")
    await wecom.answers()
    assert "dopo" in "\n".join(wecom.texts("wmA"))


async def test_a_secret_that_is_wrong_delays_messages_and_shows_in_the_health(
    wecom: WecomDesk, clock: FakeClock
) -> None:
    wecom.kf.writes("wmA", "guardia medica")
    await wecom.rings()
    for _ in range(2):
        wecom.kf.fail_next(60020, "not allow to access from your ip")
        await wecom.deliver()
        clock.advance(minutes=3)
    assert (wecom.kf.sent, await wecom.statuses("wmA")) == ([], ["queued"])
    assert "60020" in ((await wecom.health()).last_error or "")
    assert (await wecom.budget("wmA")).remaining == 5, "what was not sent costs nothing"
    assert await wecom.deliver() == 1
    assert (await wecom.statuses("wmA")) == ["sent"]


class DyingAdapter:
    """The adapter of a process that dies while it stores the second thing of a page."""

    def __init__(self, adapter: WecomAdapter) -> None:
        self._adapter = adapter
        self.parsed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def parse(self, payload: Any) -> Any:
        self.parsed += 1
        if self.parsed == 2:
            raise KeyboardInterrupt
        return self._adapter.parse(payload)


async def test_a_crash_between_fetching_and_commit_repeats_the_page_and_stores_nothing_twice(
    wecom: WecomDesk, clock: FakeClock
) -> None:
    for number in range(3):
        wecom.kf.writes("wmA", f"domanda {number}")
    assert await wecom.post(wecom.kf.rings()) == 200
    adapter = wecom.deliveries.adapter
    assert isinstance(adapter, WecomAdapter)
    dying: Any = DyingAdapter(adapter)
    with pytest.raises(KeyboardInterrupt):
        await replace(wecom.pulls, adapter=dying).pull()
    assert sum((await wecom.desk.inbox_counts()).values()) == 0
    assert await wecom.fetch() == 0, "the dead process has the right to fetch, for a while"
    clock.now += LEASE
    clock.advance(seconds=1)
    assert await wecom.fetch() == 1
    assert [sync.get("cursor") for sync in wecom.kf.syncs] == [None, None], "the same page"
    assert (await wecom.desk.inbox_counts())["waiting"] == 3
    await wecom.deliver()
    asked = [message.body["text"] for message in await wecom.transcript("wmA") if message.author.value == "resident"]
    assert asked == ["domanda 0", "domanda 1", "domanda 2"]


async def test_rings_of_another_account_and_forged_ones_wake_nobody(wecom: WecomDesk) -> None:
    await wecom.fetch()
    syncs = len(wecom.kf.syncs)
    assert await wecom.post(wecom.kf.rings(open_kfid="wkOther")) == 200
    forged = wecom.kf.rings()
    assert await wecom.post(replace(forged, query={**forged.query, "nonce": "2"})) == 401
    assert await wecom.fetch() == 0
    assert len(wecom.kf.syncs) == syncs
    assert sum((await wecom.desk.inbox_counts()).values()) == 0


# --- settings ------------------------------------------------------------------------------------


def wecom_settings(url: URL, folder: Path, **others: Any) -> Any:
    whole = {
        "wecom_corp_id": "ww1",
        "wecom_secret": "s",
        "wecom_open_kfid": "wk1",
        "wecom_token": "t",
        "wecom_aes_key": "A" * 43,
    }
    return settings_for(url, folder, **(whole | others))


def test_half_a_set_up_is_told_at_once(server_url: URL, tmp_path: Path) -> None:
    assert wecom_settings(server_url, tmp_path).wecom_menus is False
    for missing in ("wecom_corp_id", "wecom_open_kfid"):
        with pytest.raises(ValidationError, match="SPORTELLO_WECOM_SECRET needs"):
            wecom_settings(server_url, tmp_path, **{missing: ""})
    for missing in ("wecom_secret", "wecom_aes_key"):
        with pytest.raises(ValidationError, match="SPORTELLO_WECOM_TOKEN needs"):
            wecom_settings(server_url, tmp_path, **{missing: ""})
    with pytest.raises(ValidationError, match="AES key"):
        wecom_settings(server_url, tmp_path, wecom_aes_key="too short")


def test_the_settings_tell_who_gets_what_and_hide_the_secrets(server_url: URL, tmp_path: Path) -> None:
    rows = {name: (value, meaning) for name, value, meaning in described(wecom_settings(server_url, tmp_path))}
    assert "Tencent" in rows["SPORTELLO_WECOM_SECRET"][1]
    for name in ("SECRET", "TOKEN", "AES_KEY"):
        assert rows[f"SPORTELLO_WECOM_{name}"][0] == "(set, hidden)"


async def test_without_a_token_there_is_no_route_but_messages_come_all_the_same(
    wecom: WecomDesk, clock: FakeClock
) -> None:
    settings = wecom.desk.program.settings.model_copy(update={"wecom_token": SecretStr("")})
    object.__setattr__(wecom.desk.program, "settings", settings)
    await wecom.fetch()
    async with wecom.desk.browser() as web:
        call = wecom.kf.rings()
        assert (await web.post("/webhooks/wecom", params=dict(call.query), content=call.body)).status_code == 404
    wecom.kf.writes("wmA", "guardia medica")
    clock.advance(minutes=5)
    assert await wecom.fetch() == 1
    assert await wecom.deliver() == 1
    assert "token" not in wecom.kf.syncs[-1]
