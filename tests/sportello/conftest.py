"""A whole program on a real database, driven turn by turn, without any task in the background."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import URL

from knowledge import exchange, files, record_files
from sportello.program import compose
from store.database import Database
from store.staff import Role, StaffMember
from tests.channels.bridge_peer import SECRET
from tests.conftest import START, FakeClock
from tests.databases import Copies, execute_outside_transaction
from tests.sportello.desk import ENTRIES, Desk, furnish, settings_for, vocabularies
from tests.sportello.wechat_desk import WeChatDesk, wechat_desk
from tests.sportello.wecom_desk import WecomDesk, wecom_desk
from tests.starter import starter


@pytest.fixture(scope="session")
async def furnished(server_url: URL, template: str) -> str:
    """Make a database with a few entries, from which the others are copied."""
    name = "template_furnished"
    async with Database(server_url) as server:
        await execute_outside_transaction(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    records, wrong = record_files.read_records(files.STARTER)
    assert wrong == []
    async with Database(server_url.set(database=name)) as database, database.begin() as connection:
        chosen = [entry for entry in starter() if entry.slug in ENTRIES]
        report = await exchange.import_entries(connection, chosen, overwrite=False, now=START)
        await exchange.import_records(connection, records, report, overwrite=False, now=START)
    return name


@pytest.fixture
async def desk(
    copies: Copies, furnished: str, tmp_path: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[Desk]:
    async with copies.washed(furnished) as url:
        settings = settings_for(url, tmp_path)
        program = compose(settings, url, works=True, clock=clock, new_id=new_id, vocabularies=vocabularies())
        await furnish(program)
        yield Desk(program, clock, new_id)
        await program.close()


@pytest.fixture
async def anna(desk: Desk) -> StaffMember:
    return await desk.staff("anna", Role.MEDIATOR)


@pytest.fixture
async def held(desk: Desk, anna: StaffMember) -> UUID:
    """Let Anna hold a conversation; gives its ticket."""
    for text in ("gli asini volano", "persona"):
        await desk.write(text)
    await desk.turns()
    return await desk.claim(anna)


@pytest.fixture
async def wechat(
    copies: Copies, furnished: str, tmp_path: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[WeChatDesk]:
    async with wechat_desk(copies, furnished, tmp_path, clock, new_id) as made:
        yield made


@pytest.fixture
async def wecom(
    copies: Copies, furnished: str, tmp_path: Path, clock: FakeClock, new_id: Callable[[], UUID]
) -> AsyncIterator[WecomDesk]:
    async with wecom_desk(copies, furnished, tmp_path, clock, new_id) as made:
        yield made


@pytest.fixture
def bridged(desk: Desk, tmp_path: Path) -> Desk:
    settings = settings_for(desk.program.database.url, tmp_path, bridge_secret=SecretStr(SECRET))
    object.__setattr__(desk.program, "settings", settings)
    return desk


@pytest.fixture
async def web(bridged: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with bridged.browser() as client:
        client.headers.clear()
        yield client
