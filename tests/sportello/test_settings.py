"""Settings that need one another."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from knowledge.served import ServedEmbedder
from sportello.app import ROOT
from sportello.program import embedder
from sportello.settings import Settings, described

SERVER: dict[str, Any] = {
    "embedder": "openai",
    "embedder_url": "http://someone:secret@127.0.0.1:9/v1",
    "embedder_model": "large",
    "embedder_key": SecretStr("secret"),
}


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 80}, "http://[::1]:80"),
        ({"host": "::1", "public_url": "https://sportello.example.it/"}, "https://sportello.example.it"),
    ],
)
def test_the_address_that_is_told_can_be_opened(given: dict[str, Any], address: str) -> None:
    assert Settings(_env_file=None, **given).address == address


def test_the_example_names_every_setting_and_what_the_containers_need() -> None:
    example = set(
        re.findall(r"^#(SPORTELLO_[A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    )
    demanded = set(re.findall(r"\{(SPORTELLO_[A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert demanded
    assert example == {name for name, _, _ in described(Settings(_env_file=None))} | demanded


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"embedder_url": ""}, "embedder_url"),
        ({"embedder_url": "c:/v1"}, "embedder_url"),
        ({"embedder_model": ""}, "embedder_model"),
    ],
)
def test_a_model_server_needs_an_address_and_a_model(changed: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **(SERVER | changed))
    assert [error["loc"] for error in refused.value.errors()] == [(named,)]


async def test_a_model_server_is_used_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, **SERVER)
    made = embedder(settings)
    assert isinstance(made, ServedEmbedder)
    assert made.model.startswith("openai/large/")
    assert not any("secret" in value for _, value, _ in described(settings) if value != "(set, hidden)")
    await made.close()
