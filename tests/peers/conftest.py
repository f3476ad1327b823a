"""Programs for Node, and for a Python of their own, as the other side; `tests/peers/run` installs what they need."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sportello import conftest as sportello

# The whole program on a real database.
desk = sportello.desk
furnished = sportello.furnished
wechat = sportello.wechat
HERE = Path(__file__).parent
SECONDS = 30.0


async def told(process: asyncio.subprocess.Process, line: Any) -> Any:
    """Give a program a line, and read its answer; both are JSON."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(line).encode() + b"\n")
    async with asyncio.timeout(SECONDS):
        return json.loads(await process.stdout.readline())


class Node:
    """Runs the scripts of this folder."""

    async def _start(self, script: str, *arguments: str) -> asyncio.subprocess.Process:
        node = shutil.which("node")
        assert node is not None
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(node, str(HERE / script), *arguments, stdin=pipe, stdout=pipe)

    async def ask(self, script: str, question: Any, *arguments: str) -> Any:
        """Run a script to its end: JSON in, JSON out."""
        process = await self._start(script, *arguments)
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate(json.dumps(question).encode())
        assert process.returncode == 0, script
        return json.loads(out)

    @asynccontextmanager
    async def talking(self, script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a script that answers line by line, until it is left."""
        process = await self._start(script, *arguments)
        try:
            yield process
        finally:
            process.kill()
            await process.wait()

    @asynccontextmanager
    async def serving(self, script: str, *arguments: str) -> AsyncIterator[str]:
        """Run a script that serves on a port of its own, which it prints first; gives the address."""
        async with self.talking(script, *arguments) as process:
            assert process.stdout is not None
            async with asyncio.timeout(SECONDS):
                port = int(await process.stdout.readline())
            yield f"http://127.0.0.1:{port}"


@pytest.fixture
def node() -> Node:
    if not os.environ.get("NODE_PATH"):
        pytest.exit("NOT RUN: these need packages that tests/peers/run installs", returncode=2)
    return Node()


class OthersPython:
    """Runs programs in an environment that has the libraries of others, and none of ours."""

    def __init__(self, interpreter: Path) -> None:
        self._interpreter = interpreter

    @asynccontextmanager
    async def talking(self, script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a script of this folder that answers line by line, until it is left."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            str(self._interpreter), str(HERE / script), *arguments, stdin=pipe, stdout=pipe, env=self._environment()
        )
        try:
            yield process
        finally:
            process.kill()
            await process.wait()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "NO_PROXY": "*"}

    async def run(self, *arguments: str, module: bool = False, **environment: str) -> str:
        """Run a script of this folder, or a module, to its end; gives what it said."""
        first = ("-m",) if module else (str(HERE / arguments[0]),)
        process = await asyncio.create_subprocess_exec(
            str(self._interpreter),
            *first,
            *arguments[0 if module else 1 :],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # What they write beside them is theirs, and goes with it.
            cwd=self._interpreter.parent,
            env=self._environment() | environment,
        )
        try:
            async with asyncio.timeout(4 * SECONDS):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, said.decode()
        return said.decode()


@pytest.fixture
def others() -> OthersPython:
    interpreter = os.environ.get("PEERS_PYTHON")
    if not interpreter:
        pytest.exit("NOT RUN: these need an environment that tests/peers/run makes", returncode=2)
    return OthersPython(Path(interpreter))
