"""A long group is shown in parts: in the chat, by buttons and by numbers, and on the page."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.topics import LISTED_AT_MOST, SECTIONS, label_of
from bot.wording import Catalogue
from channels.adapter import InboundKind
from knowledge import exchange, loading
from knowledge.entry import Entry
from store import migrations
from store.database import Database
from tests.conftest import START
from tests.sportello.desk import Desk
from tests.starter import starter

# In one language, so that the index is quickly made.
STARTER = [replace(entry, translations={"it": entry.translations["it"]}) for entry in starter()]


@pytest.fixture
async def full(desk: Desk) -> Desk:
    """Give the desk with all starter entries, in Italian."""
    async with desk.program.database.begin() as connection:
        await exchange.import_entries(connection, STARTER, overwrite=False, now=START)
    await desk.program.library.refresh()
    return desk


def of(group: str, section: str | None = None) -> list[Entry]:
    return [entry for entry in STARTER if entry.group == group and section in {None, entry.section}]


async def last(desk: Desk) -> dict[str, Any]:
    await desk.turns()
    return (await desk.transcript())[-1].body


def picks(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(choice["pick"]["verb"], choice["pick"]["argument"]) for choice in body["choices"]]


def named(desk: Desk, text_id: str) -> str:
    catalogue: Catalogue = desk.program.catalogue
    return catalogue.text(text_id, "it")


async def test_sections_then_entries_are_chosen_by_number_and_by_button(full: Desk) -> None:
    await full.write("menu")
    await last(full)
    await full.write("1")
    sections = await last(full)
    expected = [("section", f"services/{section}") for section in SECTIONS["services"]]
    assert picks(sections) == [*expected, ("menu", ""), ("person", "")]
    assert sections["choices"][3]["label"] == named(full, "bot.choice.section.health") == "Salute"
    await full.write("4")
    health = await last(full)
    entries = of("services", "health")
    assert picks(health)[: len(entries)] == [("entry", entry.slug) for entry in entries]
    assert picks(health)[len(entries) :] == [("group", "services"), ("menu", ""), ("person", "")]
    assert [block["text"] for block in health["blocks"]] == ["Salute", "Scegli una domanda."]
    seq = (await full.transcript())[-1].seq
    await full.write("", kind=InboundKind.CHOICE, choice_id=f"{seq}.{len(entries)}")
    assert picks(await last(full)) == picks(sections), "one tap back"


async def test_every_entry_is_in_exactly_one_short_list(full: Desk) -> None:
    listed: list[str] = []
    for place, group in enumerate(SECTIONS, 1):
        await full.write("menu")
        await last(full)
        await full.write(str(place))
        first = await last(full)
        found = [argument for verb, argument in picks(first) if verb == "entry"]
        for number, (verb, _) in enumerate(picks(first), 1):
            if verb != "section":
                continue
            await full.write("menu")
            await last(full)
            await full.write(str(place))
            await last(full)
            await full.write(str(number))
            inside = [argument for verb, argument in picks(await last(full)) if verb == "entry"]
            assert 0 < len(inside) <= LISTED_AT_MOST
            found += inside
        assert sorted(found) == sorted(entry.slug for entry in of(group))
        listed += found
    assert len(listed) == len(set(listed)) == len(STARTER)


async def test_entries_without_a_section_are_listed_as_the_rest(full: Desk) -> None:
    lost = [replace(entry, section="") for entry in STARTER if entry.slug in {"tax-code", "night-doctor"}]
    async with full.program.database.begin() as connection:
        await exchange.import_entries(connection, lost, overwrite=False, now=START)
    await full.program.library.refresh()
    await full.write("menu")
    await last(full)
    await full.write("1")
    sections = await last(full)
    assert sections["choices"][9]["label"] == named(full, label_of(""))
    await full.write("10")
    assert {slug for verb, slug in picks(await last(full)) if verb == "entry"} == {"tax-code", "night-doctor"}
    topics = full.program.library.topics("it")
    assert [section.label for section in topics[0].sections][-1] == "bot.choice.section.other"


async def test_a_group_of_few_entries_is_one_list(desk: Desk) -> None:
    await desk.write("menu")
    await last(desk)
    await desk.write("1")
    assert {verb for verb, _ in picks(await last(desk))} == {"entry", "menu", "person"}
    assert all(not group.sections for group in desk.program.library.topics("it"))


async def test_the_page_shows_the_same_parts(full: Desk) -> None:
    async with full.browser() as browser:
        shown = (await browser.get("/")).text
    assert shown.count("entry:") == len(STARTER)
    parts = re.split(r"<details", shown[shown.index('<section class="topics"') :])
    sizes = [part.count("entry:") for part in parts]
    assert max(sizes) <= LISTED_AT_MOST
    labels = re.findall(r'<details class="section">\s*<summary>([^<]*)</summary>', shown)
    assert labels[:9] == [named(full, f"bot.choice.section.{section}") for section in SECTIONS["services"]]
    assert len(labels) == len(SECTIONS["services"]) + len(SECTIONS["work"])


async def test_the_section_goes_into_the_database_and_comes_back(full: Desk) -> None:
    async with full.program.database.read() as connection:
        knowledge = await loading.load(connection)
    assert {entry.slug: entry.section for entry in knowledge.entries} == {
        entry.slug: entry.section for entry in STARTER
    }


async def test_entries_that_are_there_before_the_migration_get_their_section_with_the_next_import(
    database: Database,
) -> None:
    async with database.begin() as connection:
        await exchange.import_entries(connection, STARTER[:1], overwrite=False, now=START)
    await migrations.downgrade(database, "0002")
    await migrations.upgrade(database)
    async with database.read() as connection:
        assert (await loading.load(connection)).entries[0].section == ""
    async with database.begin() as connection:
        await exchange.import_entries(connection, STARTER[:1], overwrite=False, now=START)
    async with database.read() as connection:
        assert (await loading.load(connection)).entries[0].section == STARTER[0].section
