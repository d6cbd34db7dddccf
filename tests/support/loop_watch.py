"""A watchdog of the gateway's event loop: how much its longest callback does, counted in calls and never timed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

from tests.support.fake_upstream import TIMEOUT_S
from tests.support.gateway import RunningGateway

_CALLBACK = asyncio.Handle._run.__code__  # noqa: SLF001 (asyncio has no other hook)


class LoopWatch:
    """Counts the calls, of Python and of C functions, that the loop makes from one callback to the next."""

    def __init__(self) -> None:
        self.most_calls = 0
        """Those of the longest callback so far."""
        self._calls = 0

    def count(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is _CALLBACK:
            self.most_calls = max(self.most_calls, self._calls)
            self._calls = 0
        elif event in ("call", "c_call"):
            self._calls += 1


@contextmanager
def watch_loop(gateway: RunningGateway) -> Iterator[LoopWatch]:
    """Watches the loop of a gateway. Its thread is slower meanwhile."""
    assert gateway.service.running is not None
    loop, watch = gateway.service.running.loop, LoopWatch()

    async def set_profile(count: Any) -> None:
        sys.setprofile(count)

    asyncio.run_coroutine_threadsafe(set_profile(watch.count), loop).result(TIMEOUT_S)
    try:
        yield watch
    finally:
        asyncio.run_coroutine_threadsafe(set_profile(None), loop).result(TIMEOUT_S)


class Turns:
    """Counts the turns that another task of the loop gets."""

    def __init__(self) -> None:
        self.count = 0

    async def take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def count_turns() -> AsyncIterator[Turns]:
    """Runs another task beside the caller's until the end of the `async with`."""
    turns = Turns()
    other = asyncio.create_task(turns.take())
    try:
        yield turns
    finally:
        other.cancel()
