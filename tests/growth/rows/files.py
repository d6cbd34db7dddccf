"""Rows for files that are read at the start. A settings file may be any text of up to a megabyte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.growth.measure import Growth


def _decode(load: Callable[[str], Any], data: bytes) -> None:
    """Reads a damaged settings file."""
    module = load("tray_app.settings.file_text")
    try:
        module.decode_settings(data)
    except module.Damaged:
        return
    raise AssertionError("it is not damaged")


def _fill(piece: str, begin: str = "{", end: str = "") -> Callable[[int], bytes]:
    """Repeats a piece up to about n characters."""
    return lambda n: f"{begin}{piece * (n // len(piece))}{end}".encode()


ROWS = [
    Growth("settings that break at their end", _fill('"a": 1,\n', end="}"), _decode),
    Growth("settings with a text that has no end", _fill("x", begin='{"a": "'), _decode),
    Growth("settings with blanks before the mistake", _fill(" ", begin='{"a": 1,', end="}"), _decode),
    Growth("names of settings without values", _fill('"server_api_key"     '), _decode),
    Growth("quotes", _fill('"'), _decode),
]
