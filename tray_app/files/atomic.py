"""Small files that are replaced in one step, and may be read and replaced by several programs at once."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tray_app.files.private import NotAFile, make_private_folder, open_private

T = TypeVar("T")

MAX_BYTES = 1_000_000
"""No file of this program comes near it: the settings have about 1 KB, and what is learned of models a few."""

_PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Windows refuses to replace a file while another program reads it, and to open one that is just being replaced."""


def read_whole(path: Path, *, follows_links: bool = False) -> bytes:
    """What the file holds. OSError if it cannot be read; NotAFile if it is none, or too large to be one of ours."""
    descriptor = _try_again(lambda: open_private(path, os.O_RDONLY, follows_links=follows_links))
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise NotAFile(errno.EFBIG, f"it has more than {MAX_BYTES:,} bytes", str(path))
    return data


def write_whole(path: Path, data: bytes) -> None:
    """Replaces the file, for its owner only (mkstemp's mode), or leaves it as it was and raises OSError.

    Its folder need not exist.
    """
    make_private_folder(path.parent)
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


def _try_again(action: Callable[[], T]) -> T:
    for pause_s in _PAUSES_S:
        try:
            return action()
        except PermissionError:
            time.sleep(pause_s)
    return action()
