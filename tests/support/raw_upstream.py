"""A server in NVIDIA's place that knows no HTTP: it sends the bytes it is given, and can go on for ever."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.fake_upstream import TIMEOUT_S

_DRIP_S = 0.005
"""Between two drips, in which the client may go."""


class RawUpstream:
    """Answers whatever comes by each connection in the same way, and keeps it until the client goes.

    `start` is sent at once, then `drip` piece by piece. `ends`: the server itself closes the connection after `start`.
    """

    def __init__(self, start: bytes, drip: bytes = b"", *, ends: bool = False) -> None:
        self.received: list[bytes] = []
        """What came by each connection before the answer began."""
        self._start = start
        self._drip = drip
        self._ends = ends
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="raw upstream")]

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat/completions"

    def wait_left(self) -> None:
        """Returns once every connection is closed."""
        for thread in self._threads[1:]:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive(), "the connection was never closed"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        with suppress(OSError):  # on Windows, where the close alone ends the accept
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._threads[0].join(TIMEOUT_S)
        for connection in self._connections:
            with suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)
        self.wait_left()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # the socket is closed
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), name="raw connection"))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(TIMEOUT_S)
            try:
                self.received.append(connection.recv(1_000_000))
                connection.sendall(self._start)
                while not self._ends and not self._has_gone(connection):
                    connection.sendall(self._drip)
            except OSError:  # the client has gone
                return

    def _has_gone(self, connection: socket.socket) -> bool:
        """Whether the client goes within the time between two drips."""
        is_readable, _, _ = select.select([connection], [], [], _DRIP_S)
        return bool(is_readable) and not connection.recv(1_000_000)
