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
from enum import Enum

from tray_app.catalog import Model
from tray_app.errors import MOST_RETRY_AFTER_S, QueueFull
from tray_app.proxy.upstream.line import Line, Waiter, loop_time_s
from tray_app.status.board import Wait
from tray_app.status.live import Gauge, NvidiaQueue
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


class Pacer:
    """Holds requests back for as long as their model's limit demands. It belongs to one event loop."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    @property
    def waiting_count(self) -> int:
        """How many requests wait for their turn, over all models."""
        return sum(len(line.queue) for line in self._lines.values())

    async def wait_turn(
        self, model: Model, *, limit: int, urgency: Urgency, number: int = 0, longest_s: float | None = None
    ) -> None:
        """Waits until one request to the model may start, and counts it. `limit` is per minute; 0 means no limit.

        `number` is the one by which `foresee` names the request; 0 for a probe. Raises QueueFull at once if too many
        requests wait already, and TimeoutError after a wait of `longest_s` seconds; None: it waits for ever. If the
        wait is cancelled, nothing is counted. A background request that is repeated should wait as a normal one, since
        it has given way before.
        """
        line, now_s = self._find_line(model), loop_time_s()
        line.window.limit = limit
        line.give_turns()  # the limit may have changed; whoever still waits after this must wait
        if line.next_start_s(now_s) <= now_s:
            line.window.count_start(now_s)
            return
        if len(line.queue) >= MAX_WAITING:
            raise _explain_full(line)
        waiter = Waiter(now_s, now_s + urgency.value, asyncio.get_running_loop().create_future(), number)
        insort(line.queue, waiter, key=lambda other: other.rank)
        line.give_turns()
        async with asyncio.timeout(longest_s):
            try:
                await waiter.turn
            except asyncio.CancelledError:
                line.leave(waiter)
                raise

    def note_refused(self, model: Model) -> None:
        """Notes that upstream answered 429."""
        line = self._find_line(model)
        before = line.window.limit_in_force
        line.window.note_refused(loop_time_s())
        line.give_turns()  # the time of the next turn has changed
        if line.window.limit_in_force != before:
            log.info("%s takes %d requests a minute for the time being", model.id, line.window.limit_in_force)

    def hold(self, model: Model, pause_s: float) -> None:
        """Notes that upstream asks for a pause. It is limited to the time that clients wait before they ask again."""
        self._find_line(model).hold(pause_s)

    def note_queue(self, model: Model, queue: tuple[int, int] | None) -> None:
        """Notes how many requests wait for how many places at NVIDIA, which is overloaded; None: it does not say."""
        self._find_line(model).queue_told = (*queue, loop_time_s()) if queue else None

    def note_served(self, model: Model) -> None:
        """Notes that upstream answered a request."""
        line = self._find_line(model)
        line.window.note_served(loop_time_s())
        line.give_turns()

    def describe_wait(self, model_id: str, label: str, waiting: int, longest_s: int) -> Wait:
        """Returns what `waiting` requests to the model wait for. `longest_s` is for how long the first has waited."""
        line, now_s = self._lines.get(model_id) or Line(label), loop_time_s()
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
        now_s = loop_time_s()
        return tuple(
            Pace(line.label, line.window.limit_in_force, tuple(map(find_unix_time, starts)))
            for line in self._lines.values()
            if (starts := line.window.list_starts(now_s))
        )

    def foresee(self, model_id: str) -> list[tuple[int, float]]:
        """Returns the number of each request that waits for the model, and the time of the event loop at which it
        starts if nothing changes. The first one is next."""
        line = self._lines.get(model_id)
        return line.foresee(loop_time_s()) if line else []

    def describe_gauges(self, to_unix_time: Callable[[float], float]) -> tuple[Gauge, ...]:
        """Returns the pace of each model, without the requests of today. `to_unix_time` is for times of the event loop.

        Models that nobody asked in the last minute, waits for or pauses for are left out.
        """
        now_s = loop_time_s()
        return tuple(
            _describe_gauge(model_id, line, now_s, to_unix_time)
            for model_id, line in self._lines.items()
            if line.queue or line.window.count_used(now_s) or line.is_pausing(now_s)
        )

    def _find_line(self, model: Model) -> Line:
        line = self._lines.get(model.id)
        if line is None:
            line = self._lines[model.id] = Line(model.label)
        return line


def _explain_full(line: Line) -> QueueFull:
    now_s = loop_time_s()
    until_next_s = math.ceil(line.next_start_s(now_s) - now_s)
    limit = line.window.limit_in_force
    why = f"of which NVIDIA takes about {limit} a minute" if limit else "as NVIDIA wants a pause"
    return QueueFull(
        f"{len(line.queue)} requests wait for {line.label} already, {why}. Please try again, or run fewer agents at "
        "once.",
        retry_after_s=min(max(until_next_s, 1), MOST_RETRY_AFTER_S),
    )


def _describe_gauge(model_id: str, line: Line, now_s: float, to_unix_time: Callable[[float], float]) -> Gauge:
    next_s, told = line.next_start_s(now_s), line.queue_told
    return Gauge(
        model_id,
        line.label,
        used=line.window.count_used(now_s),
        limit=line.window.limit_in_force,
        waiting=len(line.queue),
        next_slot_at=to_unix_time(next_s) if next_s > now_s else None,
        is_pause=line.is_pausing(now_s),
        queue=NvidiaQueue(told[0], told[1], to_unix_time(told[2])) if told else None,
        today=0,
    )
