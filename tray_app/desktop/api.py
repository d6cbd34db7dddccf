"""What the app asks of the desktop it runs on; one file per system answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.errors import AppError

if TYPE_CHECKING:  # loads in the proxy thread, with what needs it
    import ssl


class DesktopError(AppError):
    """The desktop could not do it; the sentence says what the user can do instead."""


class Desktop(ABC):
    """One desktop."""

    late_imports: tuple[str, ...] = ()
    """Modules that only this system needs, and that are imported by name or when they are first used."""

    @abstractmethod
    def tray_class(self) -> Any:
        """The pystray Icon class to use. It, or making one, may raise anything where there can be no icon."""

    @abstractmethod
    def notify(self, title: str, text: str) -> bool:
        """Tells the user something while there is no icon to tell it; False if the desktop has no way."""

    @abstractmethod
    def open_folder(self, folder: Path) -> None:
        """Shows a folder in the file manager. DesktopError if there is none."""

    @abstractmethod
    def guess_shell(self) -> str:
        """The shell that the user most likely starts Claude Code in: a name that `exports` knows."""

    @abstractmethod
    def make_tls_context(self) -> ssl.SSLContext:
        """For clients: trusts the certificates that this system trusts, those of its administrator among them."""

    def open_terminal(self, command: Sequence[str]) -> bool:  # noqa: ARG002 (most have no sure way)
        """Runs a command in a new terminal window, which stays until the user has read what it said.

        False if this desktop has no sure way.
        """
        return False

    def copy_text(self, text: str) -> None:
        """Puts text into the clipboard. DesktopError if it is not there afterwards for all we know."""
        import pyperclip

        try:
            pyperclip.copy(text)
        except pyperclip.PyperclipException as error:
            raise DesktopError("The clipboard could not be written.") from error

    def on_ui_thread(self, call: Callable[[], None]) -> None:
        """Runs `call` where this system wants the icon to be changed; elsewhere than macOS any thread will do."""
        call()
