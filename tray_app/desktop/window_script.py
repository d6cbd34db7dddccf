"""Writes the script that a terminal window runs on Linux and macOS.

Terminals differ in what they make of the words of a command: some split them again, or replace variables in them. The
name of a script has nothing that they could change.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tray_app import APP_ID

_SCRIPT = """#!/bin/sh
rm -f -- "$0"
trap : INT # Ctrl-C is for the command
cd -- {folder} && (exec {command})
code=$?
if {stays}; then
  printf '\\n%s' 'Press Enter to close this window. '
  read -r _
fi
"""
_UNLESS_ENDED_BY_USER = "[ $code -ne 130 ]"
"""The code 130 means that the user has ended the command with Ctrl-C."""
_IF_FAILED = f"[ $code -ne 0 ] && {_UNLESS_ENDED_BY_USER}"


def write_window_script(command: Sequence[str], folder: Path, *, stays_open: bool) -> Path:
    """Writes a script for sh that removes itself and runs the command in the folder. OSError if it cannot be written.

    It ends only when the user presses Enter if the command fails, or always (`stays_open`). Only the user can read and
    run it. Its path has no characters that a shell or a terminal would take for more than a letter.
    """
    text = _SCRIPT.format(
        folder=shlex.quote(str(folder)),
        command=shlex.join(command),
        stays=_UNLESS_ENDED_BY_USER if stays_open else _IF_FAILED,
    )
    descriptor, name = tempfile.mkstemp(prefix=f"{APP_ID}-", suffix=".command")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    script = Path(name)
    script.chmod(0o700)
    return script
