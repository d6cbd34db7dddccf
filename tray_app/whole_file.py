"""Small files that are replaced in one step, and may be read and replaced by several programs at once."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Windows refuses to replace a file while another program reads it, and to open one that is just being replaced."""


def read_whole(path: Path) -> bytes:
    """What the file holds. OSError if it cannot be read."""
    return _try_again(path.read_bytes)


def write_whole(path: Path, data: bytes) -> None:
    """Replaces the file, for its owner only (mkstemp's mode), or leaves it as it was and raises OSError.

    Its folder need not exist.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _try_again(lambda: temporary.replace(path))
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _try_again(deed: Callable[[], T]) -> T:
    for pause_s in _PAUSES_S:
        try:
            return deed()
        except PermissionError:
            time.sleep(pause_s)
    return deed()
