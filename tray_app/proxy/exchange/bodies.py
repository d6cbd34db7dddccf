"""The bodies of requests. They are read up to a limit, unpacked in steps, and share a limited room in memory."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tray_app.errors import InvalidRequest, Overloaded, RequestTooLarge, RequestTooSlow

MAX_BODY_BYTES = 64 * 1024 * 1024
"""The largest body that is read, after unpacking. Claude Code sends up to 32 MB."""

SMALL_BYTES = 256 * 1024
"""A body up to this size is translated in the event loop, which takes about 4 ms. A worker process gets larger ones."""
SMALL_OBJECTS = 1_000
"""A body with more JSON objects goes to a worker process, too. Each object takes 3 to 12 us, however short it is."""

_MEDIA = b'"base64"'
"""A body with an image or a PDF goes to a worker process whatever its size, because its libraries load slowly."""

ROOM_BYTES = 256 * 1024 * 1024
"""Memory for all large bodies together. Each holds its share from when it is read until its request is answered."""
WAIT_S = 30.0
"""Longest wait of a large request for its room."""

_STEP_BYTES = 64 * 1024
_PACKED_STEP_BYTES = 4 * 1024
_STEPS_AT_ONCE = 8
"""Steps of _STEP_BYTES after which the event loop runs other tasks. They take about 2 ms."""
_UNPACKED = frozenset({"gzip", "x-gzip", "deflate"})


@dataclass(slots=True)
class Body:
    """The body of one request."""

    pieces: list[bytes | bytearray] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, piece: bytes) -> None:
        """Adds the next piece. Short pieces are joined, since a client may send byte by byte."""
        if self.pieces and len(self.pieces[-1]) < _STEP_BYTES:
            self.pieces[-1] += piece
        else:
            self.pieces.append(bytearray(piece))
        self.size_bytes += len(piece)

    def join_small(self) -> bytes | None:
        """Returns the body in one piece if the event loop can translate it within a few milliseconds, else None."""
        if self.size_bytes > SMALL_BYTES:
            return None
        data = b"".join(self.pieces)
        return data if _MEDIA not in data and data.count(b"{") <= SMALL_OBJECTS else None


class BodyReader:
    """Reads the bodies of all requests of a gateway. Belongs to one event loop."""

    def __init__(self, room_bytes: int = ROOM_BYTES, wait_s: float = WAIT_S) -> None:
        self._room = _Room(room_bytes)
        self._wait_s = wait_s

    @asynccontextmanager
    async def read(self, request: web.Request, upload_s: float) -> AsyncIterator[Body]:
        """Reads the body, which must arrive within `upload_s` seconds. A large one has its room until the `with` ends.

        Raises RequestTooLarge, RequestTooSlow, InvalidRequest, or Overloaded if there is no room in time.
        """
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise _too_large()
        body, taken_bytes = Body(), 0
        try:
            try:
                async with asyncio.timeout(upload_s):
                    async for piece in _unpack(request):
                        body.add(piece)
                        if body.size_bytes > MAX_BODY_BYTES:
                            raise _too_large()
                        if body.size_bytes > SMALL_BYTES and not taken_bytes:
                            taken_bytes = await self._take_room(request)
            except TimeoutError:
                raise RequestTooSlow(f"The request did not arrive within {upload_s:.0f} s.") from None
            except (web.RequestPayloadError, zlib.error):
                raise InvalidRequest("The request body cannot be read: it is not encoded as its headers say.") from None
            yield body
        finally:
            self._room.give_back(taken_bytes)

    async def _take_room(self, request: web.Request) -> int:
        """Waits for the room of a large body and returns its size. A body of unknown length gets the largest room."""
        is_known = request.content_length is not None and not _encoding(request)
        size_bytes = request.content_length if is_known and request.content_length else MAX_BODY_BYTES
        try:
            async with asyncio.timeout(self._wait_s):
                await self._room.take(size_bytes)
        except TimeoutError:
            raise Overloaded("This gateway is busy with other large requests. Please try again.") from None
        return size_bytes


class _Room:
    """A number of bytes that requests share. If too few are left, requests wait in the order in which they came."""

    def __init__(self, size_bytes: int) -> None:
        self.left_bytes = size_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size_bytes: int) -> None:
        if not self._waiting and size_bytes <= self.left_bytes:
            self.left_bytes -= size_bytes
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size_bytes, turn))
                self.give_back(0)
            else:  # the turn was given in the same moment
                self.give_back(size_bytes)
            raise

    def give_back(self, size_bytes: int) -> None:
        self.left_bytes += size_bytes
        while self._waiting and self._waiting[0][0] <= self.left_bytes:
            taken_bytes, turn = self._waiting.popleft()
            self.left_bytes -= taken_bytes
            turn.set_result(None)


def _encoding(request: web.Request) -> str:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


async def _unpack(request: web.Request) -> AsyncIterator[bytes]:
    """Yields the body as it arrives, unpacked step by step if it is compressed."""
    encoding = _encoding(request)
    if not encoding:
        async for piece in request.content.iter_any():
            yield piece
        return
    if encoding not in _UNPACKED:
        raise InvalidRequest("The request body cannot be read: its Content-Encoding must be gzip, deflate or none.")
    unpacker = _Unpacker()
    async for packed in request.content.iter_any():
        for number, piece in enumerate(unpacker.feed(packed), 1):
            yield piece
            if number % _STEPS_AT_ONCE == 0:
                await asyncio.sleep(0)
    unpacker.finish()


class _Unpacker:
    """Unpacks gzip, with any number of members, and deflate with a zlib header."""

    def __init__(self) -> None:
        self._zlib = _new_decompressor()

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Yields the unpacked data in steps. Raises zlib.error if the data is malformed."""
        for place in range(0, len(packed), _PACKED_STEP_BYTES):  # in small steps, since zlib copies its leftovers
            rest = packed[place : place + _PACKED_STEP_BYTES]
            while rest:
                if self._zlib.eof:
                    self._zlib = _new_decompressor()
                yield self._zlib.decompress(rest, _STEP_BYTES)
                rest = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail

    def finish(self) -> None:
        """Raises zlib.error if the data is incomplete."""
        if not self._zlib.eof:
            raise zlib.error("the data breaks off")


def _new_decompressor() -> zlib._Decompress:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32 makes zlib detect the format by its header


def _too_large() -> RequestTooLarge:
    return RequestTooLarge(f"The request is larger than {MAX_BODY_BYTES // 2**20} MB.")
