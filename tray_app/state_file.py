"""The small JSON files in the state folder, in which one start leaves to the next what it learned.

Each can be learned again, so trouble with one is a line in the log and nothing else.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

log = logging.getLogger(__name__)

_Content = TypeVar("_Content")


def read_json(path: Path, kind: type[_Content]) -> _Content | None:
    """What the file holds; None where there is none, or none of that kind."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        log.info("%s cannot be used: %s", path, error)
        return None


def write_json(path: Path, content: Any) -> None:
    """Replaces the file in one step, for its owner only, or leaves it as it was; its folder need not exist."""
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
