"""The first promise: every message that got its 200 has its effect exactly once, in the order of its conversation."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy.engine import URL

from store.database import Database
from tests.crash.processes import SENDERS, House
from tests.crash.scenario import Findings, Plan, log_of, look, play, prepared
from tests.fakes.servers import LoopbackServer
from tests.fakes.telegram_api import FakeBotApi

PLAN = Plan(conversations=20, messages=500, kills=20, seed=7)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="sportello-crash-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def check(plan: Plan, findings: Findings, kills: int) -> None:
    """Hold the findings against the promise."""
    assert kills >= plan.kills
    assert findings.inbox == {"done": plan.messages}
    assert findings.sequences_without_gaps
    for chat in range(plan.conversations):
        rows = findings.transcripts[str(5000 + chat)]
        assert [text for author, text in rows if author == "resident"] == plan.texts(chat)
        # Each text has one answer, right behind it.
        assert [author for author, _ in rows] == ["resident", "bot"] * len(plan.texts(chat))
    assert sum(findings.outbox.values()) == plan.messages
    for chat, places in findings.sent.items():
        assert places == sorted(set(places)), f"chat {chat}: sent twice or out of order"
    arrived = sum(len(places) for places in findings.sent.values())
    # What was not certainly sent is told as a doubt, never lost in silence: at most what a killed worker had in
    # hand. "sending" are doubts whose lease has not run out yet, "queued" wait behind one of these.
    assert set(findings.outbox) <= {"sent", "unknown", "sending", "queued"}
    sent, doubts = findings.outbox["sent"], findings.outbox["unknown"] + findings.outbox["sending"]
    assert sent <= arrived <= sent + doubts
    assert doubts <= kills * SENDERS
    assert sent >= plan.messages * 0.7


@pytest.mark.crash
async def test_nothing_is_lost_doubled_or_swapped_when_processes_are_killed(database_url: URL, folder: Path) -> None:
    api = FakeBotApi()
    async with Database(database_url) as database:
        await prepared(database)
        with LoopbackServer(api.app()) as server:
            house = House(database_url, folder, server.url)
            house.start()
            try:
                await play(house, PLAN, database)
            except TimeoutError as error:
                raise AssertionError(log_of(folder)) from error
            finally:
                house.stop()
        findings = await look(database, api)
    check(PLAN, findings, house.kills)
