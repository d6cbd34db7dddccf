"""Starts programs that go on when the terminal is closed, and ends other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def start_detached(command: Sequence[str], output: int, folder: Path, umask: int) -> subprocess.Popen[bytes]:
    """Starts the command without a terminal, and returns its process. OSError if it cannot be started.

    `output` is the descriptor of the file for what it prints. `umask` is for the command; -1: that of this process.
    """
    flags = 0
    if sys.platform == "win32":  # no console, and no Ctrl-C from ours
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=folder,
        start_new_session=True,
        creationflags=flags,
        umask=umask,
    )


def ask_to_end(pid: int) -> bool:
    """Asks a process to end itself. Returns False if it is gone, or if this system could only kill it."""
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError:
        return False
    return True
