"""The terminal as the commands use it: lines of text, questions for secrets, and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

from tray_app import APP_ID
from tray_app.desktop.foreground import find_terminal

OK, FAILED, USAGE = 0, 1, 2
"""The exit codes: done, failed, and wrong usage or unusable settings."""

_NO_KEY = "\N{REPLACEMENT CHARACTER}"
"""Stands for a text that cannot be read. No key contains this character."""

_MAX_LINE_CHARS = 65_536
"""Longest line that is read for a secret, in characters. A device that was given by mistake may never end its line."""


def say(line: str) -> None:
    """Prints a line on the standard output."""
    print(line, flush=True)


def complain(line: str) -> None:
    """Prints a line on the standard error output, behind the name of this program."""
    print(f"{APP_ID}: {line}", file=sys.stderr, flush=True)


def find_folder() -> Path:
    """Returns the folder that the user is in. FileNotFoundError if it was removed meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "it is gone", "The folder of this terminal") from None


def end_line() -> None:
    """Ends the line that Ctrl-C or Ctrl-D has left open at the terminal."""
    if sys.stderr.isatty():
        print(file=sys.stderr, flush=True)


def has_terminal() -> bool:
    """Tells whether the standard output is a terminal."""
    return sys.__stdout__ is not None and sys.stdout.isatty()  # Windows takes the null device for a terminal


def ask_yes(question: str) -> bool | None:
    """Asks a question at the terminal. Returns whether the answer is "y" or "yes"; None if there is no terminal."""
    if not (has_terminal() and sys.stdin is not None and sys.stdin.isatty()):
        return None
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline(_MAX_LINE_CHARS).strip().lower() in ("y", "yes")


def ask_secret(name: str) -> str | None:
    """Asks for a secret at the terminal, whatever the standard input is. Returns None if there is no terminal."""
    return _ask(name) if find_terminal() else None


def read_secret(name: str) -> str:
    """Asks for a secret without showing it. If the standard input is no terminal, reads a line of it instead."""
    if sys.stdin.isatty():
        return _ask(name)
    try:
        return sys.stdin.readline(_MAX_LINE_CHARS).strip()
    except UnicodeDecodeError:
        return _NO_KEY


def _ask(name: str) -> str:
    """Asks at the terminal. Returns an empty text if the user ends the input (Ctrl-D) instead."""
    import getpass  # which the app itself never needs

    try:
        return getpass.getpass(f"{name} (it is not shown): ").strip()
    except EOFError:
        end_line()
        return ""
    except UnicodeDecodeError:
        return _NO_KEY
