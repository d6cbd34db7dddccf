"""The body of a response as it arrives. An arrival can be handled in the turn of the event loop that brought it.

aiohttp's own reads wake a task, so that each event of an answer takes two turns of the loop, and passes all coroutines
of its request. That costs as much as everything else on its way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import aiohttp
from aiohttp import hdrs

Take = Callable[[bytes], bool]
"""Handles bytes at once. Returns False, and does nothing, if it leaves them to the task that reads the body."""

_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,4})\r\n")
"""The size of a chunk of HTTP in bytes. Chunks with more digits, or with extensions, are left to aiohttp."""

MAX_TAKEN_BYTES = 8 * 1024
"""More bytes than these are always left to the task, which handles them in several turns of the loop."""


class Arrivals(asyncio.Protocol):
    """Stands between a connection and aiohttp's protocol for it, until the body of the response is complete."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self._loop = asyncio.get_running_loop()
        self._take: Take | None = None
        self._waiter: asyncio.Future[bytes] | None = None  # of the task that reads; None while it does not wait
        self._has_plain_chunks = (
            response.headers.get(hdrs.TRANSFER_ENCODING, "").lower() == "chunked"
            and hdrs.CONTENT_ENCODING not in response.headers
        )
        self._is_between_chunks = False  # whether what aiohttp has got ends with a chunk; it is not known at first
        self._timeout_s = self._heard_s = 0.0  # the longest silence, and its beginning in the time of the loop
        connection = response.connection  # None if the body is complete
        self._transport = connection.transport if connection is not None else None
        self._protocol = connection.protocol if connection is not None else None
        if self._transport is not None and self._protocol is not None:
            self._transport.set_protocol(self)
            self._protocol.read_timeout = None  # `read` has a limit of its own, without a timer for each arrival

    async def read(self, timeout_s: float, take: Take | None = None) -> bytes:
        """Returns the next bytes that `take` leaves, or b"" at the end of the body.

        Other tasks get a turn in between, even if bytes are there already. TimeoutError if nothing arrives for so many
        seconds, an error of aiohttp if the connection breaks, and any error of `take`.
        """
        if data := self._content.read_nowait():
            await asyncio.sleep(0)
            return data
        if self._content.is_eof():
            return b""
        self._take, self._timeout_s, self._waiter = take, timeout_s, self._loop.create_future()
        self._heard_s = self._loop.time()
        self._timer = self._loop.call_at(self._heard_s + timeout_s, self._end_silence)
        try:
            return await self._waiter or self._content.read_nowait()  # which raises what has broken the body
        finally:
            self._timer.cancel()
            self._waiter = self._take = None

    # ---- called by the transport

    def data_received(self, data: bytes) -> None:
        assert self._protocol is not None
        if self._is_between_chunks and (body := read_chunks(data)) and self._hand_on(body):
            return  # aiohttp never learns of these chunks, because it would take as long to read them as all else takes
        self._protocol.data_received(data)
        self._is_between_chunks = self._has_plain_chunks and data.endswith(b"\r\n")
        self._look()

    def eof_received(self) -> None:
        assert self._protocol is not None
        self._protocol.eof_received()
        self._look()

    def connection_lost(self, exc: BaseException | None) -> None:
        assert self._protocol is not None
        self._protocol.connection_lost(exc)
        self._look()

    def pause_writing(self) -> None:
        assert self._protocol is not None
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        assert self._protocol is not None
        self._protocol.resume_writing()

    # ---- for those methods

    def _hand_on(self, data: bytes) -> bool:
        """Has the bytes taken, or gives them to the task that waits. Returns False if no task waits."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        self._heard_s = self._loop.time()
        try:
            is_taken = self._take is not None and len(data) <= MAX_TAKEN_BYTES and self._take(data)
        except Exception as error:  # noqa: BLE001 (the task that reads raises it)
            waiter.set_exception(error)
        else:
            if not is_taken:
                waiter.set_result(data)
        return True

    def _look(self) -> None:
        """Hands on what aiohttp has read of the body. Leaves the connection when the body is complete."""
        content, waiter = self._content, self._waiter
        self._heard_s = self._loop.time()
        while waiter and not waiter.done() and not content.exception() and (data := content.read_nowait()):
            self._hand_on(data)  # the loop goes on because a read may let aiohttp read more
        is_over = content.is_eof() or content.exception() is not None
        if is_over and self._transport is not None and self._protocol is not None:
            self._transport.set_protocol(self._protocol)  # aiohttp may give the connection to another request
        if is_over and waiter and not waiter.done():
            waiter.set_result(b"")

    def _end_silence(self) -> None:
        """Ends the read if the silence is too long. Otherwise looks again at the moment at which it would be."""
        if self._waiter is None or self._waiter.done():
            return
        ends_s = self._heard_s + self._timeout_s
        if self._loop.time() < ends_s:
            self._timer = self._loop.call_at(ends_s, self._end_silence)
        else:
            self._waiter.set_exception(TimeoutError())


def read_chunks(data: bytes) -> bytes:
    """Returns what whole chunks of HTTP hold; empty if `data` is anything else, or has the end of the body in it."""
    parts, place = [], 0
    while place < len(data):
        head = _CHUNK_HEAD.match(data, place)
        if head is None:
            return b""
        begin = head.end()
        place = begin + int(head[1], 16)
        if place == begin or data[place : place + 2] != b"\r\n":
            return b""
        parts.append(data[begin:place])
        place += 2
    return parts[0] if len(parts) == 1 else b"".join(parts)
