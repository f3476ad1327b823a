"""The reader of the whole knowledge base, kept between runs for as long as nothing that it is made of has changed."""

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from knowledge.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
# The entries and signals, and every module that has a part in making a reader of them.
MADE_OF = (
    "bot",
    "knowledge",
    "requirements/run.txt",
    "tests/counted.py",
    "tests/starter.py",
    "tests/knowledge/conftest.py",
)


def kept(folder: Path, make: Callable[[], Reader]) -> Reader:
    """Give what an earlier run made of the same files, in a fortieth of the time; else make it now and keep it."""
    path = folder / f"{_digest()}.pickle"
    if path.exists():
        found: Reader = pickle.loads(path.read_bytes())  # noqa: S301 - an earlier run wrote it
        return found
    made = make()
    for older in folder.glob("*.pickle"):
        older.unlink()
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
    unfinished.rename(path)
    return made


def _digest() -> str:
    hashed = hashlib.sha256(f"{sys.version} {np.__version__}".encode())
    for name in MADE_OF:
        place = ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                read = path.read_bytes()
                hashed.update(f"{path.relative_to(ROOT)} {len(read)} ".encode() + read)
    return hashed.hexdigest()
