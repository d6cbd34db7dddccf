"""The only room that asks which system this is."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from tray_app.desktop.api import Desktop, DesktopError

__all__ = ["Desktop", "DesktopError", "find_desktop"]


def find_desktop(environ: Mapping[str, str], users_umask: int = -1) -> Desktop:
    """The desktop of this system. `users_umask`: for programs of the user's that it starts; -1: this program's own."""
    if sys.platform == "win32":
        from tray_app.desktop.windows.desktop import WindowsDesktop

        return WindowsDesktop()
    if sys.platform == "darwin":
        from tray_app.desktop.macos import MacDesktop

        return MacDesktop(environ)
    from tray_app.desktop.linux.desktop import LinuxDesktop

    return LinuxDesktop(environ, users_umask)
