"""The desktop of Linux, and of other systems with D-Bus and the freedesktop tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app import APP_ID, APP_NAME
from tray_app.desktop.api import Desktop, DesktopError
from tray_app.desktop.linux import autostart
from tray_app.desktop.linux.browsers import list_browsers
from tray_app.desktop.linux.terminals import list_terminals
from tray_app.desktop.window_script import write_window_script
from tray_app.files.atomic import write_whole
from tray_app.shells import find_background_program, name_shell

if TYPE_CHECKING:
    import ssl

_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine
)
"""The certificate files of distributions. An OpenSSL that was built on another one looks in the wrong place."""

_START_S = 1.0
"""A program that ends within this time, and with an error, could not start. Another one is tried then."""


class LinuxDesktop(Desktop):
    """The desktop of Linux."""

    late_imports = (
        "copykitten",
        "jeepney.io.threading",
        "keyring.backends.SecretService",
        "pyperclip",
        "secretstorage",
    )

    reads_keyring_apart = True

    def __init__(self, environ: Mapping[str, str], users_umask: int = -1) -> None:
        self._environ = environ
        self._users_umask = users_umask

    def tray_class(self) -> Any:
        from tray_app.desktop.linux.icon import LinuxIcon

        return LinuxIcon

    def notify(self, title: str, text: str) -> bool:
        from tray_app.desktop.linux.tray_backend import notify_once

        return notify_once(title, text, app_id=APP_ID, app_name=APP_NAME)

    def explain_missing_tray(self) -> str:
        from tray_app.desktop.linux.tray_backend import is_tray_hosted

        if is_tray_hosted():
            return ""
        return (
            "No panel here shows tray icons (StatusNotifierItem), or there is no desktop session. "
            "GNOME needs the extension AppIndicator."
        )

    def make_tls_context(self) -> ssl.SSLContext:
        import ssl

        context = ssl.create_default_context()
        places = ssl.get_default_verify_paths()
        if places.cafile is None and (places.capath is None or not any(Path(places.capath).iterdir())):
            for path in filter(os.path.isfile, _CERTIFICATES):
                context.load_verify_locations(path)
                break
        return context

    def open_folder(self, folder: Path) -> None:
        opener = shutil.which("xdg-open")
        if opener is None:
            raise DesktopError(f"There is no xdg-open on this system. The folder is {folder}.")
        self._start([opener, str(folder)])  # nobody waits, because some file managers run until their window is closed

    def open_url(self, url: str) -> None:
        if not any(self._runs(command) for command in list_browsers(self._environ, url)):
            raise DesktopError("No browser could be opened. Set BROWSER to the name of yours, or open it by hand.")

    def guess_shell(self) -> str:
        return name_shell(self._environ.get("SHELL", ""), default="bash")

    def open_terminal(self, command: Sequence[str], folder: Path, *, stays_open: bool = False) -> None:
        try:
            script = write_window_script(command, folder, stays_open=stays_open)
        except OSError as error:
            raise DesktopError(f"No terminal could be opened: {error.strerror}.") from error
        words = ["sh", str(script)]
        shell = self._environ.get("SHELL", "")
        if name_shell(shell, default=""):  # its start-up files may set where programs are found
            words = [shell, "-i", "-c", " ".join(words)]
        if not any(self._runs([*terminal, *words]) for terminal in list_terminals(self._environ)):
            script.unlink(missing_ok=True)
            raise DesktopError("No terminal could be opened. Set TERMINAL to the name of yours, or open it by hand.")

    def find_login_program(self) -> Path | None:
        return autostart.find_program(autostart.find_file(self._environ))

    def set_start_at_login(self, starts: bool) -> None:
        file = autostart.find_file(self._environ)
        try:
            if starts:
                write_whole(file, autostart.render(find_background_program()).encode())
            else:
                file.unlink(missing_ok=True)
        except OSError as error:
            raise DesktopError(f"The file {file} could not be changed: {error.strerror}.") from error

    def _runs(self, command: Sequence[str]) -> bool:
        """Starts a terminal or a browser. Returns False if it cannot run."""
        try:
            return self._start(command).wait(_START_S) == 0  # it handed over to one that runs already
        except subprocess.TimeoutExpired:
            return True
        except OSError:
            return False

    def _start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts a program of the user's, which may outlive this one."""
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=self._users_umask,
            start_new_session=True,
        )

    def copy_text(self, text: str) -> None:
        """Copies with wl-copy, xclip or xsel, so that the text outlives this program; without them, with copykitten."""
        try:
            super().copy_text(text)
        except (DesktopError, OSError):
            import copykitten

            try:
                copykitten.copy(text)
            except copykitten.CopykittenError as error:
                raise DesktopError(
                    "The clipboard could not be written. Install wl-clipboard (Wayland) or xclip (X11), "
                    "or use `claude-nvidia-tray --print-exports`."
                ) from error
