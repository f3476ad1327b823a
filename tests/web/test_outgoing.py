"""What becomes of a connection that is lost as soon as it is made."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.lost import lose_connections
from tests.fakes.servers import LoopbackServer
from web.outgoing import WATCHED


@pytest.fixture
def address() -> Iterator[str]:
    async def answer(_: Request) -> Response:
        return Response("ciao")

    with LoopbackServer(Starlette(routes=[Route("/", answer, methods=["POST"])])) as server:
        yield server.url


@pytest.fixture
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, event_hooks=WATCHED) as client:
        yield client


async def test_without_the_hooks_it_is_an_error_that_no_adapter_knows(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this fails, the libraries have mended it, and `web/outgoing.py` can go."""
    async with httpx.AsyncClient(base_url=address) as client:
        with monkeypatch.context() as patch:
            lose_connections(patch)
            with pytest.raises(AttributeError, match="getpeername"):
                await client.post("/")
        # Here and below: what the server answers now, it heard after the other connection, which it has closed by then.
        assert (await client.post("/")).text == "ciao"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_with_them_it_is_a_connection_that_was_not_made(
    address: str, client: httpx.AsyncClient, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        lose_connections(patch)
        with pytest.raises(httpx.ConnectError):
            await client.post(httpx.URL(address).copy_with(scheme=scheme))
    # The pool is none the worse for it, and a connection in use is not looked at again.
    assert [(await client.post("/")).text for _ in range(2)] == ["ciao", "ciao"]


async def test_lost_within_the_handshake_it_counts_the_same() -> None:
    class Stream:
        closed = False

        def get_extra_info(self, _info: str) -> object:
            return None.getpeername()  # type: ignore[attr-defined]

        async def aclose(self) -> None:
            self.closed = True

    (watch,), request = WATCHED["request"], httpx.Request("POST", "https://127.0.0.1/")
    await watch(request)
    look, stream = request.extensions["trace"], Stream()
    with pytest.raises(httpx.ConnectError):
        await look("connection.start_tls.complete", {"return_value": stream})
    assert stream.closed


async def test_a_fault_of_ours_stays_one(client: httpx.AsyncClient) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"ciao"
        yield None.getpeername()  # type: ignore[attr-defined]

    with pytest.raises(AttributeError):
        await client.post("/", content=content())
    assert (await client.post("/")).text == "ciao"


async def test_a_proxy_of_the_environment_is_still_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with httpx.AsyncClient(event_hooks=WATCHED) as client:
        with monkeypatch.context() as patch:
            lose_connections(patch)
            with pytest.raises(httpx.ConnectError):
                await client.post("http://platform.invalid/")
        assert (await client.post("http://platform.invalid/")).text == "ciao"


async def test_a_server_that_resets_everybody_gives_errors_of_the_network_alone() -> None:
    with _resetting() as address:
        async with httpx.AsyncClient(base_url=address, event_hooks=WATCHED) as client:
            for _ in range(20):
                ended = await asyncio.gather(*(client.post("/") for _ in range(10)), return_exceptions=True)
                assert all(isinstance(error, httpx.NetworkError) for error in ended), ended


@contextmanager
def _resetting() -> Iterator[str]:
    """Serve by a reset as soon as a connection is made."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                if stopping:
                    connection.close()
                    return
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

        stopping: list[bool] = []
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopping.append(True)
            socket.create_connection(server.getsockname()).close()
            thread.join()
