"""The desktop of macOS: notifications, certificates, the Finder, and the thread for the icon."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.desktop.api import Desktop, DesktopError
from tray_app.shells import name_shell

if TYPE_CHECKING:
    import ssl

_NOTIFY_TIMEOUT_S = 5


class MacDesktop(Desktop):
    """The desktop of macOS."""

    late_imports = ("PyObjCTools.AppHelper", "keyring.backends.macOS", "pyperclip", "truststore")

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def tray_class(self) -> Any:
        import pystray

        return pystray.Icon

    def notify(self, title: str, text: str) -> bool:
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        try:
            done = subprocess.run(
                ["/usr/bin/osascript", "-e", script, title, text], capture_output=True, timeout=_NOTIFY_TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def make_tls_context(self) -> ssl.SSLContext:
        import ssl

        import truststore  # OpenSSL does not know the keychain

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def open_folder(self, folder: Path) -> None:
        if subprocess.run(["/usr/bin/open", str(folder)], capture_output=True).returncode:
            raise DesktopError(f"The folder {folder} could not be opened.")

    def guess_shell(self) -> str:
        return name_shell(self._environ.get("SHELL", ""), default="zsh")

    def on_ui_thread(self, call: Callable[[], None]) -> None:
        """Runs `call` on the main thread, because AppKit lets only that one change the icon."""
        from PyObjCTools import AppHelper

        AppHelper.callAfter(call)
