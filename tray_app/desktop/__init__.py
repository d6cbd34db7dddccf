"""Finds the desktop of this system. Only this room asks which system it runs on."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from tray_app.desktop.api import Desktop, DesktopError

__all__ = ["Desktop", "DesktopError", "find_desktop"]


def find_desktop(environ: Mapping[str, str], users_umask: int = -1) -> Desktop:
    """Returns the desktop of this system. `users_umask` is for programs that it starts for the user; -1: ours."""
    if sys.platform == "win32":
        from tray_app.desktop.windows.desktop import WindowsDesktop

        return WindowsDesktop()
    if sys.platform == "darwin":
        from tray_app.desktop.macos import MacDesktop

        return MacDesktop(environ)
    from tray_app.desktop.linux.desktop import LinuxDesktop

    return LinuxDesktop(environ, users_umask)
