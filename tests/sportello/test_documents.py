"""What the documents name is there."""

import re
from pathlib import Path

import pytest

from sportello.app import ROOT

ROOMS = ("bot", "store", "web", "channels", "knowledge", "handoff", "sportello", "alembic", "tests", "bench", "scripts")
FILES = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".js", ".html", ".po"}]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
NAMES = set(re.findall(r"\w+", SOURCE))


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_names_in_code_are_names_in_the_code(document: str) -> None:
    named = re.findall(r"`([^`\n]+)`", (ROOT / document).read_text(encoding="utf-8"))
    files = {word for code in named for word in re.findall(r"(?<![\w*-])[\w/]+\.(?:py|js|html)\b", code)}
    assert files
    assert [word for word in files if not any(f"/{path.as_posix()}".endswith(f"/{word}") for path in FILES)] == []
    # As `Webhooks.receive` and `inbox.take`; single words may be anything, a status or a command of the system.
    dotted = {
        code for code in named if re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", code) and not (ROOT / code).exists()
    }
    assert [code for code in dotted if not NAMES.issuperset(code.split("."))] == []


@pytest.mark.parametrize(
    "document", sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]), ids=lambda path: path.name
)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("http") and not (document.parent / link).exists()] == []
