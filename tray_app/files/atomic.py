"""Reads and replaces small files in one step, while other programs may do the same."""

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
"""Largest file that is read. The largest files of this program have a few KB."""

_PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Pauses before further attempts. Windows refuses to replace a file while another program has it open."""


def read_whole(path: Path, *, follows_links: bool = False) -> bytes:
    """Returns the content of the file. OSError if it cannot be read; NotAFile if it is no file or too large."""
    descriptor = _try_again(lambda: open_private(path, os.O_RDONLY, follows_links=follows_links))
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise NotAFile(errno.EFBIG, f"it has more than {MAX_BYTES:,} bytes", str(path))
    return data


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replaces the file, or leaves it unchanged and raises OSError. The folder is created if it is missing.

    `mode` is the permission bits of the new file; None: only its owner can read it.
    """
    make_private_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if mode is not None:
                temporary.chmod(mode)
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
