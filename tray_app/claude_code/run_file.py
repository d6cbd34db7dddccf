"""A private file that exists for as long as one run of Claude Code. What a crash leaves is removed by the next run."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tray_app.files.atomic import write_whole
from tray_app.files.private import claim_folder

_TURN = "turn"
"""The name of the lock with which runs take turns."""
_TURN_S = 10.0
"""Longest wait for another run that creates or removes its file, which takes milliseconds."""


@contextlib.contextmanager
def run_file(folder: Path, text: str) -> Iterator[Path]:
    """Yields the path of a new file with this text, which only the user can read. The file is removed at the end.

    The lock of the run tells other runs that the file is in use. The system frees it even if this process is killed.
    Timeout if another run holds up all others. OSError if the file cannot be written.
    """
    claim_folder(folder, ("*.json", "*.lock"))
    name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    file, lock = folder / f"{name}.json", FileLock(folder / f"{name}.lock", mode=0o600)
    turn = FileLock(folder / f"{_TURN}.lock", timeout=_TURN_S, mode=0o600)
    with turn:  # nobody looks while the file has no lock yet
        _remove_leftovers(folder)
        lock.acquire()
        write_whole(file, text.encode())
    try:
        yield file
    finally:
        _remove(file)
        lock.release()
        _remove(Path(lock.lock_file))


def _remove_leftovers(folder: Path) -> None:
    """Removes the files of runs that have ended without removing them."""
    for name in {file.stem for file in folder.iterdir()} - {_TURN}:
        lock = FileLock(folder / f"{name}.lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except (OSError, Timeout):
            continue
        _remove(folder / f"{name}.json")
        lock.release()
        _remove(Path(lock.lock_file))


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):  # another program reads it on Windows; the next run tries again
        file.unlink()
