"""Finds the user's terminal on Linux, and how each terminal is told to run a command."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

_BEFORE_COMMAND = {
    "xdg-terminal-exec": (),  # https://gitlab.freedesktop.org/terminal-wg/specifications: it asks the user's settings
    "gnome-terminal": ("--",),
    "kgx": ("--",),
    "ptyxis": ("--new-window", "--"),
    "konsole": ("-e",),
    # Another process of it would not pass the environment on.
    "xfce4-terminal": ("--disable-server", "-x"),
    "mate-terminal": ("--disable-factory", "-x"),
    "lxterminal": ("-e",),
    "qterminal": ("-e",),
    "cosmic-term": ("-e",),
    "tilix": ("-e",),
    "terminator": ("-x",),
    "foot": (),
    "ghostty": ("-e",),
    "alacritty": ("-e",),
    "kitty": (),
    "wezterm": ("start", "--"),
    "urxvt": ("-e",),
    "xterm": ("-e",),
}
"""Each terminal with the words that stand between its name and the command that it runs."""

_USUAL = ("-e",)
"""The words for an unknown terminal. Debian demands that every x-terminal-emulator understands them."""

_ALTERNATIVE = "x-terminal-emulator"

_OF_DESKTOP = {
    "gnome": ("ptyxis", "kgx", "gnome-terminal"),
    "unity": ("gnome-terminal",),
    "x-cinnamon": ("gnome-terminal",),
    "budgie": ("tilix", "gnome-terminal"),
    "kde": ("konsole",),
    "xfce": ("xfce4-terminal",),
    "mate": ("mate-terminal",),
    "lxde": ("lxterminal",),
    "lxqt": ("qterminal",),
    "cosmic": ("cosmic-term",),
}
"""Each name that $XDG_CURRENT_DESKTOP may contain, in small letters, with the terminals of that desktop."""


def list_terminals(environ: Mapping[str, str]) -> Iterator[list[str]]:
    """Yields the terminals that are installed, the user's own choice first. Each is a command to be continued.

    The words of the command that the terminal is to run are added to the words that are yielded.
    """
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return
    seen = set[str]()
    for words in _list_candidates(environ):
        path = shutil.which(words[0], path=environ.get("PATH"))
        if path is not None and path not in seen:
            seen.add(path)
            yield [path, *words[1:], *_BEFORE_COMMAND.get(Path(path).name, _USUAL)]


def _list_candidates(environ: Mapping[str, str]) -> Iterator[list[str]]:
    yield ["xdg-terminal-exec"]
    try:
        chosen = shlex.split(environ.get("TERMINAL", ""))  # it may have options
    except ValueError:
        chosen = []
    if chosen:
        yield chosen
    if alternative := shutil.which(_ALTERNATIVE, path=environ.get("PATH")):
        # Debian's link leads to the terminal, or to a wrapper, which would not take all words of the terminal.
        name = Path(alternative).resolve().name.removesuffix(".wrapper")
        yield [name if name in _BEFORE_COMMAND else _ALTERNATIVE]
    for desktop in environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":"):
        for name in _OF_DESKTOP.get(desktop, ()):
            yield [name]
    for name in _BEFORE_COMMAND:
        yield [name]
