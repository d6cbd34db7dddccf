"""The tray icon of this program on Linux."""

from __future__ import annotations

from tray_app import APP_NAME
from tray_app.desktop.linux.tray_backend import StatusNotifierIcon


class LinuxIcon(StatusNotifierIcon):
    """The icon of the tray backend, with this program's name in its notifications."""

    app_name = APP_NAME
