"""The number of requests that may start in a minute, from the user's limit and from upstream's refusals.

The code is pure: it gets the time as an argument.

A burst may use a part of the minute's limit. The rest is kept so that the next turn is never far away. With a limit of
40, 25 requests may start at once, and then one every four seconds until those 25 are a minute old.

A refusal (429) teaches a limit: upstream takes as many requests a minute as it took in the last minute. The learned
limit is at least half of the limit before, because a refusal far below a limit is due to upstream's load and not to a
count. If many requests had started just before, upstream refused their burst: then only an eighth of the limit may
start at once. All refusals before the next start are one lesson, because those requests were under way already.

Until a request is served again, one request at a time is tried, after growing pauses. When a series of refusals is
over, its first lesson limits what the later ones have taught.

If upstream took less than an eighth of the user's limit in the last minute, it refuses because it is busy and not
because of a count. Then the learned limit is never lower than that eighth, the pauses grow until a calm time, and the
limit is back soon after requests are served again. If that goes on for minutes, the count is believed all the same.

The figures were chosen with tests/proxy/upstream/pacing_simulation.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from copy import deepcopy
from itertools import islice

WINDOW_S = 61.0
"""Upstream's minute, and a second because one request may take longer to arrive than one that starts a minute later."""

PAUSE_S = 3.0
"""Pause after a refusal. It doubles with each further lesson until a request is served, or until upstream is calm."""

LONGEST_PAUSE_S = 12.0
"""Longest time for which a learned limit holds a request back. Upstream may take more by then."""

RECOVERY_S = 30.0
"""Interval at which the learned limit rises while requests are served, by 1, 2, 4, 8 ... until the next refusal.

If upstream's limit stays low, this costs one refusal a minute. If it was low for a while, all is as before within three
minutes. The size of a burst rises by one at a time, because a burst that is too large costs many refusals.
"""

BUSY_RECOVERY_S = 10.0
"""Interval at which the learned limit doubles while requests are served again after upstream was busy."""

CALM_S = 90.0
"""After so many seconds without a refusal, upstream is no longer busy."""

LONG_TROUBLE_S = 300.0
"""If upstream has refused requests for so long, without a calm time in between, even the lowest count is believed."""

_FEW_SHARE = 0.125
"""Less than this share of the user's limit in a minute is no limit that upstream counts: 5 of 40."""
_BURST_SHARE = 0.625
"""This share of the limit may start at once: 25 of 40."""
_MOST_CUT = 0.5
"""One lesson lowers a limit to this share of it at the lowest."""

_EVEN_SHARE = 0.125
BURST_S = 5.0
"""More than an eighth of the limit within this time is a burst. Evenly spaced requests would take 7.6 s for it."""

_MOST_LOOKS = 50
"""The next start is computed from so many of the minute's starts. If there are more, every second or third is used."""

_MOST_LISTED = 200
"""So many starts are listed at most, the newest. Without a limit there may be thousands in a minute."""


def _find_burst(limit: int) -> int:
    """Returns how many requests may start at once after an idle minute."""
    return max(int(limit * _BURST_SHARE), 1)


