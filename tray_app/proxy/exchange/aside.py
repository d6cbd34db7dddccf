"""Work on much of an answer, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LARGE_BYTES = 16 * 1024
"""Working on more of an answer in one piece may take more than a few milliseconds."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def work_aside(size_bytes: int, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The result of `work`, which works on so many bytes.

    Much is worked on in a thread: Python lets the event loop have a turn every 5 ms. Nothing else may use what `work`
    changes meanwhile, also if this is cancelled.
    """
    if size_bytes <= LARGE_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
