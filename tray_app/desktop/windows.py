"""Windows."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.desktop.api import Desktop, DesktopError

if TYPE_CHECKING:
    import ssl

_MB_ICONINFORMATION = 0x40
_MB_SETFOREGROUND = 0x10000


class WindowsDesktop(Desktop):
    late_imports = ("keyring.backends.Windows", "pyperclip", "truststore", "win32ctypes.pywin32.win32cred")

    def tray_class(self) -> Any:
        import pystray

        return pystray.Icon

    def notify(self, title: str, text: str) -> bool:
        """A message box: a balloon needs an icon of its own that stays for as long as the balloon."""
        if sys.platform == "win32":
            ctypes.windll.user32.MessageBoxW(None, text, title, _MB_ICONINFORMATION | _MB_SETFOREGROUND)
        return True

    def make_tls_context(self) -> ssl.SSLContext:
        import ssl

        import truststore  # Windows brings in root certificates only when they are asked for, in its own way

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def open_folder(self, folder: Path) -> None:
        if sys.platform == "win32":
            try:
                os.startfile(folder)
            except OSError as error:
                raise DesktopError(f"The folder {folder} could not be opened: {error.strerror}.") from error

    def guess_shell(self) -> str:
        return "powershell"
