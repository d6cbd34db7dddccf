"""Reads the history: sums per day, and requests page by page. Each reading has a connection of its own."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from tray_app.history.database import HistoryUnusable, open_for_reading
from tray_app.history.record import COLUMNS, Outcome, RequestRecord, from_row, to_storable
from tray_app.history.sums import AMOUNTS, COUNTS, DaySum

_PAGE = 500
"""How many requests are read at once where all are wanted."""
_KEY = ("day", "model_id", "project")
_NUMBERS = (*COUNTS, *AMOUNTS)
_SUMS = f"SELECT {', '.join((*_KEY, *_NUMBERS))} FROM day_sums WHERE day >= ? ORDER BY day, model_id, project"  # noqa: S608 (names of columns)
_FIRST_TOKENS = "SELECT day, model_id, project, bucket, answers FROM first_tokens WHERE day >= ?"
_REQUESTS = f"SELECT id, {', '.join(COLUMNS)} FROM requests WHERE"  # noqa: S608 (names of columns)
_NO_LIMIT = 2**63 - 1


class StoredRequest(msgspec.Struct, frozen=True):
    """A record with its key in the database. Later requests have larger keys."""

    key: int
    record: RequestRecord


class Wanted(msgspec.Struct, frozen=True):
    """Which requests are wanted. What is None leaves nothing out."""

    since: float = 0.0
    """Requests that began before this Unix time in seconds are left out."""
    until: float | None = None
    """Requests that began at this Unix time in seconds, or later, are left out."""
    model_id: str | None = None
    """The model that was asked; empty: only requests for which none was asked."""
    project: str | None = None
    """The folder of the client; empty: only requests whose client named none."""
    outcome: Outcome | None = None

    def list_conditions(self) -> dict[str, float | str]:
        """Returns the conditions of the SQL query, each with the value in it."""
        conditions = {
            "began_at >= ?": self.since,
            "began_at < ?": self.until,
            "model_id = ?": self.model_id and to_storable(self.model_id),
            "project = ?": self.project and to_storable(self.project),
            "outcome = ?": self.outcome,
        }
        return {condition: value for condition, value in conditions.items() if value is not None}


EVERY_REQUEST = Wanted()


def read_sums(path: Path, first_day: str = "") -> list[DaySum]:
    """Returns the sums from a day on, the oldest first. HistoryUnusable if the file cannot be read."""
    with _reading(path) as connection:
        return sum_days(connection, first_day) if connection else []


def read_page(path: Path, limit: int, before: int | None = None, wanted: Wanted = EVERY_REQUEST) -> list[StoredRequest]:
    """Returns so many requests, the newest first: the first ones, or those that follow the one with the key `before`.

    HistoryUnusable if the file cannot be read.
    """
    conditions = {"id < ?": _NO_LIMIT if before is None else before, **wanted.list_conditions()}
    query = f"{_REQUESTS} {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    with _reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute(query, (*conditions.values(), limit)).fetchall()
    try:
        return [StoredRequest(key, from_row(tuple(row))) for key, *row in rows]
    except msgspec.ValidationError as error:
        raise HistoryUnusable(f"The history in {path} holds a request that cannot be read: {error}.") from error


def read_all(path: Path, wanted: Wanted = EVERY_REQUEST) -> Iterator[StoredRequest]:
    """Yields all wanted requests, the newest first. Few of them are in memory at a time."""
    before = None
    while page := read_page(path, _PAGE, before, wanted):
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
