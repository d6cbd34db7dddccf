"""Work that takes long is done in a thread, so that it does not hold up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LARGE_BYTES = 16 * 1024
"""Work on more bytes than this may take longer than a few milliseconds."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def work_aside(size_bytes: int, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls `work`, which handles `size_bytes` bytes, and returns its result. Many bytes are handled in a thread.

    Python lets the event loop run every 5 ms beside that thread. Until `work` has ended nothing else may use what it
    changes, even if this call is cancelled.
    """
    if size_bytes <= LARGE_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
