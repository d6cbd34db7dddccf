"""A pystray backend for Linux in pure Python. It imports nothing else of this program; README.md says how to use it."""

from tray_app.desktop.linux.tray_backend.status_notifier import (
    StatusNotifierIcon,
    TrayUnavailable,
    is_tray_hosted,
    notify_once,
)

__all__ = ["StatusNotifierIcon", "TrayUnavailable", "is_tray_hosted", "notify_once"]
