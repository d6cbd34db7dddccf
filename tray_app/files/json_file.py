"""Reads and writes the small JSON files in the state folder, which keep what a run has learned for the next run.

All of it can be learned again, so a file that cannot be read or written is only noted in the log.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tray_app.files.atomic import read_whole, write_whole

log = logging.getLogger(__name__)

_Content = TypeVar("_Content")


def read_json(path: Path, kind: type[_Content]) -> _Content | None:
    """Returns the content of the file; None if there is no file, or its content is not of that type."""
    try:
        return msgspec.json.decode(read_whole(path), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.info("%s cannot be used: %s", path, error)
        return None


def write_json(path: Path, content: Any) -> None:
    """Replaces the file in one step, or leaves it unchanged. The folder is created if it is missing."""
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    try:
        write_whole(path, data)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
