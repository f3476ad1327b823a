"""The relay desk by the measure of the one suite for all platforms (tests/channels/test_contract.py).

It is no adapter: an operator's session stands for the signature, a form for the call, a click for the acknowledgement.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.peer import Trouble
from tests.channels.test_contract import EXPECTED
from tests.sportello.desk import Desk
from tests.sportello.relay_desk import answers, marked, opened, operator, pasted, statuses
from tests.sportello.test_desk import field

# What the operator clicks. No platform stands there that could throttle, close a window or answer otherwise.
CLICKS: Final[dict[Trouble, str | None]] = {
    Trouble.NONE: "sent",
    Trouble.REFUSED: "failed",
    # Nobody is at the desk, or nobody says what became of it: it is still to be sent, and the page still shows it.
    Trouble.NO_CONNECTION: None,
}


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with operator(desk, tmp_path) as client:
        yield client


@pytest.mark.parametrize("trouble", CLICKS)
async def test_an_answer_ends_as_it_does_on_every_channel(desk: Desk, web: httpx.AsyncClient, trouble: Trouble) -> None:
    thread = await opened(web)
    await pasted(desk, web, thread, "guardia medica")
    (answer,) = answers((await web.get(thread)).text)
    click = CLICKS[trouble]
    for _ in range(2):
        if click is not None:
            assert (await marked(web, thread, answer, click)).status_code == 202
        assert await statuses(desk) == [EXPECTED[trouble][1].value]
    assert answers((await web.get(thread)).text) == ([answer] if click is None else [])


async def test_forged_oversized_and_unknown_forms_leave_nothing(desk: Desk, web: httpx.AsyncClient) -> None:
    thread = await opened(web)
    page = (await web.get(thread)).text
    good = {"csrf": field(page, "csrf"), "key": "1", "text": "ciao", "kind": "text"}
    wrong = [
        {**good, "csrf": ""},
        {**good, "csrf": good["csrf"][:-1]},
        {name: value for name, value in good.items() if name != "csrf"},
        {**good, "text": "x" * 4001},
        {**good, "text": "x" * 3_000_000},
        {**good, "text": "", "kind": "hologram"},
    ]
    for fields in wrong:
        assert 400 <= (await web.post(f"{thread}/messages", data=fields)).status_code < 500
    async with desk.browser() as stranger:
        refused = await stranger.post(f"{thread}/messages", data=good)
        assert refused.is_redirect or 400 <= refused.status_code < 500
    assert sum((await desk.inbox_counts()).values()) == 0


@settings(max_examples=25)
@given(text=st.text(max_size=60), kind=st.sampled_from(["text", "photo", "voice"]) | st.text(max_size=6))
async def test_whatever_is_pasted_is_stored_once_or_refused(
    desk: Desk, web: httpx.AsyncClient, text: str, kind: str
) -> None:
    thread = await opened(web)
    page = (await web.get(thread)).text
    fields = {"csrf": field(page, "csrf"), "key": field(page, "key"), "text": text, "kind": kind}
    before = sum((await desk.inbox_counts()).values())
    for _ in range(2):
        answer = await web.post(f"{thread}/messages", data=fields, headers={"Accept": "application/json"})
        assert answer.status_code in {202, 409}
        assert sum((await desk.inbox_counts()).values()) - before == (answer.status_code == 202)
    if text.strip() and answer.status_code == 409:
        # Nothing that can be seen is in it.
        assert not any(character.isprintable() and not character.isspace() for character in text)
