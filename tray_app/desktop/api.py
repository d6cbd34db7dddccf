"""The interface between the app and the desktop. Each system has a class that implements it."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray_app.errors import AppError

if TYPE_CHECKING:  # imported by the proxy thread, when it is first needed
    import ssl


_NO_BROWSER = "No browser could be opened."


class DesktopError(AppError):
    """The desktop could not do what it was asked. The message says what the user can do instead."""


class Desktop(ABC):
    """The desktop of one system."""

    late_imports: tuple[str, ...] = ()
    """Modules that only this system needs, and that are imported late. The self-check imports each of them."""

    icon_place = "in the panel"
    """Where the icon is, for a sentence that begins with "Its icon is"."""

    reads_keyring_apart = False
    """Tells whether the app reads the keyring in a process of its own, because its library takes much memory here."""

    @abstractmethod
    def tray_class(self) -> Any:
        """Returns the pystray Icon class to use. If no icon is possible, this or the class raises any error."""

    @abstractmethod
    def notify(self, title: str, text: str) -> bool:
        """Shows a message to the user without an icon. Returns False if the desktop cannot."""

    def explain_missing_tray(self) -> str:
        """Returns why no tray icon can be seen here, as a sentence; empty if nothing speaks against it."""
        return ""

    def describe_system(self) -> str:
        """Returns the name and the version of the system, for somebody who helps. It may take a moment."""
        return platform.platform()

    @abstractmethod
    def open_folder(self, folder: Path) -> None:
        """Shows the folder in the file manager. DesktopError if that does not work."""

    def open_url(self, url: str) -> None:
        """Shows the address in the user's browser. DesktopError, which does not repeat it, if that does not work."""
        import webbrowser

        try:
            is_open = webbrowser.open(url)
        except (webbrowser.Error, OSError) as error:
            raise DesktopError(_NO_BROWSER) from error
        if not is_open:
            raise DesktopError(_NO_BROWSER)

    @abstractmethod
    def guess_shell(self) -> str:
        """Returns the shell in which the user probably starts Claude Code. It is one of `exports.SHELLS`."""

    @abstractmethod
    def make_tls_context(self) -> ssl.SSLContext:
        """Returns a TLS context for clients that trusts the same certificates as this system."""

    @abstractmethod
    def open_terminal(self, command: Sequence[str], folder: Path, *, stays_open: bool = False) -> None:
        """Runs a command in a new window of the user's terminal, in `folder`. DesktopError if that does not work.

        The window stays open if the command fails, or always (`stays_open`), until the user has read it.
        """

    @abstractmethod
    def find_login_program(self) -> Path | None:
        """Returns the program that the system starts as this one when the user logs in; None: it starts none."""

    @abstractmethod
    def set_start_at_login(self, starts: bool) -> None:
        """Has this program started at each login of this user, or no more. DesktopError if that does not work."""

    def starts_at_login(self) -> bool:
        """Tells whether the system starts this program when the user logs in."""
        return self.find_login_program() is not None

    def renew_start_at_login(self) -> None:
        """Tells the system where this program is if the one that it starts at login is gone. DesktopError as above."""
        program = self.find_login_program()
        if program is not None and not program.exists():
            self.set_start_at_login(True)

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
