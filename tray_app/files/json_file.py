"""The small JSON files in the state folder, in which one start leaves to the next what it learned.

Each can be learned again, so trouble with one is a line in the log and nothing else.
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
    """What the file holds; None where there is none, or none of that kind."""
    try:
        return msgspec.json.decode(read_whole(path), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.info("%s cannot be used: %s", path, error)
        return None


def write_json(path: Path, content: Any) -> None:
    """Replaces the file in one step, for its owner only, or leaves it as it was; its folder need not exist."""
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    try:
        write_whole(path, data)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
