"""Templates compile and have titles; catalogues are complete, alike in all languages, and marked honestly."""

import re
from datetime import timedelta
from pathlib import Path
from string import Formatter
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.actions import Wording
from bot.languages import CODES
from bot.wording import Catalogue, catalogue_files, read_catalogue
from sportello.app import ROOT, TEMPLATES
from web.shell import Shell

SHELL = Shell(
    Catalogue(ZoneInfo("Europe/Rome"), {"operator": "O", "service": "S"}),
    TEMPLATES,
    service={
        "name": "S",
        "operator": "O",
        "contact": "",
        "chat_days": timedelta(days=1),
        "ticket_days": timedelta(days=30),
    },
    new_id=lambda: UUID(int=1),
)


def texts(code: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in catalogue_files(code):
        for message in read_catalogue(path):
            if not message.id:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            assert key not in found, f"{key} stands in two catalogues of {code}"
            assert not message.fuzzy, key
            found[key] = tuple(str(string) for string in strings)
    return found


def names(pattern: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(pattern) if name}


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_there_in_every_language_with_the_same_values(code: str) -> None:
    italian, other = texts("it"), texts(code)
    assert set(other) == set(italian)
    for key, strings in other.items():
        assert all(strings), f"{key} is empty in {code}"
        wanted = {name for string in italian[key] for name in names(string)}
        assert {name for string in strings for name in names(string)} == wanted, key


@pytest.mark.parametrize("code", [code for code in CODES if code not in {"it", "en"}])
def test_machine_drafts_are_marked_as_such(code: str) -> None:
    for path in catalogue_files(code):
        assert path.read_text(encoding="utf-8").startswith("# machine draft: no native speaker has read this"), path


def test_every_text_that_is_asked_for_exists() -> None:
    known = set(texts("it"))
    asked: set[str] = set()
    for folder in ("bot", "channels", "handoff", "knowledge", "sportello", "web"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix == ".html":
                asked |= set(re.findall(r"\bt\(\s*[\"']([a-z_.]+)[\"']\s*[,)]", path.read_text(encoding="utf-8")))
            elif path.suffix == ".py":
                prefix = r"[\"']((?:bot|danger|web|desk|editing|knowledge|relay|resident|sign_in)\.[a-z_.]+)[\"']"
                asked |= set(re.findall(prefix, path.read_text(encoding="utf-8")))
    modules = {name for name in asked if (ROOT / Path(*name.split("."))).with_suffix(".py").exists()}
    assert asked - modules - known == set()


@pytest.mark.parametrize("name", SHELL.names())
def test_every_template_compiles_and_every_page_has_a_title(name: str) -> None:
    environment = SHELL._environment
    environment.get_template(name)
    assert environment.loader is not None
    source = environment.loader.get_source(environment, name)[0]
    if "{% extends" in source and name != "web/desk.html":
        assert "{% block title %}" in source
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", source), "nothing inline"


def test_styles_use_logical_properties_only() -> None:
    physical = re.compile(
        r"(?:margin|padding|border)-(?:left|right)|[\s;{](?:left|right|text-align:\s*(?:left|right))\s*:"
    )
    for path in (ROOT / "web" / "static" / "css").glob("*.css"):
        assert not physical.search(path.read_text(encoding="utf-8")), path.name


def test_plural_forms_follow_the_language() -> None:
    assert SHELL.fragment("web/problem.html", code="it", path="/", message="web.problem.failed").count("<h1>") == 1
    catalogue = SHELL.catalogue
    assert catalogue.text(_counted(1), "it") == "1 risposta"
    assert catalogue.text(_counted(2), "it") == "2 risposte"
    assert catalogue.text(_counted(2), "zh") == "2 个答案"


def _counted(count: int) -> Wording:
    return Wording("editing.count", (), count)


@pytest.mark.parametrize(
    ("code", "span", "told"),
    [
        ("it", timedelta(days=1), "1 giorno"),
        ("it", timedelta(days=30), "30 giorni"),
        ("it", timedelta(hours=12), "12 ore"),
        ("ar", timedelta(days=2), "يومان"),
        ("ro", timedelta(days=30), "30 de zile"),
        ("uk", timedelta(days=30), "30 днів"),
    ],
)
def test_a_time_in_days_has_the_plural_of_its_language(code: str, span: timedelta, told: str) -> None:
    assert SHELL.catalogue.days(span, code) == told


def test_no_field_cuts_what_is_pasted() -> None:
    """With `maxlength` a browser drops the rest without a word, and half of a text would be sent as the whole."""
    templates = [path for folder in TEMPLATES.values() for path in folder.glob("*.html")]
    assert templates
    assert [path.name for path in templates if "maxlength" in path.read_text(encoding="utf-8")] == []


def test_the_public_register_is_told_of_every_language() -> None:
    described = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    assert described["localisation"]["availableLanguages"] == list(CODES)
