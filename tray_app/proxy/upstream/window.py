"""How many requests one model takes in a minute: the user's limit, and what refusals teach. Pure: times are given.

A burst may use what the minute has left, less what keeps the next turn near: with 40 a minute, 25 may start at once,
and after that one can start every four seconds until those 25 are a minute old. How much may start at once follows
from when the starts of the last minute leave it.

A refusal (429) says that upstream took as many of the last minute's requests as were not refused, and no more: that is
the learned limit. It is no less than half the one before, since a refusal far below a limit tells of upstream's load
and not of a count. If many had started just before, it is their burst that was refused, and only an eighth of the
limit may start at once. All refusals before the next start are one lesson: they answer what was under way already.

Until a request is served again, one at a time asks, after pauses that become longer. What a storm of refusals taught
counts no more than its first lesson once it is over.

The figures were chosen by tests/proxy/upstream/pacing_simulation.py.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

WINDOW_S = 61.0
"""Upstream's minute, and a second for requests that are longer on their way than those that follow a minute later."""

PAUSE_S = 3.0
"""No start for so long after a refusal, and twice as long after each lesson that follows before a request is served."""

LONGEST_PAUSE_S = 12.0
"""A learned limit holds the next request back no longer, as upstream may take more by then."""

RECOVERY_S = 30.0
"""So often the learned limit rises while requests are served, by 1, 2, 4, 8 ... until the next refusal.

A lower limit that stays costs a refusal a minute; after a low one that passed, all is as before within three minutes.
Bursts become larger by one at a time, as a burst that is too large costs many refusals.
"""

_BURST_SHARE = 0.625
"""So much of the limit may start at once: 25 of 40."""
_MOST_CUT = 0.5

_EVEN_SHARE = 0.125
BURST_S = 5.0
"""More than an eighth of the limit in so short a time is a burst. Evenly spaced, it would take 7.6 s."""

_MOST_LOOKS = 50
"""So many of the minute's starts are looked at to place the next one; where there are more, every second or third."""


def _find_burst(limit: int) -> int:
    """How many requests may start at once in an idle minute."""
    return max(int(limit * _BURST_SHARE), 1)


class RequestWindow:
    """The starts of the last minute, and how many there may be. Times in seconds, of a clock that never goes back."""

    def __init__(self) -> None:
        self.limit = 0
        """The user's, per minute; 0 means none, also none that is learned."""
        self._starts: deque[float] = deque()  # of the last minute, less those that were refused
        self._learned: int | None = None
        self._learned_burst: int | None = None  # how many may start at once
        self._before_lesson: int | None = None  # the limit; None where the lesson is about bursts
        self._started_since_lesson = True
        self._before_storm: int | None = None  # the limit at the first lesson since a request was served
        self._pause_s = PAUSE_S
        self._refused_s = float("-inf")
        self._raised_s = float("-inf")
        self._raise = 1

    @property
    def limit_in_force(self) -> int:
        """The user's limit, or the learned one where that is lower; 0 means none."""
        return self.limit if self._learned is None else min(self.limit, self._learned)

    def count_used(self, now_s: float) -> int:
        """How many requests started in the last minute and were not refused."""
        self._forget(now_s)
        return len(self._starts)

    def next_start_s(self, now_s: float) -> float:
        """When the next request may start; a time that is not after `now_s` means at once."""
        limit = self.limit_in_force
        if not limit:
            return now_s
        self._forget(now_s)
        last_s = self._starts[-1] if self._starts else float("-inf")
        start_s = max(now_s, self._spaced_s(limit, last_s), self._refused_s + self._pause_s)
        if self._before_storm is not None:
            start_s = max(start_s, last_s + self._pause_s)
        if self._learned is not None:
            start_s = max(start_s, last_s + WINDOW_S / limit)
            start_s = min(start_s, max(last_s, self._refused_s) + LONGEST_PAUSE_S)
        return max(start_s, self._full_until_s(self.limit))

    def count_start(self, now_s: float) -> None:
        self._starts.append(now_s)
        self._started_since_lesson = True

    def take_back(self, start_s: float) -> None:
        """Undoes the `count_start` of that time: nothing was sent."""
        if start_s in self._starts:
            self._starts.remove(start_s)

    def note_refused(self, now_s: float) -> None:
        """Upstream answered 429."""
        self._forget(now_s)
        if self._started_since_lesson:
            self._begin_lesson(now_s)
        if self._starts:
            self._starts.pop()  # upstream does not count it
        if self._before_lesson is not None:
            self._learned = max(len(self._starts), int(self._before_lesson * _MOST_CUT), 1)
        self._refused_s = self._raised_s = now_s
        self._raise = 1

    def note_served(self, now_s: float) -> None:
        """Upstream answered a request."""
        if self._before_storm is not None and self._learned is not None:
            self._learned = max(self._learned, int(self._before_storm * _MOST_CUT))
        self._before_storm, self._pause_s = None, PAUSE_S
        while now_s - self._raised_s >= RECOVERY_S and (self._learned or self._learned_burst):
            self._raised_s += RECOVERY_S
            self._rise()

    def _rise(self) -> None:
        if self._learned is not None:
            self._learned += self._raise
            self._raise *= 2
            if self._learned >= self.limit:
                self._learned = None
        if self._learned_burst is not None:
            self._learned_burst += 1
            if self._learned_burst >= _find_burst(self.limit):
                self._learned_burst = None

    def _begin_lesson(self, now_s: float) -> None:
        limit, self._started_since_lesson = self.limit_in_force, False
        few = int(limit * _EVEN_SHARE) + 1
        is_burst = len(self._starts) > few and self._starts[-few - 1] > now_s - BURST_S
        self._before_lesson = None if is_burst else limit
        if is_burst:
            burst = self._learned_burst or limit
            self._learned_burst = max(int(min(burst * _MOST_CUT, limit * _EVEN_SHARE)), 1)
        if self._before_storm is None:
            self._before_storm = limit
        else:
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _spaced_s(self, limit: int, last_s: float) -> float:
        """When the next may start so that after it one can start every `spacing_s`, as others leave the minute."""
        used = len(self._starts)
        burst = min(_find_burst(limit), self._learned_burst or limit)
        spacing_s = WINDOW_S / (limit - burst + 1)
        step = used // _MOST_LOOKS + 1
        ends_s = (start_s + WINDOW_S for start_s in islice(self._starts, 0, None, step))
        rooms = range(limit - used, limit, step)  # how many may start before each of these times
        start_s = max((end_s - room * spacing_s for end_s, room in zip(ends_s, rooms, strict=True)), default=last_s)
        return max(self._full_until_s(limit), min(start_s, last_s + spacing_s))

    def _full_until_s(self, limit: int) -> float:
        used = len(self._starts)
        return self._starts[used - limit] + WINDOW_S if used >= limit else float("-inf")

    def _forget(self, now_s: float) -> None:
        while self._starts and self._starts[0] <= now_s - WINDOW_S:
            self._starts.popleft()
