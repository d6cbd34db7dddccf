"""Divides long work into steps, between which the event loop runs other tasks."""

from __future__ import annotations

STEP_WORK = 256 * 1024
"""The work of one step, which takes about half a millisecond. The unit is a byte that is searched and hashed."""


class Steps:
    """Counts the work since the last pause."""

    def __init__(self) -> None:
        self._left = STEP_WORK

    def is_over(self, work: int) -> bool:
        """Counts work that was done. Returns whether the step is over, so that it is time for a pause."""
        self._left -= work
        if self._left > 0:
            return False
        self._left = STEP_WORK
        return True
