"""The desktop of macOS: notifications, certificates, the Finder, and the thread for the icon."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from tray_app import APP_ID
from tray_app.desktop.api import Desktop, DesktopError
from tray_app.desktop.window_script import write_window_script
from tray_app.files.atomic import write_whole
from tray_app.shells import find_background_program, name_shell

if TYPE_CHECKING:
    import ssl

_NOTIFY_TIMEOUT_S = 5
_LABEL = f"io.github.{APP_ID}"
"""The name of the launch agent: the identifier of the bundle for macOS."""


class MacDesktop(Desktop):
    """The desktop of macOS."""

    late_imports = ("PyObjCTools.AppHelper", "keyring.backends.macOS", "pyperclip", "truststore")

    icon_place = "in the menu bar"

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

    def open_terminal(self, command: Sequence[str], folder: Path, *, stays_open: bool = False) -> None:
        """Has a script opened by the program that the user chose for .command files: Terminal, or iTerm2."""
        script = write_window_script(command, folder, stays_open=stays_open)
        if subprocess.run(["/usr/bin/open", str(script)], capture_output=True).returncode:
            script.unlink(missing_ok=True)
            raise DesktopError("No terminal could be opened. Please open one by hand.")

    def find_login_program(self) -> Path | None:
        try:
            agent = plistlib.loads(_find_agent().read_bytes())
            return Path(agent["ProgramArguments"][0])
        except (OSError, ValueError, LookupError, TypeError, ExpatError):
            return None

    def set_start_at_login(self, starts: bool) -> None:
        """Writes or removes a launch agent, which macOS reads at the next login."""
        file = _find_agent()
        try:
            if starts:
                write_whole(file, render_agent(find_background_program()))
            else:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise DesktopError(f"The file {file} could not be changed: {error.strerror}.") from error

    def on_ui_thread(self, call: Callable[[], None]) -> None:
        """Runs `call` on the main thread, because AppKit lets only that one change the icon."""
        from PyObjCTools import AppHelper

        AppHelper.callAfter(call)


def render_agent(command: Sequence[str]) -> bytes:
    """Returns the property list of a launch agent that runs the command once when the user logs in."""
    return plistlib.dumps(
        {
            "Label": _LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",  # not for logins over the network, which have no menu bar
        }
    )


def _find_agent() -> Path:
    return Path.home() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
