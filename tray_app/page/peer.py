"""Finds out whose program is at the other end of a connection on this machine, where the system tells.

On Linux each user can see the words with which a browser was started, and the address of the page with its token is one
of them. Whoever is quick could use it first, so a token is good only for a program of the same user.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
"""The system's tables of connections, by the version of IP. Only Linux has them: see proc(5)."""
_ROOT = 0
"""The administrator, who may read everything anyhow. Forwarders of ports run as this user, such as that of WSL."""

Endpoint = tuple[Any, ...]
"""An address and a port, as `socket` gives them."""


def is_of_another_user(client: Endpoint | None, server: Endpoint | None) -> bool:
    """Tells whether another user's program is at the client's end. False also if the system does not tell."""
    own_user = getattr(os, "geteuid", None)
    if client is None or server is None or own_user is None:  # on Windows, the words of programs are not for all users
        return False
    user = find_user(client, server)
    return user is not None and user not in (_ROOT, own_user())


def find_user(client: Endpoint, server: Endpoint) -> int | None:
    """Returns the number of the user whose program has connected from `client` to `server`, both on this machine.

    None: the system does not tell, or the program is elsewhere.
    """
    address = ipaddress.ip_address(str(client[0]).partition("%")[0])
    ends = [_encode(client), _encode(server)]
    try:
        with _TABLES[address.version].open(encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[1:3] == ends:
                    return int(fields[7])
    except (OSError, ValueError, IndexError):
        pass
    return None


def _encode(end: Endpoint) -> str:
    """Returns an end in the table's form: each 32 bits of the address as the processor's number, and the port."""
    address = ipaddress.ip_address(str(end[0]).partition("%")[0])
    words = [address.packed[at : at + 4] for at in range(0, len(address.packed), 4)]
    return "".join(f"{_as_native(word):08X}" for word in words) + f":{end[1]:04X}"


def _as_native(word: bytes) -> int:
    """Returns 32 bits in the order of the network as the number that this processor sees in them."""
    return socket.ntohl(int.from_bytes(word, "big"))
