"""The file with which desktops start this program at login.

https://specifications.freedesktop.org/autostart-spec/ and https://specifications.freedesktop.org/desktop-entry-spec/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tray_app import APP_ID, APP_NAME

_GROUP = "Desktop Entry"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@")
"""The characters that need no quotes in a command line."""


def find_file(environ: Mapping[str, str]) -> Path:
    """Returns the path of the file. It exists while start at login is on."""
    config = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(config) if Path(config).is_absolute() else Path.home() / ".config"  # the rule of the specification
    return folder / "autostart" / f"{APP_ID}.desktop"


def render(command: Sequence[str]) -> str:
    """Returns the content of the file. `command` starts this program. A desktop ignores the file if that is gone."""
    values = {
        "Type": "Application",
        "Name": APP_NAME,
        "Comment": "Let Claude Code work with models hosted by NVIDIA",
        "Exec": " ".join(map(_quote, command)),
        "TryExec": _escape(command[0]),
        "Icon": APP_ID,
        "Terminal": "false",
        "StartupNotify": "false",
    }
    return f"[{_GROUP}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())


def find_program(file: Path) -> Path | None:
    """Returns the program that the file starts; None: desktops start none, because the file is missing or off."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    import configparser  # most users have no such file

    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    try:
        parser.read_string(text)
        entry = parser[_GROUP]
    except (KeyError, configparser.Error):
        return None
    # Tools that switch an entry off write one of these two.
    is_off = entry.get("Hidden") == "true" or entry.get("X-GNOME-Autostart-enabled") == "false"
    return None if is_off else Path(entry.get("TryExec", "").replace("\\\\", "\\"))


def _quote(word: str) -> str:
    """Returns a word of the command line in the form that the desktop-entry specification gives for Exec."""
    if word and not set(word) - _PLAIN:
        return word
    quoted = "".join(f"\\{character}" if character in '\\"`$' else character for character in word)
    return '"{}"'.format(_escape(quoted).replace("%", "%%"))


def _escape(value: str) -> str:
    """Returns a value of the file with its backslashes escaped."""
    return value.replace("\\", "\\\\")
