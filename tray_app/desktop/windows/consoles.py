"""The command lines that open a window of a terminal on Windows, quoted as the program that reads them demands."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

_PAUSE_IF_FAILED = "(if errorlevel 1 pause) & (if not errorlevel 0 pause)"
"""Exit codes are signed for cmd: that of a program that has crashed is less than 0."""


def make_console_line(shell: str, command: Sequence[str], folder: str, *, stays_open: bool) -> str:
    """Returns a command line of cmd (`shell` is its path) that runs the command in the folder.

    The console stays open if the command fails, or always (`stays_open`), until a key is pressed.
    """
    words = " ".join(map(_quote, command))
    # "cd" would not go to a folder of the network; for that, "pushd" gives it a letter of its own.
    line = f"pushd {_quote(folder)} && {words} & {'pause' if stays_open else _PAUSE_IF_FAILED}"
    # With /s, the shell removes only the outermost quotes. With /d, it runs no commands of the registry first.
    return f'"{shell}" /d /s /c "{line}"'


def make_windows_terminal_line(terminal: str, command: Sequence[str], folder: str) -> str:
    """Returns a command line of Windows Terminal (`terminal` is its path) that runs the command in the folder.

    As it is usually set, its tab stays open if the command fails, and says so.
    """
    # It takes a semicolon for the end of one of its own commands, even within quotes.
    words = (word.replace(";", "\\;") for word in ("-d", folder, *command))
    return subprocess.list2cmdline([terminal, *words])


def _quote(word: str) -> str:
    """Returns the word in quotes, so that cmd takes no & in it for the end of the command."""
    quoted = subprocess.list2cmdline([word])
    return quoted if quoted.startswith('"') else f'"{quoted}"'
