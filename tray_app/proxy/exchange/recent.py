"""The numbers of the requests of one run of the gateway, and the records of those that ended last, in memory."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass

from tray_app.history.record import RequestRecord

MOST_KEPT = 200
"""So many ended requests are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that has ended."""

    number: int
    record: RequestRecord


class Recent:
    """Numbers the requests for an answer, and keeps those that ended last. Belongs to one event loop."""

    def __init__(self) -> None:
        self.run = secrets.token_hex(6)
        """Tells this gateway from all others, whose requests have the same numbers."""
        self._count = 0
        self._ended: deque[Ended] = deque(maxlen=MOST_KEPT)

    def take_number(self) -> int:
        """Returns the number of a request that begins. The first one is 1."""
        self._count += 1
        return self._count

    def add(self, number: int, record: RequestRecord) -> None:
        """Keeps the record of a request that has ended."""
        self._ended.append(Ended(number, record))

    def since(self, number: int) -> tuple[Ended, ...]:
        """Returns the requests that ended after the one with this number, in the order in which they ended.

        These are all that are kept if the number is 0, or if its request has not ended or is no longer kept.
        """
        later: list[Ended] = []
        for ended in reversed(self._ended):
            if ended.number == number:
                break
            later.append(ended)
        return tuple(reversed(later))
