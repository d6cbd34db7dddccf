"""The interface between the app and the desktop. Each system has a class that implements it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.errors import AppError

if TYPE_CHECKING:  # imported by the proxy thread, when it is first needed
    import ssl


class DesktopError(AppError):
    """The desktop could not do what it was asked. The message says what the user can do instead."""


class Desktop(ABC):
    """The desktop of one system."""

    late_imports: tuple[str, ...] = ()
    """Modules that only this system needs, and that are imported late. The self-check imports each of them."""

    @abstractmethod
    def tray_class(self) -> Any:
        """Returns the pystray Icon class to use. If no icon is possible, this or the class raises any error."""

    @abstractmethod
    def notify(self, title: str, text: str) -> bool:
        """Shows a message to the user without an icon. Returns False if the desktop cannot."""

    def explain_missing_tray(self) -> str:
        """Returns why no tray icon can be seen here, as a sentence; empty if nothing speaks against it."""
        return ""

    @abstractmethod
    def open_folder(self, folder: Path) -> None:
        """Shows the folder in the file manager. DesktopError if that does not work."""

    @abstractmethod
    def guess_shell(self) -> str:
        """Returns the shell in which the user probably starts Claude Code. It is one of `exports.SHELLS`."""

    @abstractmethod
    def make_tls_context(self) -> ssl.SSLContext:
        """Returns a TLS context for clients that trusts the same certificates as this system."""

    def open_terminal(self, command: Sequence[str]) -> bool:  # noqa: ARG002 (most systems have no reliable way)
        """Runs a command in a new terminal window, which stays open until the user closes it.

        Returns False if this desktop has no reliable way to do that.
        """
        return False

    def copy_text(self, text: str) -> None:
        """Puts the text into the clipboard. DesktopError if that has failed."""
        import pyperclip

        try:
            pyperclip.copy(text)
        except pyperclip.PyperclipException as error:
            raise DesktopError("The clipboard could not be written.") from error

    def on_ui_thread(self, call: Callable[[], None]) -> None:
        """Runs `call` in the thread in which the icon may be changed. Except on macOS, that is any thread."""
        call()
