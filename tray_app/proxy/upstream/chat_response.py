"""Upstream's 200 answer to a chat request: its body, read in parts or as a whole."""

from __future__ import annotations

import asyncio

import aiohttp

from tray_app.errors import UpstreamFault, UpstreamTimeout
from tray_app.proxy.upstream.faults import faults_explained
from tray_app.translate.answer.chunk import MAX_CHUNK_BYTES

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_EVENTS = (b"{", b"[", b'"', b"<", b"null")
"""How JSON and web pages begin, and no line of an event stream does."""

_PART_BYTES = 8 * 1024
"""So much of events is decoded and translated in less than 7 ms, also if each is a tag, one character or nothing."""


class ChatResponse:
    """An answer whose headers are there. Only its reads raise, and what they raise is a ProxyError."""

    def __init__(self, response: aiohttp.ClientResponse, timeout_s: float) -> None:
        """`timeout_s`: how long upstream may say nothing of the answer."""
        self._response = response
        self._timeout_s = timeout_s
        self._read = b""  # what the last read brought
        self._place = 0  # up to where it was handed on

    def close(self) -> None:
        """Gives up the rest of the body."""
        self._response.close()

    async def read_part(self) -> bytes:
        """The next bytes of a streamed body, as soon as there are any; none at its end.

        One read may bring 256 KiB, and the next one may not have to wait: others get their turn between the parts.
        """
        await asyncio.sleep(0)
        if self._place >= len(self._read):
            with faults_explained(self._timeout_s):
                self._read, self._place = await self._response.content.readany(), 0
        start, self._place = self._place, self._place + _PART_BYTES
        return self._read[start : self._place]

    async def has_events(self) -> bool:
        """Whether the body is an event stream: by how it begins, since servers call it anything. Takes nothing away."""
        start = await self._read_start()
        return bool(start) and not start.startswith(_NO_EVENTS)

    async def read_whole(self) -> bytes:
        """The body of an answer that is not streamed, without the blanks before it.

        Once the answer has begun it has `timeout_s`: a server that does not stream has all of it by then.
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
        """The first bytes of the rest that are not blank, which the next read brings again; none at the end.

        Upstream may say nothing for `timeout_s`, blanks included, which some servers send while they think.
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
            raise UpstreamTimeout(
                f"NVIDIA sent nothing of an answer for {self._timeout_s} s. Please try again."
            ) from None
        self._read, self._place = start + self._read[self._place :], 0
        return start


def _explain_size() -> UpstreamFault:
    return UpstreamFault(f"NVIDIA's answer is larger than {MAX_CHUNK_BYTES // 2**20} MB, which no chat answer is.")
