"""Pacing: each model has a queue, in which requests wait so that upstream need not refuse them.

The order is first come, first served. But a background request gives way to other requests that arrive up to a minute
after it. A probe gives way to all others.
"""

from __future__ import annotations

import asyncio
import logging
import math
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tray_app.catalog import Model
from tray_app.errors import MOST_RETRY_AFTER_S, QueueFull
from tray_app.proxy.upstream.window import RequestWindow
from tray_app.status.board import Wait
from tray_app.status.progress import Pace

log = logging.getLogger(__name__)

MAX_WAITING = 64
"""The most requests that wait for one model. Claude Code with many sub-agents runs some dozens at a time."""

GIVE_WAY_S = 60.0
"""A background request gives way to requests that arrive up to this time after it, so it never waits for ever."""


class Urgency(Enum):
    """How urgent a request is. The values are the seconds for which it gives way to requests that come later."""

    TURN = 0.0
    """A user waits for it."""
    BACKGROUND = GIVE_WAY_S
    PROBE = math.inf
    """The gateway itself asks, to find out whether the model answers."""


@dataclass(eq=False, slots=True)
class _Waiter:
    joined_s: float
    rank: float
    """The waiter with the lowest rank is next. The rank is the time of joining, or later if it gives way to others."""
    turn: asyncio.Future[float]
    """Its result is the time at which the request is counted as started."""


class _Line:
    """The window and the queue of one model, with a timer for the next turn while requests wait."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.window = RequestWindow()
        self.queue: list[_Waiter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._held_until_s = float("-inf")

    def hold(self, pause_s: float) -> None:
        """Starts no request for `pause_s` seconds, whatever the limit is."""
        self._held_until_s = max(self._held_until_s, _now_s() + min(pause_s, MOST_RETRY_AFTER_S))

    def next_start_s(self, now_s: float) -> float:
        """Returns when the next request may start. A time up to `now_s` means at once."""
        return max(self.window.next_start_s(now_s), self._held_until_s)

    def give_turns(self) -> None:
        """Gives the turns that are due, and sets the timer for the next one."""
        now_s = _now_s()
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

    def leave(self, waiter: _Waiter) -> None:
        """Frees the place of a waiter whose client has left, or gives back the turn that it got meanwhile."""
        if waiter in self.queue:
            self.queue.remove(waiter)
        elif not waiter.turn.cancelled():
            self.window.take_back(waiter.turn.result())
        self.give_turns()

    def is_pausing(self, now_s: float) -> bool:
        """Tells whether nothing starts because of a refusal, or because upstream asked for a pause."""
        return max(self._held_until_s, self.window.pause_ends_s) > now_s


class Pacer:
    """Holds requests back for as long as their model's limit demands. It belongs to one event loop."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @property
    def waiting_count(self) -> int:
        """How many requests wait for their turn, over all models."""
        return sum(len(line.queue) for line in self._lines.values())

    async def wait_turn(self, model: Model, *, limit: int, urgency: Urgency) -> None:
        """Waits until one request to the model may start, and counts it. `limit` is per minute; 0 means no limit.

        Raises QueueFull at once if too many requests wait already. If the wait is cancelled, nothing is counted. A
        background request that is repeated should wait as a normal one, since it has given way before.
        """
        line, now_s = self._find_line(model), _now_s()
        line.window.limit = limit
        line.give_turns()  # the limit may have changed; whoever still waits after this must wait
        if line.next_start_s(now_s) <= now_s:
            line.window.count_start(now_s)
            return
        if len(line.queue) >= MAX_WAITING:
            raise _explain_full(line)
        waiter = _Waiter(now_s, now_s + urgency.value, asyncio.get_running_loop().create_future())
        insort(line.queue, waiter, key=lambda other: other.rank)
        line.give_turns()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            line.leave(waiter)
            raise

    def note_refused(self, model: Model) -> None:
        """Notes that upstream answered 429."""
        line = self._find_line(model)
        before = line.window.limit_in_force
        line.window.note_refused(_now_s())
        line.give_turns()  # the time of the next turn has changed
        if line.window.limit_in_force != before:
            log.info("%s takes %d requests a minute for the time being", model.id, line.window.limit_in_force)

    def hold(self, model: Model, pause_s: float) -> None:
        """Notes that upstream asks for a pause. It is limited to the time that clients wait before they ask again."""
        self._find_line(model).hold(pause_s)

    def note_served(self, model: Model) -> None:
        """Notes that upstream answered a request."""
        line = self._find_line(model)
        line.window.note_served(_now_s())
        line.give_turns()

    def describe_wait(self, model_id: str, label: str, waiting: int, longest_s: int) -> Wait:
        """Returns what `waiting` requests to the model wait for. `longest_s` is for how long the first has waited."""
        line, now_s = self._lines.get(model_id) or _Line(label), _now_s()
        return Wait(
            label,
            waiting,
            longest_s,
            used=line.window.count_used(now_s),
            limit=line.window.limit_in_force,
            next_s=max(math.ceil(line.next_start_s(now_s) - now_s), 0),
            is_pause=line.is_pausing(now_s),
        )

    def describe_paces(self, find_unix_time: Callable[[float], int]) -> tuple[Pace, ...]:
        """Returns the requests of the last minute to each model. `find_unix_time` is for times of the event loop."""
        now_s = _now_s()
        return tuple(
            Pace(line.label, line.window.limit_in_force, tuple(map(find_unix_time, starts)))
            for line in self._lines.values()
            if (starts := line.window.list_starts(now_s))
        )

    def _find_line(self, model: Model) -> _Line:
        return self._lines.setdefault(model.id, _Line(model.label))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _explain_full(line: _Line) -> QueueFull:
    now_s = _now_s()
    until_next_s = math.ceil(line.next_start_s(now_s) - now_s)
    limit = line.window.limit_in_force
    why = f"of which NVIDIA takes about {limit} a minute" if limit else "as NVIDIA wants a pause"
    return QueueFull(
        f"{len(line.queue)} requests wait for {line.label} already, {why}. Please try again, or run fewer agents at "
        "once.",
        retry_after_s=min(max(until_next_s, 1), MOST_RETRY_AFTER_S),
    )
