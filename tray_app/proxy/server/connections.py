"""The connections of clients: their time limits, and the answers to requests that are not HTTP."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong

from tray_app.errors import OWN_FAULT, InvalidRequest, ProxyError, RequestTooSlow
from tray_app.proxy.server.connection_limit import ConnectionLimit
from tray_app.proxy.server.error_answers import error_bytes, error_response, make_request_id
from tray_app.proxy.upstream.timeouts import Timeouts

log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One client's connection. It is closed if the client stops sending its request, or stops reading its answer."""

    __slots__ = ("_body", "_head_timer", "_limit", "_socket", "_stall_timer", "_timeouts")

    def __init__(self, server: web.Server, limit: ConnectionLimit, timeouts: Timeouts) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None means no log, as for AppRunner
            auto_decompress=False,  # aiohttp would unpack a body in steps of up to 32 MB
            keepalive_timeout=timeouts.idle_s,
            lingering_time=timeouts.linger_s,
        )
        self._limit = limit
        self._timeouts = timeouts
        self._socket: asyncio.Transport | None = None  # aiohttp drops its own reference before the connection is closed
        self._body: StreamReader | None = None  # the body of the last request; None before the first
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Closes the connection at once, even if the client has not read everything."""
        if self._socket is not None:
            self._socket.abort()

    def begin_answer(self, request: web.Request) -> None:
        """Marks the connection as busy, so that it is not closed for a new one while its request is answered."""
        self._stop_head_timer()
        self._body = request.content
        self._limit.note_busy(self)

    def end_answer(self) -> None:
        """Notes that the request has been answered."""
        self._limit.note_answered(self)

    # ---- called by asyncio and by aiohttp

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast("asyncio.Transport", transport)
        self._limit.note_open(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._socket = None
        self._limit.note_closed(self)
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data and self._limit.note_data(self) and self._head_timer is None and self._awaits_head():
            self._head_timer = asyncio.get_running_loop().call_later(self._timeouts.head_s, self._refuse_slow_head)
        super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = asyncio.get_running_loop().call_later(self._timeouts.unread_s, self.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Returns the answer to a request that is not HTTP, or to an exception that no handler has caught."""
        if status == 400:
            self._limit.unreadable.warn(f"a request from {request.remote} cannot be read: {type(exc).__name__}")
            error: ProxyError = InvalidRequest(f"The request cannot be read: {_reason(exc, message)}.")
        else:
            log.error("a fault of this program while it answered", exc_info=exc)
            error = ProxyError(OWN_FAULT, client_may_retry=False)
        if request.writer.output_size > 0:
            raise ConnectionError("A part of another answer is sent already.")
        response = error_response(error, make_request_id())
        response.force_close()
        return response

    # ---- the time for a request's headers

    def _awaits_head(self) -> bool:
        """Tells whether new data begins a request: the last request has been sent whole, and its answer is read."""
        return (self._body is None or self._body.is_eof()) and not self.writing_paused

    def _refuse_slow_head(self) -> None:
        self._head_timer = None
        if self._socket is not None and not self._socket.is_closing():
            slow = RequestTooSlow(f"The headers of the request did not arrive within {self._timeouts.head_s:.0f} s.")
            self._socket.write(error_bytes(slow))
            self.force_close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


def _reason(error: BaseException | None, message: str | None) -> str:
    """Returns the parser's reason for refusing a request: its first line, since the next lines quote the request."""
    if isinstance(error, LineTooLong):
        return "a line of its head is too long"
    first_line = (message or "").partition("\n")[0]
    return first_line.rstrip(":.") or "it is not HTTP"
