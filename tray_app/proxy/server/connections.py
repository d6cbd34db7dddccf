"""The connections of clients: how many there may be, how long one may stay without a request, what is not HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong

from tray_app.errors import OWN_FAULT, InvalidRequest, ProxyError, RequestTooSlow
from tray_app.proxy.server.error_answers import error_bytes, error_response, make_request_id
from tray_app.proxy.server.guards import Handler
from tray_app.proxy.server.rare_log import RareLog
from tray_app.proxy.upstream.timeouts import Timeouts

log = logging.getLogger(__name__)


class Connections:
    """All open connections. If there is no room for one more, the one that was quiet the longest is closed for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._quiet = OrderedDict[Connection, None]()  # no request of theirs is answered; quiet the longest first
        self._busy = set[Connection]()
        self._log = RareLog(log)
        self.unreadable = RareLog(log)
        """For requests that are not HTTP: nothing of their content may stand in the log."""

    def make_room(self) -> bool:
        """False if there are as many as there may be, and a request of each is being answered."""
        if len(self._quiet) + len(self._busy) < self._most:
            return True
        full = f"the limit of {self._most} open connections is reached"
        if not self._quiet:
            self._log.warn(f"{full}: a new one was refused")
            return False
        self._log.warn(f"{full}: the one that was quiet the longest was closed for a new one")
        self.close_quietest()
        return True

    def close_quietest(self) -> None:
        """Closes the connection that was quiet the longest, if one is quiet."""
        if self._quiet:
            quietest, _ = self._quiet.popitem(last=False)
            quietest.abort()

    def note_open(self, connection: Connection) -> None:
        self._quiet[connection] = None

    def note_data(self, connection: Connection) -> bool:
        """The client has sent something. True if no request of its is being answered."""
        is_quiet = connection in self._quiet
        if is_quiet:
            self._quiet.move_to_end(connection)
        return is_quiet

    def note_busy(self, connection: Connection) -> None:
        if connection in self._quiet:
            del self._quiet[connection]
            self._busy.add(connection)

    def note_answered(self, connection: Connection) -> None:
        if connection in self._busy:
            self._busy.remove(connection)
            self._quiet[connection] = None

    def note_closed(self, connection: Connection) -> None:
        self._busy.discard(connection)
        self._quiet.pop(connection, None)


class Connection(web.RequestHandler):
    """One client's connection. It is closed when the client does not go on with a request, or does not read on."""

    __slots__ = ("_body", "_connections", "_head_timer", "_socket", "_stall_timer", "_timeouts")

    def __init__(self, server: web.Server, connections: Connections, timeouts: Timeouts) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # it takes None for "no log", as AppRunner does
            auto_decompress=False,  # aiohttp would unpack a body in steps of up to 32 MB
            keepalive_timeout=timeouts.idle_s,
            lingering_time=timeouts.linger_s,
        )
        self._connections = connections
        self._timeouts = timeouts
        self._socket: asyncio.Transport | None = None  # aiohttp's own reference is gone before the connection is
        self._body: StreamReader | None = None  # of the last request
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Closes the connection at once, whatever the client has not read yet."""
        if self._socket is not None:
            self._socket.abort()

    @contextmanager
    def answering(self, request: web.Request) -> Iterator[None]:
        """While a request of the client is being answered."""
        self._stop_head_timer()
        self._body = request.content
        self._connections.note_busy(self)
        try:
            yield
        finally:
            self._connections.note_answered(self)

    # ---- called by asyncio and by aiohttp

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._connections.note_open(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._socket = None
        self._connections.note_closed(self)
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data and self._connections.note_data(self) and self._head_timer is None and self._awaits_head():
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
        """The answer to what is not HTTP, and to a fault that no handler has caught."""
        if status == 400:
            self._connections.unreadable.warn(f"a request from {request.remote} cannot be read: {type(exc).__name__}")
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
        """Whether what the client sends now begins a request: it has sent the last one, and read its answer."""
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
    """Why the parser does not take a request; after the first line of its message it quotes the request."""
    if isinstance(error, LineTooLong):
        return "a line of its head is too long"
    first_line = (message or "").partition("\n")[0]
    return first_line.rstrip(":.") or "it is not HTTP"


@web.middleware
async def note_answering(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps the connection from being closed in favour of a new one while its request is answered."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    with connection.answering(request):
        return await handler(request)
