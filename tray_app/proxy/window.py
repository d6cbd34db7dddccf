"""How many requests one model takes in a minute: the user's limit, and what refusals teach. Pure: times are given.

An eighth of a minute's requests may start in a burst, more only evenly spaced. Where the limit is used up, that loses
nothing, and the next turn is never half a minute away, as it is once a burst has used up the minute; and an upstream
that refuses bursts finds none.

A refusal (429) says that upstream took as many of the last minute's requests as were not refused, and no more: that is
the learned limit. It is no less than half the one before, since a refusal far below a limit tells of upstream's load
and not of a count. All refusals before the next start are one lesson: they answer what was under way already.

The figures were chosen by tests/proxy/pacing_simulation.py.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 61.0
"""Upstream's minute, and a second for requests that are longer on their way than those that follow a minute later."""

PAUSE_S = 3.0
"""No start for so long after a refusal."""

RECOVERY_S = 30.0
"""So often the learned limit rises while requests are served, by 1, 2, 4, 8 ... until the next refusal.

A lower limit that stays costs a refusal a minute; after a low one that passed, all is as before within three minutes.
"""

_BURST_SHARE = 0.125
_MOST_CUT = 0.5


class RequestWindow:
    """The starts of the last minute, and how many there may be. Times in seconds, of a clock that never goes back."""

    def __init__(self) -> None:
        self.limit = 0
        """The user's, per minute; 0 means none, also none that is learned."""
        self._starts: deque[float] = deque()
        self._even_s = float("-inf")  # when the next start is due, were all evenly spaced
        self._refusals: deque[float] = deque()
        self._learned: int | None = None
        self._before_lesson = 0
        self._lesson_s = float("-inf")
        self._pause_ends_s = float("-inf")
        self._raised_s = float("-inf")
        self._raise = 1

    @property
    def limit_in_force(self) -> int:
        """The user's limit, or the learned one where that is lower; 0 means none."""
        return self.limit if self._learned is None else min(self.limit, self._learned)

    def count_used(self, now_s: float) -> int:
        """How many requests started in the last minute."""
        self._forget(now_s)
        return len(self._starts)

    def next_start_s(self, now_s: float) -> float:
        """When the next request may start; a time that is not after `now_s` means at once."""
        used, limit = self.count_used(now_s), self.limit_in_force
        if not limit:
            return now_s
        ahead = max(int(limit * _BURST_SHARE), 1) - 1
        even_s = self._even_s - ahead * WINDOW_S / limit
        free_s = self._starts[used - limit] + WINDOW_S if used >= limit else now_s
        return max(even_s, free_s, self._pause_ends_s)

    def count_start(self, now_s: float) -> None:
        self._starts.append(now_s)
        if limit := self.limit_in_force:
            self._even_s = max(self._even_s, now_s) + WINDOW_S / limit

    def take_back(self, start_s: float) -> None:
        """Undoes the `count_start` of that time: nothing was sent."""
        if start_s in self._starts:
            self._starts.remove(start_s)
            if limit := self.limit_in_force:
                self._even_s -= WINDOW_S / limit

    def note_refused(self, now_s: float) -> None:
        """Upstream answered 429."""
        self._refusals.append(now_s)
        self._forget(now_s)
        if not self._starts or self._starts[-1] > self._lesson_s:
            self._before_lesson, self._lesson_s = self.limit_in_force, now_s
        taken = len(self._starts) - len(self._refusals)
        self._learned = max(taken, int(self._before_lesson * _MOST_CUT), 1)
        self._pause_ends_s = now_s + PAUSE_S
        self._raised_s, self._raise = now_s, 1

    def note_served(self, now_s: float) -> None:
        """Upstream answered a request."""
        while self._learned is not None and now_s - self._raised_s >= RECOVERY_S:
            self._learned += self._raise
            self._raised_s += RECOVERY_S
            self._raise *= 2
            if self._learned >= self.limit:
                self._learned = None

    def _forget(self, now_s: float) -> None:
        for times in (self._starts, self._refusals):
            while times and times[0] <= now_s - WINDOW_S:
                times.popleft()
