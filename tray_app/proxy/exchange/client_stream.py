"""The client's side of a streamed answer.

The 200 is held back until the first content or ping, so that an early failure can still be an HTTP status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import hdrs, web

from tray_app.errors import ProxyError
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.translate.answer.stream import PING_FRAME, error_frame

STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class ClientStream:
    """One streamed response. It is opened by its first content or ping."""

    def __init__(self, request: web.Request, request_id: str, head: bytes, timeouts: Timeouts) -> None:
        self._request = request
        self._request_id = request_id
        self.head = head
        """The `message_start` frame, which is sent when the stream is opened."""
        self._timeouts = timeouts
        self._opening = asyncio.Lock()
        self._written_s = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None  # for the next ping; None before the first time that it is set
        self._pinging: asyncio.Task[None] | None = None  # sends the newest ping; None before the first
        self.response: web.StreamResponse | None = None
        """None until the stream is open."""
        self._takes_chunks = False  # whether the stream is open, and the client speaks HTTP/1.1
        self.has_content = False
        """Tells whether more than the head and pings has been sent to the client."""

    async def write(self, frames: bytes) -> None:
        """Sends frames with content."""
        self.has_content = True
        await self._write(frames)

    @property
    def is_ready(self) -> bool:
        """Tells whether `write_now` may be called: content has been sent before, and the client reads what it gets."""
        connection = self._request.protocol
        return self._takes_chunks and self.has_content and connection.connected and not connection.writing_paused

    def write_now(self, frames: bytes) -> None:
        """Sends more frames with content, in this turn of the event loop. They are one chunk of HTTP."""
        transport = self._request.transport
        assert transport is not None
        self._written_s = time.monotonic()
        transport.write(b"%x\r\n%b\r\n" % (len(frames), frames))

    async def fail(self, error: ProxyError) -> web.StreamResponse | None:
        """Ends an open stream with the error. Returns None, and sends nothing, if the stream is not open."""
        if self.response is None:
            return None
        if self.has_content and error.is_transient:
            await asyncio.sleep(self._timeouts.error_pause_s)
        with suppress(ConnectionError):  # the client may have left as well
            await self.response.write(error_frame(error, self._request_id))
            await self.response.write_eof()
        return self.response

    async def end(self) -> web.StreamResponse:
        """Ends the stream and returns the response."""
        response = await self._open()
        await response.write_eof()
        return response

    @asynccontextmanager
    async def kept_alive(self) -> AsyncIterator[None]:
        """Sends a ping whenever nothing has been sent for long, until the end of the `with`."""
        self._watch()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._pinging is not None:
                self._pinging.cancel()
                with suppress(asyncio.CancelledError):
                    await self._pinging

    def _watch(self) -> None:
        """Sets the timer for the moment at which a ping is due, or sends the ping if it is due."""
        timeout_s = self._timeouts.first_ping_s if self.response is None else self._timeouts.ping_s
        rest_s = self._written_s + timeout_s - time.monotonic()
        if rest_s > 0:
            self._timer = asyncio.get_running_loop().call_later(rest_s, self._watch)
        else:
            self._pinging = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        with suppress(ConnectionError):  # the client has left; its request is being cancelled
            await self._write(PING_FRAME)
            self._watch()

    async def _write(self, frames: bytes) -> None:
        response = self.response or await self._open()
        self._written_s = time.monotonic()
        await response.write(frames)

    async def _open(self) -> web.StreamResponse:
        async with self._opening:  # content and a ping may open the stream at the same time
            if self.response is None:
                response = web.StreamResponse(headers={**STREAM_HEADERS, "request-id": self._request_id})
                await response.prepare(self._request)
                await response.write(self.head)
                self._takes_chunks = response.headers.get(hdrs.TRANSFER_ENCODING) == "chunked"
                self.response = response
        return self.response
