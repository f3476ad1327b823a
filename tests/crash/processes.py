"""Real processes of the program, killed and started again."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy.engine import URL

from tests.fakes.telegram_api import TOKEN

SECRET = "crash-secret"
START_SECONDS = 40.0
SENDERS = 3


def free_port() -> int:
    """Give a port that is free now."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@dataclass
class Process:
    """One process, with the arguments to start it again."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        """Start it; it is not ready at once."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "sportello", *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it in the middle of whatever it does, and start it again."""
        assert self.running is not None
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.wait()
        self.kills += 1
        self.start()

    def stop(self) -> None:
        """Ask it to stop, and see that it does."""
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(20)
            except subprocess.TimeoutExpired:
                self.running.kill()
                self.running.wait()


@dataclass
class House:
    """Three receivers and two workers on one database."""

    url: URL
    folder: Path
    api_base: str
    receivers: list[Process] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        common = {
            **os.environ,
            "SPORTELLO_DATABASE_URL": self.url.set(drivername="postgresql").render_as_string(hide_password=False),
            "SPORTELLO_DATA_DIR": str(self.folder),
            "SPORTELLO_SECRET_KEY": "crash",
            "SPORTELLO_TELEGRAM_TOKEN": TOKEN,
            "SPORTELLO_TELEGRAM_SECRET": SECRET,
            "SPORTELLO_TELEGRAM_API_BASE": self.api_base,
            "SPORTELLO_TELEGRAM_RATE": "500",
            "SPORTELLO_EMBEDDER": "none",
            "SPORTELLO_WORKERS": "3",
            "SPORTELLO_SENDERS": str(SENDERS),
        }
        for number in range(3):
            port = free_port()
            self.ports.append(port)
            environment = common | {"SPORTELLO_PORT": str(port)}
            log = self.folder / f"receiver-{number}.log"
            self.receivers.append(Process(("serve", "--no-workers"), environment, log))
        for number in range(2):
            self.workers.append(Process(("work",), common, self.folder / f"worker-{number}.log"))

    @property
    def everybody(self) -> list[Process]:
        return [*self.receivers, *self.workers]

    @property
    def kills(self) -> int:
        return sum(process.kills for process in self.everybody)

    def start(self) -> None:
        """Start everybody and wait until every receiver answers."""
        for process in self.everybody:
            process.start()
        for port in self.ports:
            wait_until_ready(port)

    def stop(self) -> None:
        """Stop everybody."""
        for process in self.everybody:
            if process.running is not None and process.running.poll() is None:
                process.running.terminate()
        for process in self.everybody:
            process.stop()

    def kill_one(self, chance: random.Random) -> None:
        """Kill one of them, whichever it is."""
        chance.choice(self.everybody).kill()


def wait_until_ready(port: int) -> None:
    """Wait for a receiver."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"nobody answers on port {port}")
