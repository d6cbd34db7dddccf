"""The desktop of Windows: message boxes, certificates, the Explorer and consoles."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.desktop.api import Desktop, DesktopError
from tray_app.desktop.windows.consoles import make_console_line, make_windows_terminal_line
from tray_app.shells import find_background_program

if TYPE_CHECKING:
    import ssl

_MB_ICONINFORMATION = 0x40
_MB_SETFOREGROUND = 0x10000
_NOTIFY_S = 30.0
"""How long a message box stays open at most, because nobody may be there to answer it."""
_PER_MONITOR_AWARE_V2 = -4  # DPI_AWARENESS_CONTEXT, from Windows 10 1703 on


class WindowsDesktop(Desktop):
    """The desktop of Windows."""

    late_imports = ("keyring.backends.Windows", "pyperclip", "truststore", "win32ctypes.pywin32.win32cred")

    icon_place = "in the taskbar, perhaps behind the arrow ^ beside the clock"

    def tray_class(self) -> Any:
        _refuse_scaling()
        from tray_app.desktop.windows.icon import Win32Icon

        return Win32Icon

    def notify(self, title: str, text: str) -> bool:
        """Shows a message box, because a balloon would need an icon that stays for as long as the balloon.

        The box closes when the process exits, after 30 seconds at most. Returns False, without a box, if the process
        has a standard output.
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

        import truststore  # Windows loads root certificates only when its own functions need them

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def open_folder(self, folder: Path) -> None:
        if sys.platform == "win32":
            try:
                os.startfile(folder)  # noqa: S606 (it opens a folder of this program in the file manager)
            except OSError as error:
                raise DesktopError(f"The folder {folder} could not be opened: {error.strerror}.") from error

    def open_terminal(self, command: Sequence[str], folder: Path, *, stays_open: bool = False) -> None:
        """Opens Windows Terminal if it is installed, and a console otherwise, or if it must stay open in any case."""
        if sys.platform == "win32":
            console = os.environ.get("COMSPEC", "cmd.exe")
            lines = [make_console_line(console, command, str(folder), stays_open=stays_open)]
            if not stays_open and (terminal := shutil.which("wt.exe")):
                lines.insert(0, make_windows_terminal_line(terminal, command, str(folder)))
            for line in lines:
                with contextlib.suppress(OSError):
                    subprocess.Popen(line, creationflags=subprocess.CREATE_NEW_CONSOLE)
                    return
        raise DesktopError("No terminal could be opened. Please open one by hand.")

    def find_login_program(self) -> Path | None:
        from tray_app.desktop.windows import autostart

        return autostart.find_program()

    def set_start_at_login(self, starts: bool) -> None:
        from tray_app.desktop.windows import autostart

        try:
            if starts:
                autostart.switch_on(find_background_program())
            else:
                autostart.switch_off()
        except OSError as error:
            raise DesktopError(f"Windows does not change what it starts at login: {error.strerror}.") from error

    def guess_shell(self) -> str:
        return "powershell"


def _refuse_scaling() -> None:
    """Tells Windows that this program handles real pixels. Otherwise Windows would enlarge its menu, and blur it.

    A bundle already says so in its manifest. Windows then refuses this call, which does no harm.
    """
    if sys.platform == "win32":
        user = ctypes.WinDLL("user32")
        try:
            user.SetProcessDpiAwarenessContext.argtypes = (ctypes.c_void_p,)
            user.SetProcessDpiAwarenessContext(_PER_MONITOR_AWARE_V2)
        except AttributeError:
            user.SetProcessDPIAware()
