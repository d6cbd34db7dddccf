"""The names of shells."""

from __future__ import annotations

from pathlib import PurePosixPath

UNIX_SHELLS = ("bash", "zsh", "fish")


def name_shell(path: str, default: str) -> str:
    """The shell at `path` ($SHELL), if it is one that the exports are written for."""
    name = PurePosixPath(path).name
    return name if name in UNIX_SHELLS else default
