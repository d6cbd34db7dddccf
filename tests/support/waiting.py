"""Waits for a state that nothing announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT_S = 30.0
"""For what takes a moment, on a machine that is busy with other things."""

T = TypeVar("T")


def wait_for(condition: Callable[[], T | None], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """Returns the first true result of `condition`. TimeoutError names `what` did not come."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)
    return result