class RequestWindow:
    """The starts of the last minute, and their limit. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self.limit = 0
        """The user's limit per minute. 0 means no limit, and then no learned limit applies either."""
        self._starts: deque[float] = deque()  # in the last minute, without refused requests
        self._learned: int | None = None  # the learned limit per minute; None if there is none
        self._learned_burst: int | None = None  # how many requests may start at once; None if nothing was learned
        self._before_lesson: int | None = None  # the limit before the last lesson; None if that was about bursts
        self._started_since_lesson = True
        self._troubled_since_s = float("-inf")  # the first refusal after a calm time
        self._is_busy = False  # if True, the newest refusals were due to upstream's load
        self._before_storm: int | None = None  # the limit before the first lesson since a request was served
        self._pause_s = PAUSE_S  # after the newest lesson; short again as soon as a request is served
        self._last_pause_s = PAUSE_S  # as it was before that
        self._refused_s = float("-inf")
        self._raised_s = float("-inf")
        self._raise = 1

    @property
    def limit_in_force(self) -> int:
        """The user's limit, or the learned limit if that is lower. 0 means no limit."""
        return self.limit if self._learned is None else min(self.limit, self._learned)

    def count_used(self, now_s: float) -> int:
        """Returns how many requests started in the last minute and were not refused."""
        self._forget(now_s)
        return len(self._starts)

    def list_starts(self, now_s: float) -> Sequence[float]:
        """Returns when the requests of the last minute started that were not refused, the oldest first."""
        self._forget(now_s)
        return tuple(islice(self._starts, max(len(self._starts) - _MOST_LISTED, 0), None))

    @property
    def pause_ends_s(self) -> float:
        """When the pause after the newest refusal ends."""
        return self._refused_s + self._pause_s if self.limit else float("-inf")

    def next_start_s(self, now_s: float) -> float:
        """Returns when the next request may start. A time up to `now_s` means at once."""
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

    def foresee_starts(self, now_s: float, count: int) -> list[float]:
        """Returns when the next `count` requests may start if none of them is refused."""
        twin, starts = deepcopy(self), list[float]()
        for _ in range(count):
            now_s = twin.next_start_s(now_s)
            twin.count_start(now_s)
            starts.append(now_s)
        return starts

    def count_start(self, now_s: float) -> None:
        """Counts a request that starts now."""
        self._starts.append(now_s)
        self._started_since_lesson = True

    def take_back(self, start_s: float) -> None:
        """Undoes the `count_start` of that time, because nothing was sent."""
        if start_s in self._starts:
            self._starts.remove(start_s)

    def note_refused(self, now_s: float) -> None:
        """Notes that upstream answered 429."""
        self._forget(now_s)
        if self._started_since_lesson:
            self._begin_lesson(now_s)
        if self._starts:
            self._starts.pop()  # upstream does not count a refused request
        if self._before_lesson is not None:
            few = max(int(self.limit * _FEW_SHARE), 1)
            is_new = now_s - self._troubled_since_s < LONG_TROUBLE_S
            self._is_busy = is_new and (self._is_busy or len(self._starts) < few)
            self._learned = max(len(self._starts), int(self._before_lesson * _MOST_CUT), few if self._is_busy else 1)
        self._refused_s = self._raised_s = now_s
        self._raise = 1

    def note_served(self, now_s: float) -> None:
        """Notes that upstream answered a request, and raises the learned limits when it is time."""
        if self._before_storm is not None and self._learned is not None:
            self._learned = max(self._learned, int(self._before_storm * _MOST_CUT))
        self._before_storm, self._pause_s = None, PAUSE_S
        interval_s = BUSY_RECOVERY_S if self._is_busy else RECOVERY_S
        while now_s - self._raised_s >= interval_s and (self._learned or self._learned_burst):
            self._raised_s += interval_s
            self._rise()

    def _rise(self) -> None:
        if self._learned is not None:
            self._learned += self._learned if self._is_busy else self._raise
            self._raise *= 2
            if self._learned >= self.limit:
                self._learned = None
        if self._learned_burst is not None:
            self._learned_burst += 1
            if self._learned_burst >= _find_burst(self.limit):
                self._learned_burst = None

    def _begin_lesson(self, now_s: float) -> None:
        limit, self._started_since_lesson = self.limit_in_force, False
        if now_s - self._refused_s >= CALM_S:
            self._troubled_since_s, self._is_busy = now_s, False
        few = int(limit * _EVEN_SHARE) + 1
        is_burst = len(self._starts) > few and self._starts[-few - 1] > now_s - BURST_S
        self._before_lesson = None if is_burst else limit
        if is_burst:
            burst = self._learned_burst or limit
            self._learned_burst = max(int(min(burst * _MOST_CUT, limit * _EVEN_SHARE)), 1)
        goes_on = self._before_storm is not None or self._is_busy
        self._pause_s = self._last_pause_s = min(2 * self._last_pause_s, LONGEST_PAUSE_S) if goes_on else PAUSE_S
        if self._before_storm is None:
            self._before_storm = limit

    def _spaced_s(self, limit: int, last_s: float) -> float:
        """Returns when the next request may start so that after it one can start every `spacing_s`."""
        used = len(self._starts)
        burst = min(_find_burst(limit), self._learned_burst or limit)
        spacing_s = WINDOW_S / (limit - burst + 1)
        step = used // _MOST_LOOKS + 1
        ends_s = (start_s + WINDOW_S for start_s in islice(self._starts, 0, None, step))
        rooms = range(limit - used, limit, step)  # how many requests may start before each of these times
        start_s = max((end_s - room * spacing_s for end_s, room in zip(ends_s, rooms, strict=True)), default=last_s)
        return max(self._full_until_s(limit), min(start_s, last_s + spacing_s))

    def _full_until_s(self, limit: int) -> float:
        used = len(self._starts)
        return self._starts[used - limit] + WINDOW_S if used >= limit else float("-inf")

    def _forget(self, now_s: float) -> None:
        while self._starts and self._starts[0] <= now_s - WINDOW_S:
            self._starts.popleft()
