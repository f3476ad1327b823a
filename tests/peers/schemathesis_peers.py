"""The phone gateway and the bridge under what Schemathesis makes up from their descriptions, good and bad."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.phone import PhoneDevice
from sportello.app import create_app
from tests.channels.bridge_peer import SECRET
from tests.conftest import FakeClock
from tests.fakes.servers import serving
from tests.peers.conftest import HERE, OthersPython
from tests.sportello import conftest as sportello
from tests.sportello.desk import Desk
from tests.sportello.phone_desk import TOKEN, phone_web

bridged = sportello.bridged
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
# What comes into a form, or over the wire, that is no HTTP: the server says so in the log, and closes.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def tried(others: OthersPython, address: str, *more: str, checks: tuple[str, ...], secret: str = "") -> int:
    """Try what is described, the same at each run; gives with how many requests."""
    said = await others.run(
        "schemathesis.cli",
        "run",
        address,
        *("--checks", ",".join(CHECKS + checks), "--max-examples", "30", "--seed", "1", "--no-color", *more),
        module=True,
        SCHEMATHESIS_HOOKS=str(HERE / "schemathesis_hooks.py"),
        PEERS_SECRET=secret,
    )
    found = re.search(r"([0-9]+) generated, ([0-9]+) passed", said)
    assert found is not None, said
    return int(found[2])


async def test_the_phone_gateway_answers_as_described_whatever_comes(
    others: OthersPython, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody takes turns here, so that waiting for a reply would be in vain.
    monkeypatch.setattr(PhoneDevice, "capabilities", replace(PhoneDevice.capabilities, passive=timedelta()))
    async with phone_web(desk, tmp_path), serving(create_app(desk.program)) as ours:
        # Not whether all that breaks the description is refused: macros write yes and no as they can, also as 0 and 1.
        address, header = f"{ours}/gateways/phone/openapi.json", f"X-Device-Token: {TOKEN}"
        assert await tried(others, address, "--header", header, checks=("ignored_auth",)) > 100
    counts = await desk.inbox_counts()
    assert counts["waiting"] > 0
    assert counts["set-aside"] > 0


async def test_the_bridge_answers_as_described_whatever_comes(
    others: OthersPython, bridged: Desk, clock: FakeClock
) -> None:
    # The machine's time, by which the other side signs.
    clock.now = datetime.now(UTC)
    async with serving(create_app(bridged.program)) as ours:
        address = f"{ours}/bridge/openapi.json"
        checks = ("negative_data_rejection", "positive_data_acceptance", "missing_required_header")
        assert await tried(others, address, checks=checks, secret=SECRET) > 100
    counts = await bridged.inbox_counts()
    assert counts["waiting"] > 0
    assert counts["set-aside"] > 0
