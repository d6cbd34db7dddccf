"""One running app per user: a lock that the system frees even after a crash, and a note that says where it listens."""

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
    """The process id and the URL of a running app. The URL is empty while its gateway does not listen."""

    pid: int
    url: str


class Instance:
    """The lock and the note of this user's app. Both are files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "instance.json"
        self._lock = FileLock(folder / "instance.lock", mode=0o600)

    def acquire(self) -> bool:
        """Takes the lock. Returns False if another process has it."""
        claim_folder(self._folder, ("*.json", "*.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        self._forget_note()  # an app that crashed may have left one
        return True

    def publish(self, url: str) -> None:
        """Writes the note, which a second launch reads."""
        write_whole(self._note, json.dumps(asdict(Whereabouts(os.getpid(), url))).encode())

    def find_running(self) -> Whereabouts | None:
        """Returns where the running app is; None if there is none. The app itself must not call it."""
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
        """Removes the note and frees the lock."""
        self._forget_note()
        self._lock.release()

    def _forget_note(self) -> None:
        with contextlib.suppress(OSError):  # there is none, or a second launch is reading it on Windows
            self._note.unlink()
