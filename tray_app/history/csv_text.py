"""Writes the history as CSV, piece by piece, so that even a long one is never in memory as a whole."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from tray_app.history.reader import Wanted, read_all, read_sums
from tray_app.history.record import COLUMNS, RequestRecord
from tray_app.history.sums import AMOUNTS, COUNTS, DaySum

PERCENTILES = (50, 95, 99)
"""The percentiles of the times to the first token that are told."""

_LINES = 500
"""So many lines are one piece."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take a text that begins so for a formula."""
_SUM_COLUMNS = (
    *("day", "model_id", "project", *COUNTS, *AMOUNTS),
    *(f"first_token_s_p{percent}" for percent in PERCENTILES),
)


def write_sums(path: Path, first_day: str = "") -> Iterator[str]:
    """Yields the sums from a day on, a line for each day, model and project. HistoryUnusable: they cannot be read."""
    yield from _write(_SUM_COLUMNS, map(_sum_values, read_sums(path, first_day)))


def write_requests(path: Path, wanted: Wanted) -> Iterator[str]:
    """Yields the requests, the newest first. HistoryUnusable if they cannot be read."""
    yield from _write(("local_time", *COLUMNS), (_request_values(found.record) for found in read_all(path, wanted)))


def format_time(unix_s: float) -> str:
    """Returns a time where the user is, in the form 2026-11-27 09:12:00."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s))


def _write(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yields the lines of the rows, and the head before them. A number that nobody knows is an empty cell."""
    lines: Iterator[Sequence[object]] = iter(rows)
    piece = [head, *islice(lines, _LINES)]
    while piece:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([_guard(value) if isinstance(value, str) else value for value in row] for row in piece)
        yield text.getvalue()
        piece = list(islice(lines, _LINES))


def _sum_values(found: DaySum) -> Sequence[object]:
    numbers = [getattr(found, name) for name in (*COUNTS, *AMOUNTS)]
    times = [_round(found.first_token_s(percent)) for percent in PERCENTILES]
    return found.day, found.model_id, found.project, *numbers, *times


def _request_values(found: RequestRecord) -> Sequence[object]:
    values = (_round(value) if isinstance(value, float) else value for value in msgspec.structs.astuple(found))
    return format_time(found.began_at), *values


def _guard(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
