"""One running app per user: a lock that the system frees even after a crash, and a note where the app is."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tray_app.files.atomic import read_whole, write_whole
from tray_app.files.private import claim_folder


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a running app is. `url` is empty while its gateway does not listen."""

    pid: int
    url: str


class Instance:
    """The lock and the note of this user's app, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "instance.json"
        self._lock = FileLock(folder / "instance.lock", mode=0o600)

    def acquire(self) -> bool:
        """True if this process is now the app; False if another one is."""
        claim_folder(self._folder, ("*.json", "*.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        self._forget_note()  # of an app that crashed
        return True

    def publish(self, url: str) -> None:
        """Leaves the note for a second launch to read."""
        write_whole(self._note, json.dumps(asdict(Whereabouts(os.getpid(), url))).encode())

    def find_running(self) -> Whereabouts | None:
        """Where the other app is; None if none runs. Only for a process that is not the app itself."""
        if not self._folder.is_dir():
            return None
        try:
            with self._lock.acquire(timeout=0):
                return None
        except Timeout:
            pass
        try:
            note = json.loads(read_whole(self._note))
            return Whereabouts(int(note["pid"]), str(note["url"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Whereabouts(0, "")

    def release(self) -> None:
        self._forget_note()
        self._lock.release()

    def _forget_note(self) -> None:
        with contextlib.suppress(OSError):  # there is none, or, on Windows, a second launch reads it just now
            self._note.unlink()
