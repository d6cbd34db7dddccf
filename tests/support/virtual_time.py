"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done: an hour passes at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


_NETWORK_S = 0.002
"""Real time in which bytes arrive on loopback. Only after it is the loop of a simulated network idle."""

_THREAD_S = 20.0
"""Real time for the work of a thread. No test waits for so long."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s. Only for code that waits for timers and for itself; a wait without an end fails.

    `has_network`: the code also waits for sockets, whose other ends are in the same loop.
    """

    def __init__(self, *, has_network: bool = False) -> None:
        super().__init__(_Jumper(self, _NETWORK_S if has_network else 0.0))
        self.now_s = 0.0
        # asyncio's own one of 1 ns is lost in the rounding of a time of months, and then no timer would ever be due
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.now_s


class _Jumper(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop, network_s: float) -> None:
        super().__init__()
        self._loop = loop
        self._network_s = network_s

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._network_s and timeout != 0 and (events := super().select(self._network_s)):
            return events
        if timeout is None:  # only a thread can go on, such as one that the end of the loop waits for
            events = super().select(_THREAD_S)
            assert events, "everything waits, and nothing will happen any more"
            return events
        self._loop.now_s += timeout
        return super().select(0)


def jump(seconds: float) -> None:
    """The running loop finds that so much time has passed, as after the machine slept."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.now_s += seconds


def run_virtually(coroutine: Coroutine[Any, Any, T], *, has_network: bool = False) -> T:
    """Like `asyncio.run`, in no time. `has_network`: servers and clients of the same loop talk over sockets."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(has_network=has_network)) as runner:
        return runner.run(coroutine)
