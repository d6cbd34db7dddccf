"""The queue of the requests to one model, with the window that says when the next of them may start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tray_app.errors import MOST_RETRY_AFTER_S
from tray_app.proxy.upstream.window import RequestWindow


@dataclass(eq=False, slots=True)
class Waiter:
    """A request that waits for its turn. Times are those of the event loop."""

    joined_s: float
    rank: float
    """The waiter with the lowest rank is next. The rank is the time of joining, or later if it gives way to others."""
    turn: asyncio.Future[float]
    """Its result is the time at which the request is counted as started."""
    number: int
    """The number of the request among those of its gateway; 0 for a probe."""


class Line:
    """The window and the queue of one model, with a timer for the next turn while requests wait."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.window = RequestWindow()
        self.queue: list[Waiter] = []
        self.queue_told: tuple[int, int, float] | None = None
        """How many requests waited at NVIDIA for how many places, and when it said so; None: its last refusal because
        of its load did not say it."""
        self._timer: asyncio.TimerHandle | None = None
        self._held_until_s = float("-inf")

    def hold(self, pause_s: float) -> None:
        """Starts no request for `pause_s` seconds, whatever the limit is."""
        self._held_until_s = max(self._held_until_s, loop_time_s() + min(pause_s, MOST_RETRY_AFTER_S))

    def next_start_s(self, now_s: float) -> float:
        """Returns when the next request may start. A time up to `now_s` means at once."""
        return max(self.window.next_start_s(now_s), self._held_until_s)

    def give_turns(self) -> None:
        """Gives the turns that are due, and sets the timer for the next one."""
        now_s = loop_time_s()
        while self.queue and self.next_start_s(now_s) <= now_s:
            turn = self.queue.pop(0).turn
            if not turn.done():  # if it is done, its client has left in the same moment
                self.window.count_start(now_s)
                turn.set_result(now_s)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.queue:
            self._timer = asyncio.get_running_loop().call_at(self.next_start_s(now_s), self.give_turns)

    def leave(self, waiter: Waiter) -> None:
        """Frees the place of a waiter whose client has left, or gives back the turn that it got meanwhile."""
        if waiter in self.queue:
            self.queue.remove(waiter)
        elif not waiter.turn.cancelled():
            self.window.take_back(waiter.turn.result())
        self.give_turns()

    def is_pausing(self, now_s: float) -> bool:
        """Tells whether nothing starts because of a refusal, or because upstream asked for a pause."""
        return max(self._held_until_s, self.window.pause_ends_s) > now_s

    def foresee(self, now_s: float) -> list[tuple[int, float]]:
        """Returns the number of each waiting request, and when it starts if nothing changes, the first one first."""
        first_s = max(now_s, self._held_until_s)
        starts = self.window.foresee_starts(first_s, len(self.queue))
        return [(waiter.number, start_s) for waiter, start_s in zip(self.queue, starts, strict=True)]


def loop_time_s() -> float:
    """Returns the time of the running event loop in seconds."""
    return asyncio.get_running_loop().time()
