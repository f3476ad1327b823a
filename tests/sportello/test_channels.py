"""The channels at the desk: how each is, what needs attention, and what the platform still lets a mediator write."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from bot.languages import CODES
from bot.wording import Catalogue
from channels.adapter import Window
from handoff import live
from handoff.channels import Allowance, Channels
from handoff.console import Desk as DeskPages
from sportello.app import shell_of
from sportello.channel_list import desk_channels, transfers
from store import access_tokens, budgets, cursors, health, staff, tickets, traffic
from store.outbox import OutboxStatus
from store.staff import Role
from tests.fakes.whatsapp_api import PHONE_ID
from tests.sportello.desk import COMPILED, Desk
from tests.sportello.test_desk import sign_in
from tests.sportello.whatsapp_phone import Phone, phone_at
from web.identity import SignedIn
from web.messages import _TROUBLES


@pytest.fixture
async def phone(desk: Desk) -> AsyncIterator[Phone]:
    async with phone_at(desk) as phone:
        yield phone


@pytest.fixture
async def browser(phone: Phone) -> AsyncIterator[httpx.AsyncClient]:
    async with phone.desk.browser() as client:
        yield client


def plain(page: str) -> str:
    """Give the text of a page, without marks of direction."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>|[\u2068\u2069]", " ", page)))


def section(page: str, channel: str) -> str:
    return plain(page.split(f'data-channel="{channel}"')[1].split("</section>", maxsplit=1)[0])


