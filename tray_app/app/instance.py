"""One running app per user: a lock that the system frees even after a crash, and a note that says where it listens."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tray_app.files.atomic import read_whole, write_whole
from tray_app.files.private import claim_folder

_LOOK_S = 0.1
"""The time between two looks whether the app has ended."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a running app tells other processes about itself."""

    pid: int
    url: str
    """The URL of its gateway; empty while that does not listen."""
    is_demo: bool = False
    """Tells whether the demo answers in the place of NVIDIA."""
    has_icon: bool = False
    """Tells whether the app was asked to show an icon in the tray."""


class Instance:
    """The lock and the note of this user's app. Both are files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "instance.json"
        self._quit_request = folder / "quit-request"
        self._look_request = folder / "look-request"
        self._lock = FileLock(folder / "instance.lock", mode=0o600)

    def acquire(self) -> bool:
        """Takes the lock. Returns False if another process has it."""
        claim_folder(self._folder, ("*.json", "*.lock"))
        try:
            self._lock.acquire(timeout=2 * _LOOK_S)  # another process holds it for a moment when it looks
        except Timeout:
            return False
        self._forget_note()  # an app that crashed may have left one
        self._forget(self._quit_request)
        self._forget(self._look_request)
        return True

    def publish(self, url: str, *, is_demo: bool = False, has_icon: bool = False) -> None:
        """Writes the note, which other processes read."""
        write_whole(self._note, json.dumps(asdict(Whereabouts(os.getpid(), url, is_demo, has_icon))).encode())

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
            return Whereabouts(
                int(note["pid"]), str(note["url"]), note.get("is_demo") is True, note.get("has_icon") is True
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Whereabouts(0, "")

    def release(self) -> None:
        """Removes the note and frees the lock."""
        self._forget_note()
        self._lock.release()

    def ask_to_quit(self) -> None:
        """Asks the running app, which is another process, to quit. It looks for this once a second."""
        write_whole(self._quit_request, b"")

    def is_asked_to_quit(self) -> bool:
        """Tells whether another process has asked this app to quit."""
        return self._quit_request.exists()

    def ask_to_look(self) -> None:
        """Asks the running app to find out anew which models answer. It looks for this once a second."""
        write_whole(self._look_request, b"")

    def take_look_request(self) -> bool:
        """Tells whether another process has asked for that since the last call."""
        if not self._look_request.exists():
            return False
        self._forget(self._look_request)
        return True

    def wait_end(self, timeout_s: float) -> bool:
        """Waits until no app is running. Returns False if the time is over first."""
        deadline_s = time.monotonic() + timeout_s
        while self.find_running() is not None:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_LOOK_S)
        return True

    def _forget_note(self) -> None:
        self._forget(self._note)

    @staticmethod
    def _forget(file: Path) -> None:
        with contextlib.suppress(OSError):  # there is none, or another process is reading it on Windows
            file.unlink()
