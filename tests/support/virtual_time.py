"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done: an hour passes at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s. Only for code that waits for timers and for itself; a wait without an end fails."""

    def __init__(self) -> None:
        super().__init__(_Jumper(self))
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s


class _Jumper(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits, and nothing will happen any more"
        self._loop.now_s += timeout
        return super().select(0)


def jump(seconds: float) -> None:
    """The running loop finds that so much time has passed, as after the machine slept."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.now_s += seconds


def run_virtually(coroutine: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
