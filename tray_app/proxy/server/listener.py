"""The listening sockets. New connections are accepted while there is room for them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

from tray_app.errors import TooManyConnections
from tray_app.proxy.server.connection_limit import ConnectionLimit
from tray_app.proxy.server.connections import Connection
from tray_app.proxy.server.error_answers import error_bytes
from tray_app.proxy.server.rare_log import RareLog
from tray_app.proxy.server.sockets import HOW_TO_LOOK_UP, close_sockets, open_sockets
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.settings import Address

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000
"""The most connections at a time. Each takes about 20 KB. Claude Code keeps a few for each session and sub-agent."""

_RESERVED_FILES = 64
"""Open files that are left for the log, the keyring, the name server, the icon and the worker processes."""

_FEWEST_CONNECTIONS = 16
"""The limit is not set lower than this, however few files the process may open."""

_OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_RECOVERY_S = 0.5
"""Pause after a failed accept. It may fail again while no files are free."""


class Listener:
    """Accepts connections for a web server.

    It does not use asyncio's `create_server`, which has no limit, and which retries and logs without a pause when no
    files are free.
    """

    def __init__(self, server: web.Server, most_connections: int, timeouts: Timeouts) -> None:
        self._server = server
        self._limit = ConnectionLimit(most_connections)
        self._timeouts = timeouts
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._log = RareLog(log)

    async def open(self, address: Address, reserved: Sequence[socket.socket] = ()) -> Address:
        """Begins to listen, and returns the address with its real port. Raises OSError or UnicodeError if it cannot.

        `reserved` are sockets that listen on the address already; empty: none do.
        """
        self._sockets = list(reserved) or await _bind(address)
        self._tasks = [asyncio.create_task(self._accept(listening)) for listening in self._sockets]
        return Address(address.host, self._sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Accepts no more connections. Open connections stay open."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        close_sockets(self._sockets)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
            except ConnectionError:  # the client has already left
                continue
            except OSError as error:
                self._log.warn(f"a connection cannot be accepted: {error.strerror or error}")
                if error.errno in _OUT_OF_FILES:
                    self._limit.close_quietest()  # which frees a file
                await asyncio.sleep(_RECOVERY_S)
                continue
            if self._limit.make_room():
                await self._serve(client)
            else:
                _refuse(client)

    async def _serve(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: Connection(self._server, self._limit, self._timeouts), client)
        except Exception as error:  # noqa: BLE001 (a fault in one connection must not end the accepting)
            self._log.warn(f"a connection was lost as it began: {error!r}")
            client.close()


def find_connection_limit() -> int:
    """Returns how many connections this process has files for. Each needs a second file for the way to NVIDIA.

    It first raises the process's limit of open files if the system allows that. On macOS the limit is 256.
    """
    wanted = _RESERVED_FILES + 2 * MOST_CONNECTIONS
    try:
        import resource
    except ImportError:  # on Windows, where sockets do not count as files
        return MOST_CONNECTIONS
    posix: Any = resource  # its types are empty on Windows
    files, hard = posix.getrlimit(posix.RLIMIT_NOFILE)
    if files == posix.RLIM_INFINITY:
        return MOST_CONNECTIONS
    if files < wanted:
        more = wanted if hard == posix.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # a sandbox may forbid it
            posix.setrlimit(posix.RLIMIT_NOFILE, (more, hard))
            files = more
    return min(MOST_CONNECTIONS, max(_FEWEST_CONNECTIONS, (int(files) - _RESERVED_FILES) // 2))


async def _bind(address: Address) -> list[socket.socket]:
    found = await asyncio.get_running_loop().getaddrinfo(address.host or None, address.port, **HOW_TO_LOOK_UP)
    return open_sockets(found, address.host)


def _refuse(client: socket.socket) -> None:
    """Sends an error and closes the connection, without reading the request."""
    busy = TooManyConnections("This gateway has too many connections at the moment. Please try again.", retry_after_s=1)
    with client, suppress(OSError):
        client.send(error_bytes(busy))
        client.shutdown(socket.SHUT_WR)
        client.recv(2**16)  # if bytes stayed unread, the system would discard the answer
