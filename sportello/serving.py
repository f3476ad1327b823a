"""Running a process: web, workers or both, under one supervisor that starts and stops everything."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from prometheus_client import start_http_server
from sqlalchemy.engine import URL

from sportello import workers
from sportello.app import create_app
from sportello.program import Program, compose
from sportello.settings import Settings
from sportello.waking import Bell
from sportello.watching import Watch
from sportello.workers import Stop
from store.notify import Topic
from store.retention import Terms
from web.tracing import place

log = structlog.get_logger(__name__)

# What is in hand may be finished; after this it is cancelled, and taken again at the next start.
GRACE_SECONDS: Final = 10.0


class PortTakenError(Exception):
    """The address cannot be listened on; the message is fit to show to an administrator."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Open the socket before anything else starts, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise PortTakenError(f"{host}:{port} {why}; choose another with SPORTELLO_PORT or SPORTELLO_HOST") from error
    return opened


class _Server(uvicorn.Server):
    """Leaves the signals to the supervisor, which stops more than the web, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(
    settings: Settings,
    url: URL,
    *,
    web: bool,
    works: bool,
    ready: Callable[[Program], Awaitable[None]],
) -> None:
    """Run until SIGINT or SIGTERM. `ready` is called when everything runs.

    Raises PortTakenError.
    """
    opened = listening_socket(settings.host, settings.port) if web else None
    program = compose(settings, url, works=works)
    stop = Stop()
    try:
        if settings.metrics_port:
            _serve_metrics(settings, program)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.ask)
        async with _background(program, stop):
            await first_of(program.library.known.wait(), stop.wait())
            if opened is None:
                await ready(program)
                await stop.wait()
            else:
                await _serve(program, opened, stop, ready)
    finally:
        await program.close()


def _serve_metrics(settings: Settings, program: Program) -> None:
    try:
        start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=program.registry)
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        raise PortTakenError(
            f"{where} cannot be used for the metrics: {error.strerror}; set SPORTELLO_METRICS_PORT"
        ) from error


async def first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    """Wait until one of several ends, and drop the others. Raises what any of them raised."""
    tasks = [asyncio.create_task(each) for each in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _serve(
    program: Program, opened: socket.socket, stop: Stop, ready: Callable[[Program], Awaitable[None]]
) -> None:
    config = uvicorn.Config(
        create_app(program),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=program.settings.trusted_proxies,
        timeout_graceful_shutdown=int(GRACE_SECONDS),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[opened]))
    await server.listening.wait()
    await ready(program)
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    # Streams never end by themselves: they are told first, or the server would wait for them.
    program.hub.close()
    server.should_exit = True
    stop.ask()
    await serving
    await asked


@asynccontextmanager
async def _background(program: Program, stop: Stop) -> AsyncIterator[None]:
    """Run everything beside the web; at the end let it finish, then cancel it."""
    tasks, bells = _tasks(program, stop)
    running = [asyncio.create_task(_supervised(name, work, stop), name=name) for name, work in tasks]
    listener = asyncio.create_task(program.listener.run())
    try:
        yield
    finally:
        stop.ask()
        for bell in bells:
            bell.ring_all()
        if running:
            await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in (*running, listener):
            task.cancel()
        await asyncio.gather(*running, listener, return_exceptions=True)


async def _supervised(name: str, work: Callable[[], Coroutine[Any, Any, None]], stop: Stop) -> None:
    """Run a task again where it ends by an error nobody foresaw: one bug must not stop the others' work."""
    while not stop.asked:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the task begins again
            log.error("task_failed", task=name, error=type(error).__name__, at=place(error))  # noqa: TRY400 - no texts
            await stop.wait(1.0)


def _tasks(
    program: Program, stop: Stop
) -> tuple[list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]], list[Bell]]:
    """Name every task of this process, with the bells that wake them."""
    settings, hear = program.settings, program.listener
    knowledge = Bell(1)
    hear.on(Topic.KNOWLEDGE, knowledge.ring)
    tasks: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = [
        # Dropped at the end, like ripening below: making an index takes seconds, in which nobody wants to wait.
        ("knowledge", lambda: first_of(workers.refresh(program.library, knowledge, stop), stop.wait()))
    ]
    bells = [knowledge]
    turns = program.turns
    if turns is None:
        return tasks, bells
    inbox = Bell(settings.workers)
    hear.on(Topic.INBOX, inbox.ring)
    bells.append(inbox)
    tasks += [
        (f"turns-{number}", lambda: workers.take_turns(turns, program.library, inbox, stop))
        for number in range(settings.workers)
    ]
    for deliveries in program.deliveries:
        outbox = Bell(settings.senders)
        hear.on(Topic.OUTBOX, outbox.ring)
        bells.append(outbox)
        tasks += [
            (
                f"{deliveries.adapter.channel}-{number}",
                partial(workers.send, deliveries, outbox, stop, program.clock),
            )
            for number in range(settings.senders)
        ]
    for pulls in program.pulls:
        ringing = Bell(1)
        hear.on(Topic.PULL, ringing.ring)
        bells.append(ringing)
        name = f"{pulls.adapter.channel}-pull"
        tasks.append((name, partial(workers.pull, pulls, ringing, stop, program.clock)))
    terms = Terms(
        chat=timedelta(days=settings.chat_days),
        ticket=timedelta(days=settings.ticket_days),
        keys=timedelta(days=settings.key_days),
    )
    watch = Watch(program.database, [name for name, _ in settings.phones], program.clock, program.counts)
    tasks += [
        # Dropped at the end: embedding goes on for minutes, and begins again where it was.
        ("ripening", lambda: first_of(workers.ripen(program.library, program.clock, stop), stop.wait())),
        ("phones", lambda: workers.watch_phones(watch, stop)),
        ("doubts", lambda: workers.end_doubts(program.database, program.clock, stop)),
        ("clearing", lambda: workers.clear_up(program.database, terms, program.clock, stop)),
    ]
    return tasks, bells
