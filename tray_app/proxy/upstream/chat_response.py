"""The body of upstream's 200 answer to a chat request, read in parts or as a whole."""

from __future__ import annotations

import asyncio

import aiohttp

from tray_app.errors import UpstreamFault, UpstreamTimeout
from tray_app.proxy.upstream.arrivals import MAX_TAKEN_BYTES, Arrivals, Take
from tray_app.proxy.upstream.faults import faults_explained
from tray_app.sentences import say_silent
from tray_app.translate.answer.chunk import MAX_CHUNK_BYTES

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_EVENTS = (b"{", b"[", b'"', b"<", b"null")
"""How JSON and web pages begin. No line of an event stream begins so."""

_PART_BYTES = MAX_TAKEN_BYTES
"""Largest part of an event stream that is handed on. It is translated in less than 7 ms, even the slowest content."""


class ChatResponse:
    """An answer whose headers have arrived. Its reads raise ProxyErrors."""

    def __init__(self, response: aiohttp.ClientResponse, timeout_s: float) -> None:
        """`timeout_s` is the longest silence of upstream."""
        self._response = response
        self._arrivals = Arrivals(response)
        self._timeout_s = timeout_s
        self._read = b""  # the bytes of the last read
        self._place = 0  # the bytes before it have been handed on

    def close(self) -> None:
        """Closes the connection without reading the rest of the body."""
        self._response.close()

    async def read_part(self, take: Take | None = None) -> bytes:
        """Returns the next bytes of the body as soon as there are any that `take` leaves. Returns b"" at its end.

        One read may bring 256 KiB without a wait, so the event loop runs other tasks between the parts.
        """
        if self._place >= len(self._read):
            with faults_explained(self._timeout_s):
                self._read, self._place = await self._arrivals.read(self._timeout_s, take), 0
        elif self._place:
            await asyncio.sleep(0)
        start, self._place = self._place, self._place + _PART_BYTES
        return self._read[start : self._place]

    async def has_events(self) -> bool:
        """Tells from its beginning whether the body is an event stream, since content types are unreliable.

        The next read returns this beginning again.
        """
        start = await self._read_start()
        return bool(start) and not start.startswith(_NO_EVENTS)

    async def read_whole(self) -> bytes:
        """Returns the body of an answer that is not streamed, without leading white space.

        It must be complete within `timeout_s` of its beginning. A server that does not stream has all of it by then.
        """
        body = bytearray()
        if not await self._read_start():
            return b""
        try:
            async with asyncio.timeout(self._timeout_s):
                while part := await self.read_part():
                    body.extend(part)
                    if len(body) > MAX_CHUNK_BYTES:
                        raise _explain_size()
        except TimeoutError:
            raise UpstreamTimeout(
                f"NVIDIA did not finish its answer within {self._timeout_s} s. Please try again."
            ) from None
        return bytes(body)

    async def _read_start(self) -> bytes:
        """Returns the first bytes that are not white space, or b"" at the end. The next read returns them again.

        They must arrive within `timeout_s`. Some servers send white space while the model thinks.
        """
        start, size_bytes = b"", 0
        try:
            async with asyncio.timeout(self._timeout_s):
                while _BYTE_ORDER_MARK.startswith(start) and (part := await self.read_part()):
                    size_bytes += len(part)
                    if size_bytes > MAX_CHUNK_BYTES:
                        raise _explain_size()
                    start = (start + part).lstrip().removeprefix(_BYTE_ORDER_MARK).lstrip()
        except TimeoutError:
            raise UpstreamTimeout(say_silent(self._timeout_s)) from None
        self._read, self._place = start + self._read[self._place :], 0
        return start


def _explain_size() -> UpstreamFault:
    return UpstreamFault(f"NVIDIA's answer is larger than {MAX_CHUNK_BYTES // 2**20} MB, which no chat answer is.")
