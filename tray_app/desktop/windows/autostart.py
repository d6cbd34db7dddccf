"""The entry in the registry with which Windows starts this program at login. It can be imported only on Windows.

The installer's script names the same key and value, so that the uninstaller removes them.
"""

from __future__ import annotations

import contextlib
import subprocess
import winreg as _winreg
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tray_app import APP_ID

winreg: Any = _winreg  # on other systems, type checkers do not know what is in it

RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED_KEY = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
"""Here the Task Manager notes which entries the user has switched off there."""


def find_program() -> Path | None:
    """Returns the program that Windows starts; None: there is no entry, or it is switched off in the Task Manager."""
    line, approval = _read(RUN_KEY), _read(APPROVED_KEY)
    is_off = isinstance(approval, bytes) and bool(approval) and bool(approval[0] & 1)
    if not isinstance(line, str) or is_off:
        return None
    return Path(line[1:].partition('"')[0] if line.startswith('"') else line.partition(" ")[0])


def switch_on(command: Sequence[str]) -> None:
    """Writes the entry, and removes the note that it is switched off. OSError if Windows refuses that."""
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
        winreg.SetValueEx(key, APP_ID, 0, winreg.REG_SZ, subprocess.list2cmdline(command))
    _delete(APPROVED_KEY)


def switch_off() -> None:
    """Removes the entry. OSError if Windows refuses that."""
    _delete(RUN_KEY)
    _delete(APPROVED_KEY)


def _read(path: str) -> str | bytes | None:
    with contextlib.suppress(FileNotFoundError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
        value: str | bytes = winreg.QueryValueEx(key, APP_ID)[0]
        return value
    return None


def _delete(path: str) -> None:
    with (
        contextlib.suppress(FileNotFoundError),
        winreg.OpenKey(winreg.HKEY_CURRENT_USER, path, 0, winreg.KEY_SET_VALUE) as key,
    ):
        winreg.DeleteValue(key, APP_ID)
