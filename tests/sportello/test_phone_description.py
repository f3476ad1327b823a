"""The phone gateway's description: served where there are phones, whole, and the same as the guide for people."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.sportello.desk import Desk, settings_for
from tests.sportello.phone_desk import TOKEN, phone_web
from tests.sportello.test_bridge_description import references, resolved

GUIDE = (Path(__file__).parents[2] / "docs/gateway.md").read_text(encoding="utf-8")
ADDRESS = "/gateways/phone/openapi.json"


@pytest.fixture
async def web(desk: Desk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with phone_web(desk, tmp_path) as client:
        yield client


async def test_it_is_served_only_where_there_are_phones(desk: Desk, web: httpx.AsyncClient, tmp_path: Path) -> None:
    described = (await web.get(ADDRESS)).json()
    assert described["openapi"].startswith("3.1")
    assert TOKEN not in json.dumps(described)
    for reference in references(described):
        assert resolved(described, reference), reference
    # FastAPI's own, which is never what is answered here.
    assert "HTTPValidationError" not in described["components"]["schemas"]
    object.__setattr__(desk.program, "settings", settings_for(desk.program.database.url, tmp_path))
    async with desk.browser() as without:
        assert (await without.get(ADDRESS)).status_code == 404


async def test_the_guide_names_every_address_field_and_answer_of_it(web: httpx.AsyncClient) -> None:
    described = (await web.get(ADDRESS)).json()
    schemas = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert f"`{method.upper()} {path.replace('{outbox_id}', 'ID')}" in GUIDE, path
            for each in operation.get("parameters", []):
                if each["in"] == "query":
                    assert f"`{each['name']}`" in GUIDE, each
            for status in operation["responses"]:
                assert status in GUIDE, (path, status)
    for name in schemas["NotificationQuery"]["properties"]:
        assert f"| `query.{name}` |" in GUIDE, name
    for name in schemas["Told"]["properties"]:
        assert f"| `{name}` |" in GUIDE, name


async def test_what_cannot_be_read_of_an_address_is_answered_in_json_and_quotes_nothing(web: httpx.AsyncClient) -> None:
    headers = {"X-Device-Token": TOKEN, "Accept": "*/*"}
    for path in ("outbox?wait=secret", "outbox?most=99"):
        answer = await web.get(f"/gateways/phone/{path}", headers=headers)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/json"
        assert path.partition("?")[2].partition("=")[0] in answer.json()["problem"]
        assert "secret" not in answer.text


async def test_a_method_that_is_not_there_is_told_which_is(web: httpx.AsyncClient) -> None:
    answer = await web.request("DELETE", "/gateways/phone/heartbeat", headers={"X-Device-Token": TOKEN})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
