"""Windows."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.desktop.api import Desktop, DesktopError

if TYPE_CHECKING:
    import ssl

_MB_ICONINFORMATION = 0x40
_MB_SETFOREGROUND = 0x10000
_NOTIFY_S = 30.0
_PER_MONITOR_AWARE_V2 = -4  # DPI_AWARENESS_CONTEXT, from Windows 10 1703 on


class WindowsDesktop(Desktop):
    late_imports = ("keyring.backends.Windows", "pyperclip", "truststore", "win32ctypes.pywin32.win32cred")

    def tray_class(self) -> Any:
        _refuse_scaling()
        from tray_app.desktop.windows.icon import Win32Icon

        return Win32Icon

    def notify(self, title: str, text: str) -> bool:
        """A message box: a balloon needs an icon of its own that stays for as long as the balloon.

        It is taken away with this program after a while, for nobody may be there to answer it. None where the program
        was started with a place to print to, which need not be a terminal.
        """
        if sys.__stdout__ is not None:
            return False
        if sys.platform == "win32":
            show = ctypes.WinDLL("user32").MessageBoxW
            show.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_wchar_p, ctypes.c_uint)
            arguments = (None, text, title, _MB_ICONINFORMATION | _MB_SETFOREGROUND)
            box = threading.Thread(target=show, args=arguments, name="message box", daemon=True)
            box.start()
            box.join(_NOTIFY_S)
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

    def open_terminal(self, command: Sequence[str]) -> bool:
        if sys.platform == "win32":
            shell = os.environ.get("COMSPEC", "cmd.exe")
            # /s: only the outermost quotes are the shell's own
            line = f'"{shell}" /d /s /c "{subprocess.list2cmdline(command)} & pause"'
            try:
                subprocess.Popen(line, creationflags=subprocess.CREATE_NEW_CONSOLE)
            except OSError:
                return False
            return True
        return False

    def guess_shell(self) -> str:
        return "powershell"


def _refuse_scaling() -> None:
    """Asks Windows for real pixels: it would enlarge the menu of a program that does not know of them, and blur it.

    A bundle says so in its manifest, and Windows then refuses to hear it again.
    """
    if sys.platform == "win32":
        user = ctypes.WinDLL("user32")
        try:
            user.SetProcessDpiAwarenessContext.argtypes = (ctypes.c_void_p,)
            user.SetProcessDpiAwarenessContext(_PER_MONITOR_AWARE_V2)
        except AttributeError:
            user.SetProcessDPIAware()
