"""Opens listening sockets. A connection waits in one of them from the moment it is open, until it is accepted."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from typing import Any

from tray_app.settings.settings import Address

_BACKLOG = 1024
"""Connections that the system holds until they are accepted. A client that finds no place tries again after 1 s."""

_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""Errors of binding an IPv6 address on a machine without IPv6."""

HOW_TO_LOOK_UP: dict[str, Any] = {"type": socket.SOCK_STREAM, "flags": socket.AI_PASSIVE}
"""Keywords of `getaddrinfo` for a host to listen on. An empty host must be given as None."""


def reserve(address: Address) -> list[socket.socket]:
    """Returns a listening socket for each address that the host's name stands for. OSError or UnicodeError: it cannot.

    It may wait for the name server, so that the event loop must not call it.
    """
    return open_sockets(socket.getaddrinfo(address.host or None, address.port, **HOW_TO_LOOK_UP), address.host)


def open_sockets(found: Iterable[tuple[Any, ...]], host: str) -> list[socket.socket]:
    """Returns a listening socket for each result of `getaddrinfo`. OSError if one of them cannot be opened."""
    sockets: list[socket.socket] = []
    unusable: OSError | None = None
    for family, _, _, _, socket_address in dict.fromkeys(found):
        try:
            listening = socket.create_server(socket_address, family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno not in _NO_SUCH_FAMILY:
                close_sockets(sockets)
                raise
            unusable = error
        else:
            listening.setblocking(False)
            sockets.append(listening)
    if not sockets:
        raise unusable or OSError(f"{host} stands for no address")
    return sockets


def close_sockets(sockets: Iterable[socket.socket]) -> None:
    """Closes the sockets. Connections that wait in them are reset."""
    for listening in sockets:
        listening.close()
