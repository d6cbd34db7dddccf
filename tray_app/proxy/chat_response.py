"""Upstream's 200 answer to a chat request: its body, read in parts or as a whole."""

from __future__ import annotations

import asyncio

import aiohttp

from tray_app.errors import UpstreamFault, UpstreamTimeout
from tray_app.proxy.faults import faults_explained
from tray_app.translate.chunk import MAX_CHUNK_BYTES

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

    @property
    def is_json(self) -> bool:
        """Whether the body is a whole completion by its content type."""
        return "json" in self._response.headers.get("Content-Type", "").partition(";")[0].lower()

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

    async def read_whole(self) -> bytes:
        """The body of an answer that is not streamed.

        Upstream may say nothing for `timeout_s`, blanks included, which some servers send while they think. Once the
        answer has begun it has `timeout_s` again: a server that does not stream has all of it by then.
        """
        body = bytearray()
        size_bytes = 0
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                while part := await self.read_part():
                    size_bytes += len(part)
                    if size_bytes > MAX_CHUNK_BYTES:
                        raise UpstreamFault(
                            f"NVIDIA's answer is larger than {MAX_CHUNK_BYTES // 2**20} MB, which no chat answer is."
                        )
                    if not body and (part := part.lstrip()):
                        deadline.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                    body.extend(part)
        except TimeoutError:
            what = "did not finish its answer within" if body else "sent nothing of an answer for"
            raise UpstreamTimeout(f"NVIDIA {what} {self._timeout_s} s. Please try again.") from None
        return bytes(body)
