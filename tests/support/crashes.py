"""Makes the nth file operation of a piece of code fail, as if the power went off at that moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_OPERATIONS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.chmod"})


class Crash(BaseException):
    """Stands for the end of the process. It is no Exception, so that no code handles it."""


class _Watch:
    """Counts the file operations below a folder. Python calls it at each one; it cannot be taken off again."""

    def __init__(self) -> None:
        self.folder = ""
        self.left = -1
        self.is_installed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder or event not in _OPERATIONS or not str(arguments[0]).startswith(self.folder):
            return
        if self.left == 0:  # the process has ended: nothing happens any more
            raise Crash
        self.left -= 1
        if self.left == 0:
            raise Crash


_watch = _Watch()


@contextmanager
def crash_at(number: int, folder: Path) -> Iterator[None]:
    """Raises Crash in place of the file operation of that number below the folder, and of all later ones."""
    if not _watch.is_installed:
        sys.addaudithook(_watch)
        _watch.is_installed = True
    _watch.folder, _watch.left = str(folder), number
    try:
        yield
    finally:
        _watch.folder = ""
