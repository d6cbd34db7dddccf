"""The sockets that listen: new connections are accepted as far as there is room for them."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from contextlib import suppress

from aiohttp import web

from tray_app.errors import TooManyConnections
from tray_app.proxy.server.connections import Connection, Connections
from tray_app.proxy.server.error_answers import error_bytes
from tray_app.proxy.server.rare_log import RareLog
from tray_app.proxy.upstream.timeouts import Timeouts
from tray_app.settings.settings import Address

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 1000
"""Each takes some 20 KB. Claude Code keeps a few for each session and sub-agent."""

_RESERVED_FILES = 64
"""For all that is neither a client's connection nor one to NVIDIA: log, keyring, name server, icon, workers."""

_FEWEST_CONNECTIONS = 16

_BACKLOG = 1024
"""Connections that the system holds until they are accepted. A client that finds no place tries a second later."""

_OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_RECOVERY_S = 0.5
"""After an accept that failed: it may go on failing for as long as files are scarce."""

_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""What binding says of IPv6 on a machine that has none."""


class Listener:
    """Accepts connections for a web server.

    It does so itself, since asyncio's `create_server` knows no limit, and where files run out, tries and logs all the
    time.
    """

    def __init__(self, server: web.Server, most_connections: int, timeouts: Timeouts) -> None:
        self._server = server
        self._connections = Connections(most_connections)
        self._timeouts = timeouts
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._log = RareLog(log)

    async def open(self, address: Address) -> Address:
        """Listens, and returns the address with its real port. OSError or UnicodeError if it cannot."""
        self._sockets = await _bind(address)
        self._tasks = [asyncio.create_task(self._accept(listening)) for listening in self._sockets]
        return Address(address.host, self._sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Accepts no more; connections that are open stay so."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for listening in self._sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
            except ConnectionError:  # the client has left already
                continue
            except OSError as error:
                self._log.warn(f"a connection cannot be accepted: {error.strerror or error}")
                if error.errno in _OUT_OF_FILES:
                    self._connections.close_quietest()  # which gives its file back
                await asyncio.sleep(_RECOVERY_S)
                continue
            if self._connections.make_room():
                await self._serve(client)
            else:
                _refuse(client)

    async def _serve(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: Connection(self._server, self._connections, self._timeouts), client
            )
        except Exception as error:  # one connection that cannot be served must not end the accepting
            self._log.warn(f"a connection was lost as it began: {error!r}")
            client.close()


def find_connection_limit() -> int:
    """How many connections this process has files for, when each may need one to NVIDIA as well.

    It raises the process's own limit first, if that is allowed: macOS gives a program with a window 256 files.
    """
    wanted = _RESERVED_FILES + 2 * MOST_CONNECTIONS
    try:
        import resource
    except ImportError:  # Windows, where sockets are not counted as files
        return MOST_CONNECTIONS
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    if files < wanted:
        more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            files = more
    return min(MOST_CONNECTIONS, max(_FEWEST_CONNECTIONS, (files - _RESERVED_FILES) // 2))


async def _bind(address: Address) -> list[socket.socket]:
    """A listening socket for each address that the host's name stands for."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    unusable: OSError | None = None
    for family, _, _, _, socket_address in dict.fromkeys(found):
        try:
            listening = socket.create_server(socket_address, family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno not in _NO_SUCH_FAMILY:
                _close(sockets)
                raise
            unusable = error
        else:
            listening.setblocking(False)
            sockets.append(listening)
    if not sockets:
        raise unusable or OSError(f"{address.host} stands for no address")
    return sockets


def _close(sockets: list[socket.socket]) -> None:
    for listening in sockets:
        listening.close()


def _refuse(client: socket.socket) -> None:
    """Says why and hangs up, without waiting for what the client wants."""
    busy = TooManyConnections("This gateway has too many connections at the moment. Please try again.", retry_after_s=1)
    with client, suppress(OSError):
        client.send(error_bytes(busy))
        client.shutdown(socket.SHUT_WR)
        client.recv(2**16)  # what stays unread would make the system throw the answer away
