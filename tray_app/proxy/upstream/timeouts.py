"""How long the gateway waits, and for what."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. The figures are what Claude Code 2.1.330 bears (measured November 2026)."""

    first_ping_s: float = 10.0
    """A streamed request gets its 200 and a ping after that: the client gives up after 361 s without headers."""
    ping_s: float = 25.0
    """Pings every 10 s keep a client for 600 s only, every 30 s for as long as is needed."""
    retry_budget_s: float = 90.0
    """From the first failure to the last attempt: the client repeats for 3 minutes more by itself."""
    queue_s: float = 240.0
    """For a turn: whoever asks again later is served no worse, and the user learns why."""
    first_pause_s: float = 1.0
    longest_pause_s: float = 16.0
    upload_s: float = 600.0
    """For a request's body: 64 MB come through in that time even from afar, and no client waits longer."""
    idle_s: float = 600.0
    """For a client's next request: longer than clients keep a connection that they do not use."""
    head_s: float = 30.0
    """For all headers of a request, from the first byte on."""
    linger_s: float = 10.0
    """For the rest of a body that is not read any more: a client that is refused in the middle sees why."""
    unread_s: float = 600.0
    """For a client that does not read on; whoever suspends it for longer has to ask again."""
    error_pause_s: float = 2.0
    """Before an answer that broke off is said to have: the client repeats it at once, and three times at the most."""
    error_body_s: float = 5.0
    """For the rest of upstream's error page: what has come by then explains the error well enough."""
    poll_pause_s: float = 2.0
    """Between two looks for the answer to a request that NVIDIA put aside."""

    def backoff(self) -> Backoff:
        return Backoff(self)


TIMEOUTS = Timeouts()


class Backoff:
    """The pauses between the attempts at one request: each twice the last, less a random part, within the budget."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._pause_s = timeouts.first_pause_s
        self._longest_pause_s = timeouts.longest_pause_s
        self._budget_s = timeouts.retry_budget_s
        self._ends_s: float | None = None  # set by the first failure

    def next_pause_s(self, least_s: float = 0.0) -> float | None:
        """None: the budget is spent, or does not last for `least_s`."""
        if self._ends_s is None:
            self._ends_s = time.monotonic() + self._budget_s
        pause_s = max(least_s, self._pause_s * random.uniform(0.5, 1.0))  # several agents must not come back in step
        if time.monotonic() + pause_s > self._ends_s:
            return None
        self._pause_s = min(2 * self._pause_s, self._longest_pause_s)
        return pause_s
