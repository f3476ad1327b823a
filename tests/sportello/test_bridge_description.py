"""The description of the bridge: served where there is one, whole, and readable as a page."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

from bot.events import MediaKind
from tests.channels.bridge_peer import SECRET, message, post
from tests.sportello.desk import Desk, settings_for


async def test_the_description_is_served_only_where_there_is_a_bridge(
    desk: Desk, bridged: Desk, web: httpx.AsyncClient, tmp_path: Path
) -> None:
    described = (await web.get("/bridge/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {"/bridge/messages", "/bridge/outbox", "/bridge/outbox/{outbox_id}/ack"}
    schema = described["paths"]["/bridge/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body = resolved(described, schema["$ref"])
    assert body["required"] == ["id", "thread"]
    needs = {tuple(each["if"]["properties"]["kind"]["enum"]): each["then"]["required"] for each in body["allOf"]}
    assert needs == {("text", "edited"): ["text"], ("choice",): ["choice"], ("media",): ["media_kind"]}
    page = await web.get("/bridge/docs")
    assert page.status_code == 200
    for name in (*body["properties"], "X-Sportello-Signature", "/bridge/outbox/{outbox_id}/ack", "HMAC-SHA256"):
        assert name in page.text, name
    assert SECRET not in page.text + json.dumps(described)
    object.__setattr__(desk.program, "settings", settings_for(bridged.program.database.url, tmp_path))
    async with desk.browser() as without:
        for path in ("/bridge/openapi.json", "/bridge/docs", "/bridge/outbox"):
            assert (await without.get(path)).status_code == 404
        assert (await post(without, message("ciao"))).status_code == 404


def resolved(described: Any, reference: str) -> Any:
    """Follow a reference from the document's root, as any reader of OpenAPI does."""
    start, *steps = reference.split("/")
    assert start == "#", reference
    found = described
    for step in steps:
        found = found[step]
    return found


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [each for value in part.values() for each in references(value)]
    return [each for value in part for each in references(value)] if isinstance(part, list) else []


async def test_every_reference_of_the_description_leads_somewhere(web: httpx.AsyncClient) -> None:
    described = (await web.get("/bridge/openapi.json")).json()
    found = references(described)
    assert {each.rpartition("/")[2] for each in found} >= {"Message", "MediaKind", "Acknowledgement", "Outbox"}
    for each in found:
        assert resolved(described, each), each
    assert "$defs" not in json.dumps(described)


async def test_the_page_names_every_type_and_what_each_choice_can_be(web: httpx.AsyncClient) -> None:
    page = (await web.get("/bridge/docs")).text
    for name in ("text", "choice", "scene", "language", "media_name"):
        assert re.search(rf"<code>{name}</code>: string of at most [0-9]+ characters or null", page), name
    kinds = re.search(r"<code>media_kind</code>: string or null, one of (.*?)\. ", page)
    assert kinds is not None
    assert re.findall(r"<code>(\w+)</code>", kinds[1]) == [kind.value for kind in MediaKind]
    assert "<code>status</code> (required): string, one of <code>done</code>, <code>failed</code>" in page
    # What is inside of a list: a message of the outbox, and a choice of that.
    assert "<code>messages</code> (required): array of object" in page
    for name in ("by_person</code> (required): boolean", "created_at</code> (required): string (date-time)", "label"):
        assert name in page, name
