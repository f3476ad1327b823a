"""What takes the tests seconds to make, kept between runs for as long as nothing that it is made of has changed."""

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
# Beside pytest's own cache, of which it is a part: `make clean` takes both away.
FOLDER = ROOT / ".pytest_cache" / "d" / "kept"
# Every module and file that has a part in making what is kept; the starter entries are for the caller to name.
MADE_OF = (
    "bot",
    "knowledge",
    "requirements/run.txt",
    "tests/counted.py",
    "tests/kept.py",
    "tests/starter.py",
    "tests/knowledge/conftest.py",
)
STARTER = ROOT / "knowledge" / "starter"

Made = TypeVar("Made")


def kept(name: str, of: bytes, make: Callable[[], Made]) -> Made:
    """Give what an earlier run made of the same code and of the same `of`; else make it now and keep it."""
    path = FOLDER / f"{name}-{hashlib.sha256(_code() + of).hexdigest()}.pickle"
    if path.exists():
        found: Made = pickle.loads(path.read_bytes())  # noqa: S301 - an earlier run wrote it
        return found
    made = make()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for older in FOLDER.glob(f"{name}-*.pickle"):
        older.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
    unfinished.rename(path)
    return made


def entries_read() -> bytes:
    """Give a digest of the starter entries as they lie in their folder."""
    return _digest(sorted(STARTER.rglob("*.yaml")))


@cache
def _code() -> bytes:
    return f"{sys.version} {np.__version__}".encode() + _digest(_files())


def _files() -> Iterator[Path]:
    for name in MADE_OF:
        place = ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc" and not path.is_relative_to(STARTER):
                yield path


def _digest(paths: Iterator[Path] | list[Path]) -> bytes:
    hashed = hashlib.sha256()
    for path in paths:
        read = path.read_bytes()
        hashed.update(f"{path.relative_to(ROOT)} {len(read)} ".encode() + read)
    return hashed.digest()
