"""Log lines about events that may happen thousands of times a second."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

_PAUSE_S = 60.0
"""Time between two lines."""


class RareLog:
    """Writes at most one line a minute. Lines in between are counted, and the next line tells their number."""

    def __init__(self, log: logging.Logger) -> None:
        """The new object belongs to the running event loop."""
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._unsaid = 0
        self._newest = ""
        self._timer: asyncio.TimerHandle | None = None  # None if the last line is more than a minute old

    def warn(self, line: str) -> bool:
        """Writes the line or counts it. Returns whether it was written."""
        if self._timer is not None:
            self._unsaid += 1
            self._newest = line
            return False
        self._write(line)
        return True

    def _write(self, line: str) -> None:
        self._log.warning("%s", line)
        if not self._loop.is_closed():  # what a closed loop has left behind may still be told, without a count
            self._timer = self._loop.call_later(_PAUSE_S, self._sum_up)

    def _sum_up(self) -> None:
        self._timer = None
        if self._unsaid:
            count, self._unsaid = self._unsaid, 0
            self._write(f"{self._newest} (the newest of {count} such lines in {_PAUSE_S:.0f} s)")


class LoopErrors:
    """The event loop's exception handler. It logs one error a minute in full, and counts the others."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = RareLog(log)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        what = f": {type(error).__name__}" if error else ""
        if self._log.warn(f"the event loop says: {context['message']}{what}"):
            loop.default_exception_handler(context)
