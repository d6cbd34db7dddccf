"""The time limits of the gateway, and the pauses between attempts."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds. They suit the limits of Claude Code 2.1.330 (measured in November 2026)."""

    first_ping_s: float = 10.0
    """Silence after which a streamed request gets its 200 and a ping. The client waits 361 s for headers."""
    ping_s: float = 25.0
    """Silence between pings. With pings every 10 s a client gives up after 600 s, with pings every 30 s never."""
    retry_budget_s: float = 90.0
    """Time from the first failure to the last attempt. The client itself retries for 3 more minutes."""
    queue_s: float = 240.0
    """Longest wait in the pacing queue. After it the request fails with QueueFull: a retry gets an equally good place,
    and the user sees the reason."""
    first_pause_s: float = 1.0
    """Pause before the second attempt. It doubles with each further attempt."""
    longest_pause_s: float = 16.0
    """The pause between attempts does not grow beyond this."""
    upload_s: float = 600.0
    """Time for a request's body. 64 MB arrive in it even over a slow line, and no client waits longer."""
    idle_s: float = 600.0
    """Time to a client's next request on its connection. Clients close unused connections sooner."""
    head_s: float = 30.0
    """Time for all headers of a request, from their first byte on."""
    linger_s: float = 10.0
    """Time for the rest of a refused body. A client that still sends it would not see the error otherwise."""
    unread_s: float = 600.0
    """Longest time for which a client may read nothing of its answer, for example because it is suspended."""
    error_pause_s: float = 2.0
    """Pause before the error that ends a broken stream. The client retries at once, and three times at most."""
    error_body_s: float = 5.0
    """Time for the body of upstream's error answer. The part that has arrived by then explains the error."""
    poll_pause_s: float = 2.0
    """Pause between two requests for the answer to a request that NVIDIA answered with 202."""

    def backoff(self) -> Backoff:
        """Returns the pauses for a new request."""
        return Backoff(self)


TIMEOUTS = Timeouts()


class Backoff:
    """The pauses between the attempts of one request. Each is twice the last, less a random part of up to a half."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._pause_s = timeouts.first_pause_s
        self._longest_pause_s = timeouts.longest_pause_s
        self._budget_s = timeouts.retry_budget_s
        self._ends_s: float | None = None  # set by the first failure

    def next_pause_s(self, least_s: float = 0.0) -> float | None:
        """Returns the next pause, of `least_s` seconds at least, or None if the budget does not last for it."""
        if self._ends_s is None:
            self._ends_s = time.monotonic() + self._budget_s
        pause_s = max(least_s, self._pause_s * random.uniform(0.5, 1.0))  # noqa: S311 (or agents would retry together)
        if time.monotonic() + pause_s > self._ends_s:
            return None
        self._pause_s = min(2 * self._pause_s, self._longest_pause_s)
        return pause_s
