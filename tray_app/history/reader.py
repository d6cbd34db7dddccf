"""Reads the history: sums per day, and requests page by page. Each reading has a connection of its own."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from tray_app.history.database import HistoryUnusable, open_for_reading
from tray_app.history.record import COLUMNS, RequestRecord, from_row
from tray_app.history.sums import AMOUNTS, COUNTS, DaySum

_PAGE = 500
"""How many requests are read at once where all are wanted."""
_KEY = ("day", "model_id", "project")
_NUMBERS = (*COUNTS, *AMOUNTS)
_SUMS = f"SELECT {', '.join((*_KEY, *_NUMBERS))} FROM day_sums WHERE day >= ? ORDER BY day, model_id, project"  # noqa: S608 (names of columns)
_FIRST_TOKENS = "SELECT day, model_id, project, bucket, answers FROM first_tokens WHERE day >= ?"
_REQUESTS = f"SELECT id, {', '.join(COLUMNS)} FROM requests WHERE id < ? AND began_at >= ? ORDER BY id DESC LIMIT ?"  # noqa: S608 (names of columns)
_NO_LIMIT = 2**63 - 1


class StoredRequest(msgspec.Struct, frozen=True):
    """A record with its key in the database. Later requests have larger keys."""

    key: int
    record: RequestRecord


def read_sums(path: Path, first_day: str = "") -> list[DaySum]:
    """Returns the sums from a day on, the oldest first. HistoryUnusable if the file cannot be read."""
    with _reading(path) as connection:
        return sum_days(connection, first_day) if connection else []


def read_page(path: Path, limit: int, before: int | None = None, since: float = 0.0) -> list[StoredRequest]:
    """Returns so many requests, the newest first: the first ones, or those that follow the one with the key `before`.

    `since` is a Unix time in seconds. HistoryUnusable if the file cannot be read.
    """
    with _reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute(_REQUESTS, (_NO_LIMIT if before is None else before, since, limit)).fetchall()
    try:
        return [StoredRequest(key, from_row(tuple(row))) for key, *row in rows]
    except msgspec.ValidationError as error:
        raise HistoryUnusable(f"The history in {path} holds a request that cannot be read: {error}.") from error


def read_all(path: Path, since: float = 0.0) -> Iterator[StoredRequest]:
    """Yields all requests since a Unix time in seconds, the newest first. Few of them are in memory at a time."""
    before = None
    while page := read_page(path, _PAGE, before, since):
        yield from page
        before = page[-1].key


def sum_days(connection: sqlite3.Connection, first_day: str) -> list[DaySum]:
    """Returns the sums from a day on, the oldest first."""
    buckets: defaultdict[tuple[str, ...], dict[int, int]] = defaultdict(dict)
    for *key, bucket, answers in connection.execute(_FIRST_TOKENS, (first_day,)):
        buckets[tuple(key)][bucket] = answers
    sums = []
    for day, model_id, project, *numbers in connection.execute(_SUMS, (first_day,)):
        first_tokens = buckets.get((day, model_id, project), {})
        named = dict(zip(_NUMBERS, numbers, strict=True))
        sums.append(DaySum(day, model_id, project, first_tokens=first_tokens, **named))
    return sums


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    connection = open_for_reading(path)
    if connection is None:
        yield None
        return
    with closing(connection):
        try:
            yield connection
        except sqlite3.Error as error:
            raise HistoryUnusable(f"The history in {path} cannot be read: {error}.") from error
