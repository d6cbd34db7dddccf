"""A body is read as it arrives: what is taken wakes nobody, and the rest reaches the task that reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, pairwise

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.bounded import bounded
from tray_app.proxy.upstream.arrivals import MAX_TAKEN_BYTES, Arrivals, Take, read_chunks

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

    async def begin_read(self, take: Take | None, limit_s: float = LIMIT_S) -> asyncio.Task[bytes]:
        """Returns a task that waits for what `take` leaves."""
        reading = asyncio.create_task(self.arrivals.read(limit_s, take))
        await asyncio.sleep(0)
        return reading

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
        reading = await scene.begin_read(scene.take)
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
            reading = await scene.begin_read(take)
            scene.server.write(chunk(data))
            assert await reading == data
        scene.server.write(END)
        assert await scene.arrivals.read(LIMIT_S, take) == b""
        assert await scene.arrivals.read(LIMIT_S, take) == b""

    play(work)


def test_much_at_once_is_left_to_the_task() -> None:
    async def work(scene: Scene) -> None:
        reading = await scene.begin_read(scene.take)
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

        reading = await scene.begin_read(fail)
        scene.server.write(chunk(b"one"))
        with pytest.raises(ZeroDivisionError):
            await reading

    play(work)


def test_a_broken_connection_is_an_error_and_what_was_taken_stays() -> None:
    async def work(scene: Scene) -> None:
        reading = await scene.begin_read(scene.take)
        await scene.send(b"one")
        scene.server.transport.abort()
        with pytest.raises(aiohttp.ClientError):
            await reading
        assert scene.taken == [b"one"]

    play(work)


def test_silence_is_an_error_also_behind_what_was_taken() -> None:
    async def work(scene: Scene) -> None:
        reading = await scene.begin_read(scene.take, 0.05)
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
        reading = await scene.begin_read(scene.take)
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
        reading = await scene.begin_read(scene.take)
        await scene.send(b"one")
        reading.cancel()
        await asyncio.wait([reading])
        scene.server.write(chunk(b"two"))
        assert await scene.arrivals.read(LIMIT_S) == b"two"
        assert scene.taken == [b"one"]

    play(work)


def test_the_end_is_noticed_although_aiohttp_reads_on_only_while_bytes_are_taken() -> None:
    async def work(scene: Scene) -> None:
        reading = await scene.begin_read(scene.take)
        scene.server.write(chunk(b"x") * 5000 + END)  # aiohttp pauses at so many tiny chunks
        assert await reading == b""
        assert b"".join(scene.taken) == b"x" * 5000

    play(work)


# ---- whole chunks, of which aiohttp never learns


def test_whole_chunks_are_read() -> None:
    assert read_chunks(b"3\r\none\r\n") == b"one"
    assert read_chunks(b"3\r\none\r\n00a\r\n0123456789\r\nC\r\n" + b"\r\n" * 7) == b"one0123456789" + b"\r\n" * 6


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0\r\n\r\n",
        b"3\r\none\r\n0\r\n\r\n",
        b"3\r\none",
        b"3\r\none\r\n3\r\ntw",
        b"3\r\nfour\r\n",
        b"3;name=value\r\none\r\n",
        b"-3\r\none\r\n",
        b"0x3\r\none\r\n",
        b" 3\r\none\r\n",
        b"one\r\n",
        b"\r\n3\r\none\r\n",
    ],
)
def test_all_else_is_left_to_aiohttp(data: bytes) -> None:
    assert read_chunks(data) == b""


def test_chunks_that_are_taken_are_not_read_by_aiohttp() -> None:
    async def work(scene: Scene) -> None:
        reading = await scene.begin_read(scene.take)
        for data in (b"one", b"two", b"three"):
            await scene.send(data)
        assert scene.response.content.total_bytes == len(b"one")
        scene.server.write(END)
        assert await reading == b""

    play(work)


@bounded
@given(
    st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=12),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_no_byte_is_lost_or_comes_twice_however_the_chunks_are_cut(
    pieces: list[bytes], places: list[int], answers: list[bool]
) -> None:
    raw = b"".join(map(chunk, pieces)) + END
    ends = sorted({place % len(raw) for place in places} | {len(raw)})
    got: list[bytes] = []

    async def work(scene: Scene) -> None:
        takes = cycle(answers)

        def take(data: bytes) -> bool:
            is_taken = next(takes)
            if is_taken:
                got.append(data)
            return is_taken

        async def read_all() -> None:
            while data := await scene.arrivals.read(LIMIT_S, take):
                got.append(data)

        reading = asyncio.create_task(read_all())
        await asyncio.sleep(0)
        for begin, end in pairwise([0, *ends]):
            scene.arrivals.data_received(raw[begin:end])  # as the transport calls it
            if answers[0]:
                await asyncio.sleep(0)
        await reading

    play(work)
    assert b"".join(got) == b"".join(pieces)
