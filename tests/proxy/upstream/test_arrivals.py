"""A body is read as it arrives: what is taken wakes nobody, and the rest reaches the task that reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
import pytest

from tray_app.proxy.upstream.arrivals import MAX_TAKEN_BYTES, Arrivals, Take

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
LIMIT_S = 20.0
"""No test waits for so long."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Scene:
    """A response that has begun, with its server's end of the connection."""

    arrivals: Arrivals
    response: aiohttp.ClientResponse
    session: aiohttp.ClientSession
    server: asyncio.StreamWriter
    url: str
    taken: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, data: bytes) -> bool:
        self.taken.append(data)
        self.arrived.set()
        return True

    async def send(self, data: bytes) -> None:
        """Sends an arrival, and waits until it was taken."""
        self.arrived.clear()
        self.server.write(chunk(data))
        await asyncio.wait_for(self.arrived.wait(), LIMIT_S)


@asynccontextmanager
async def begin() -> AsyncIterator[Scene]:
    connections: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(HEAD)
            await connections.put(writer)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, aiohttp.ClientSession() as session:
        response = await session.get(url)
        writer = await connections.get()
        yield Scene(Arrivals(response), response, session, writer, url)
        response.close()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def play(work: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(LIMIT_S), begin() as scene:
            await work(scene)

    asyncio.run(run())


def refuse(_: bytes) -> bool:
    return False


def test_what_is_taken_does_not_wake_the_task_that_reads() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        for data in (b"one", b"two", b"three"):
            await scene.send(data)
            assert not reading.done()
        scene.server.write(END)
        assert await reading == b""
        assert scene.taken == [b"one", b"two", b"three"]

    play(work)


@pytest.mark.parametrize("take", [None, refuse])
def test_what_is_left_is_read(take: Take | None) -> None:
    async def work(scene: Scene) -> None:
        for data in (b"one", b"two"):
            reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, take))
            await asyncio.sleep(0)
            scene.server.write(chunk(data))
            assert await reading == data
        scene.server.write(END)
        assert await scene.arrivals.read(LIMIT_S, take) == b""
        assert await scene.arrivals.read(LIMIT_S, take) == b""

    play(work)


def test_much_at_once_is_left_to_the_task() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        scene.server.write(chunk(b"x" * (MAX_TAKEN_BYTES + 1)))
        assert await reading
        assert not scene.taken

    play(work)


def test_a_large_body_is_read_whole_although_aiohttp_pauses_the_connection() -> None:
    async def work(scene: Scene) -> None:
        body, read = b"0123456789" * 100_000, bytearray()
        scene.server.write(b"".join(chunk(body[at : at + 1000]) for at in range(0, len(body), 1000)) + END)
        while data := await scene.arrivals.read(LIMIT_S, scene.take):
            read.extend(data)
        assert len(read) + sum(map(len, scene.taken)) == len(body)

    play(work)


def test_an_error_of_the_taking_is_raised_by_the_read() -> None:
    async def work(scene: Scene) -> None:
        def fail(_: bytes) -> bool:
            raise ZeroDivisionError

        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, fail))
        await asyncio.sleep(0)
        scene.server.write(chunk(b"one"))
        with pytest.raises(ZeroDivisionError):
            await reading

    play(work)


def test_a_broken_connection_is_an_error_and_what_was_taken_stays() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        await scene.send(b"one")
        scene.server.transport.abort()
        with pytest.raises(aiohttp.ClientError):
            await reading
        assert scene.taken == [b"one"]

    play(work)


def test_silence_is_an_error_also_behind_what_was_taken() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(0.05, scene.take))
        await asyncio.sleep(0)
        await scene.send(b"one")
        with pytest.raises(TimeoutError):
            await reading

    play(work)


def test_the_connection_serves_the_next_request_when_the_body_is_complete() -> None:
    async def work(scene: Scene) -> None:
        connection = scene.response.connection
        assert connection is not None
        assert connection.transport is not None
        transport, protocol = connection.transport, connection.protocol
        assert transport.get_protocol() is scene.arrivals
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        scene.server.write(chunk(b"one") + END)
        assert await reading == b""
        assert scene.taken == [b"one"]
        assert transport.get_protocol() is protocol
        async with scene.session.get(scene.url) as second:
            assert second.connection is not None
            assert second.connection.transport is transport
            scene.server.write(chunk(b"two") + END)
            assert await second.read() == b"two"

    play(work)


def test_a_read_that_is_cancelled_takes_nothing_more() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        await scene.send(b"one")
        reading.cancel()
        await asyncio.wait([reading])
        scene.server.write(chunk(b"two"))
        assert await scene.arrivals.read(LIMIT_S) == b"two"
        assert scene.taken == [b"one"]

    play(work)


def test_the_end_is_noticed_although_aiohttp_reads_on_only_while_bytes_are_taken() -> None:
    async def work(scene: Scene) -> None:
        reading = asyncio.create_task(scene.arrivals.read(LIMIT_S, scene.take))
        await asyncio.sleep(0)
        scene.server.write(chunk(b"x") * 5000 + END)  # aiohttp pauses at so many tiny chunks
        assert await reading == b""
        assert b"".join(scene.taken) == b"x" * 5000

    play(work)