async def test_only_who_works_at_the_desk_sees_the_channels(phone: Phone, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/desk/channels")).status_code == 303
    for login, role, status in (("e", Role.EDITOR, 403), ("m", Role.MEDIATOR, 200), ("a", Role.ADMINISTRATOR, 200)):
        await phone.desk.staff(login, role)
        await sign_in(browser, login)
        assert (await browser.get("/desk/channels")).status_code == status


async def test_a_channel_that_is_off_says_what_it_would_transfer_as_the_settings_do(
    phone: Phone, browser: httpx.AsyncClient
) -> None:
    member = await phone.desk.staff("anna", Role.MEDIATOR)
    async with phone.desk.program.database.begin() as connection:
        await staff.set_language(connection, member.id, "en")
    await sign_in(browser, "anna")
    page = (await browser.get("/desk/channels")).text
    for name, _, told in transfers(phone.desk.program.settings):
        assert plain(told).strip() in section(page, name)
    assert " off " in section(page, "telegram")
    assert "Last message" not in section(page, "telegram")
    assert " on " in section(page, "whatsapp")


async def test_what_each_channel_did_last_stands_on_the_page(phone: Phone, browser: httpx.AsyncClient) -> None:
    await phone.write("menu")
    await phone.deliver()
    await phone.write("guardia medica")
    phone.api.garbage_next()
    await phone.deliver()
    await phone.desk.staff("anna", Role.MEDIATOR)
    now = phone.desk.clock()
    async with phone.desk.program.database.begin() as connection:
        await access_tokens.claim(
            connection, channel="whatsapp", account=PHONE_ID, lease_for=timedelta(minutes=1), now=now
        )
        await access_tokens.keep(
            connection,
            channel="whatsapp",
            account=PHONE_ID,
            token="t",
            expires_at=datetime(2026, 11, 23, 17, 45, tzinfo=now.tzinfo),
            now=now,
        )
        await cursors.ring(connection, channel="whatsapp", account=PHONE_ID, token="", now=now)
    await sign_in(browser, "anna")
    shown = section((await browser.get("/desk/channels")).text, "whatsapp")
    for part in (
        "Ultimo messaggio ricevuto lun 23 nov, 10:00",
        "Ultimo messaggio inviato lun 23 nov, 10:00",
        "Ultimo errore lun 23 nov, 10:00 answer not understood",
        "Chiave di accesso rinnovata lun 23 nov, 10:00",
        "Chiave di accesso valida fino a lun 23 nov, 18:45",
        "Ultimo avviso della piattaforma lun 23 nov, 10:00",
        "Chat a cui si può scrivere adesso 1",
        "Non si sa se arrivati 1",
        "Arrivati e non gestiti 0",
        "Nelle ultime 24 ore sono partiti messaggi che non si sa se siano arrivati.",
    ):
        assert part in shown, part
    assert "Ultimo segnale" not in shown, "no phone, no signal"
    assert "senza più messaggi" not in shown, "this platform counts no messages"


async def test_everything_on_its_way_is_counted(phone: Phone) -> None:
    await phone.with_mediator()
    phone.desk.clock.advance(hours=25)
    await phone.reply("Venga domani.")
    async with phone.desk.program.database.read() as connection:
        counts = await traffic.everything(connection, now=phone.desk.clock())
    found = counts["whatsapp", PHONE_ID]
    assert (found.parked, found.queued, found.unknown, found.open_chats) == (1, 0, 0, 0)
    await phone.write("eccomi")
    async with phone.desk.program.database.read() as connection:
        found = (await traffic.everything(connection, now=phone.desk.clock()))["whatsapp", PHONE_ID]
    assert (found.parked, found.queued, found.open_chats, found.spent_chats) == (0, 1, 1, 0)


async def test_the_desk_says_when_a_channel_needs_attention(phone: Phone, browser: httpx.AsyncClient) -> None:
    await phone.desk.staff("anna", Role.MEDIATOR)
    await sign_in(browser, "anna")
    notice = "Un canale ha un problema"
    assert notice not in (await browser.get("/desk")).text
    await phone.write("menu")
    phone.api.fail_next(190, status=401)
    await phone.deliver()
    assert notice not in (await browser.get("/desk")).text, "looked up a moment ago"
    phone.desk.clock.advance(seconds=15)
    page = (await browser.get("/desk")).text
    assert notice in page
    assert "WhatsApp" in page
    assert 'href="/desk/channels"' in page
    assert "190 token refused" in section((await browser.get("/desk/channels")).text, "whatsapp")
    phone.desk.clock.advance(minutes=2)
    await phone.deliver()
    phone.desk.clock.advance(seconds=15)
    assert notice not in (await browser.get("/desk")).text, "it went after all"


async def conversation_page(phone: Phone, browser: httpx.AsyncClient) -> str:
    async with phone.desk.program.database.read() as connection:
        (held,) = await tickets.claimed(connection)
    return plain((await browser.get(f"/desk/tickets/{held.id}")).text)


async def test_the_open_conversation_says_until_when_may_be_written(phone: Phone, browser: httpx.AsyncClient) -> None:
    await phone.with_mediator()
    await sign_in(browser, "ines")
    assert "Puoi scrivere fino a: mar 24 nov, 10:00" in await conversation_page(phone, browser)
    phone.desk.clock.advance(hours=13)
    await sign_in(browser, "ines")
    assert "Puoi scrivere fino a: 10:00" in await conversation_page(phone, browser)
    phone.desk.clock.advance(hours=12)
    await phone.reply("Venga domani.")
    await sign_in(browser, "ines")
    page = await conversation_page(phone, browser)
    assert "L'app adesso non permette di scrivere" in page
    assert "In attesa: parte quando la persona scrive di nuovo" in page


async def test_where_messages_are_counted_the_mediator_sees_how_many_are_left(phone: Phone) -> None:
    counted = replace(phone.adapter.capabilities, after_text=Window(timedelta(hours=4), 5), reserved=2)
    phone.adapter.capabilities = counted
    await phone.with_mediator()
    async with phone.desk.browser() as browser:
        await sign_in(browser, "ines")
        assert "Messaggi rimasti: 3 su 5, fino a: 14:00" in await conversation_page(phone, browser)
        for number in range(3):
            await phone.reply(f"Risposta {number}")
        assert "Non resta nessun messaggio" in await conversation_page(phone, browser)
        await phone.reply("Ancora una")
        assert "(l'app non permette altri messaggi)" in await conversation_page(phone, browser)
        shown = section((await browser.get("/desk/channels")).text, "whatsapp")
        assert "di cui senza più messaggi 1" in shown
        assert "In attesa che la persona scriva 1" in shown


async def test_an_open_page_is_told_when_what_may_be_written_changes(phone: Phone) -> None:
    await phone.with_mediator()
    program = phone.desk.program
    assert phone.member is not None
    channels = Channels(desk_channels(program.settings, program.adapters), program.clock)
    # The stream itself asks for nothing of identity or hub.
    shell, news_hub = shell_of(program, COMPILED), program.hub
    pages = DeskPages(shell, program.database, news_hub, None, channels, program.clock, program.new_id)  # type: ignore[arg-type]
    async with program.database.read() as connection:
        (held,) = await tickets.claimed(connection)
    last = (await phone.transcript())[-1].seq
    news = live._ticket_news(pages, SignedIn(phone.member, "x"), held, last)
    (first,) = await news()
    assert (first.name, "Puoi scrivere fino a" in first.data) == ("allowance", True)
    assert await news() == []
    async with program.database.begin() as connection:
        await budgets.close(connection, await phone.conversation(), now=program.clock())
    (second,) = await news()
    assert "non permette di scrivere" in second.data


async def test_a_channel_without_a_window_says_nothing(phone: Phone) -> None:
    conversation = phone.desk.new_id()
    channels = Channels(desk_channels(phone.desk.program.settings, phone.desk.program.adapters), phone.desk.clock)
    async with phone.desk.program.database.read() as connection:
        assert await channels.allowance(connection, "web", conversation) is None
        assert await channels.allowance(connection, "telegram", conversation) is None
        assert await channels.allowance(connection, "whatsapp", conversation) == Allowance()


@pytest.mark.parametrize("code", CODES)
async def test_page_and_troubles_are_told_in_every_language(phone: Phone, code: str) -> None:
    program = phone.desk.program
    async with program.database.begin() as connection:
        for channel, account in (("whatsapp", PHONE_ID),):
            await health.open_channel(connection, channel=channel, account=account)
            await health.went_wrong(connection, channel=channel, account=account, reason="x", now=program.clock())
        states = await Channels(desk_channels(program.settings, program.adapters), program.clock).states(connection)
    fragment = shell_of(program, COMPILED).fragment
    member = await phone.desk.staff("anna", Role.MEDIATOR)
    page = fragment(
        "desk/channels.html",
        code=code,
        states=states,
        signed_in=SignedIn(member, "x"),
        section="channels",
        here="/desk/channels",
    )
    assert not re.search(r"\b(desk|web)\.[a-z_.]+\b", plain(page)), "every text is there"
    catalogue: Catalogue = program.catalogue
    for status in _TROUBLES:
        assert catalogue.text(f"web.trouble.{status}", code) != f"web.trouble.{status}"
    assert OutboxStatus.MERGED not in _TROUBLES
