"""The desktop of Linux, and of other systems with D-Bus and the freedesktop tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app import APP_ID, APP_NAME
from tray_app.desktop.api import Desktop, DesktopError
from tray_app.shells import name_shell

if TYPE_CHECKING:
    import ssl

_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine
)
"""The certificate files of distributions. An OpenSSL that was built on another one looks in the wrong place."""


class LinuxDesktop(Desktop):
    """The desktop of Linux."""

    late_imports = (
        "copykitten",
        "jeepney.io.threading",
        "keyring.backends.SecretService",
        "pyperclip",
        "secretstorage",
    )

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
        # Nobody waits for it, because some file managers run until their window is closed.
        subprocess.Popen(
            [opener, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=self._users_umask,
        )

    def guess_shell(self) -> str:
        return name_shell(self._environ.get("SHELL", ""), default="bash")

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
