"""What the view of the log shows: the newest records, read from the end of the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tray_app.files.private import open_private
from tray_app.redaction import hide_secrets

MOST_LINES = 500
"""So many lines are shown at most."""
_MOST_BYTES = 512 * 1024
"""So much of the end of the log is read at most. Lines with bodies are long."""

_RECORD = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),\d{3} ([A-Z]+) *(.*)")
"""The first line of a record. The lines of a traceback, which follow it, are indented."""


def show_log(file: Path, secrets: Iterable[str], known_mark: str) -> dict[str, Any]:
    """Returns the newest records as plain values, the oldest first. It reads files, so the event loop must not call it.

    `known_mark` is the `mark` of an earlier answer. If nothing has been logged since, `records` is None.
    """
    mark = _find_mark(file)
    if mark and mark == known_mark:
        return {"mark": mark, "records": None, "file": str(file)}
    records = [_split(record, tuple(secrets)) for record in _group(read_lines(file, MOST_LINES))]
    return {"mark": mark, "records": records, "file": str(file)}


def read_lines(file: Path, most: int) -> list[str]:
    """Returns at most so many lines from the end of the log, the oldest first. Only the ends of files are read.

    If the log has just been begun, the lines before it are in the file that was put aside.
    """
    lines = _read_end(file, most)
    if len(lines) < most:
        lines = [*_read_end(file.with_name(f"{file.name}.1"), most - len(lines)), *lines]
    return lines


def _read_end(file: Path, most: int) -> list[str]:
    """Returns the last lines of one file; none if it cannot be read."""
    try:
        with os.fdopen(open_private(file, os.O_RDONLY), "rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - _MOST_BYTES))
            data = opened.read(_MOST_BYTES)
    except OSError:
        return []
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")  # on Windows, lines end with both
    if size > _MOST_BYTES:
        del lines[0]  # its beginning is missing
    return [line for line in lines if line][-most:]


def _find_mark(file: Path) -> str:
    """Returns a text that changes whenever something is logged; empty if there is no log."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"


def _group(lines: Iterable[str]) -> list[list[str]]:
    """Returns the lines of each record."""
    records: list[list[str]] = []
    for line in lines:
        if line.startswith(" ") and records:
            records[-1].append(line)
        else:
            records.append([line])
    return records


def _split(lines: list[str], secrets: tuple[str, ...]) -> dict[str, str]:
    """Returns the parts of a record. It has been redacted already, and is redacted again with the present keys."""
    found = _RECORD.fullmatch(lines[0])
    day, time, level, first = found.groups() if found else ("", "", "", lines[0])
    return {"day": day, "time": time, "level": level, "text": hide_secrets("\n".join([first, *lines[1:]]), secrets)}
