"""The limit of open connections. When it is reached, an idle connection is closed for each new one."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Protocol

from tray_app.proxy.server.rare_log import RareLog

log = logging.getLogger(__name__)


class Closable(Protocol):
    """A connection, as far as the limit needs to know it."""

    def abort(self) -> None:
        """Closes the connection at once."""


class ConnectionLimit:
    """Knows all open connections. A busy one has a request that is being answered. All others are quiet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._quiet = OrderedDict[Closable, None]()  # ordered by the last data from the client, the oldest first
        self._busy = set[Closable]()
        self._log = RareLog(log)
        self.unreadable = RareLog(log)
        """The log for requests that are not HTTP. It must not get any of their content."""

    def make_room(self) -> bool:
        """Closes the connection that was quiet the longest if the limit is reached. Returns False if all are busy."""
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
        """Closes the connection that was quiet the longest, if there is a quiet one."""
        if self._quiet:
            quietest, _ = self._quiet.popitem(last=False)
            quietest.abort()

    def note_open(self, connection: Closable) -> None:
        """Adds a new connection."""
        self._quiet[connection] = None

    def note_data(self, connection: Closable) -> bool:
        """Notes that the client has sent data. Returns whether the connection is quiet."""
        is_quiet = connection in self._quiet
        if is_quiet:
            self._quiet.move_to_end(connection)
        return is_quiet

    def note_busy(self, connection: Closable) -> None:
        """Notes that a request of the connection is being answered."""
        if connection in self._quiet:
            del self._quiet[connection]
            self._busy.add(connection)

    def note_answered(self, connection: Closable) -> None:
        """Notes that the request has been answered."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._quiet[connection] = None

    def note_closed(self, connection: Closable) -> None:
        """Removes a connection."""
        self._busy.discard(connection)
        self._quiet.pop(connection, None)
