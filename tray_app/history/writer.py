"""Writes the history in a thread of its own, in batches, so that the gateway only appends a record to a queue."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from tray_app.history.database import HistoryUnusable, is_damage, keep_aside, open_history
from tray_app.history.reader import sum_days
from tray_app.history.record import COLUMNS, RequestRecord, to_row
from tray_app.history.sums import AMOUNTS, COUNTS, DaySum, merge, sum_record

log = logging.getLogger(__name__)

BATCH_S = 0.25
"""For so long records are gathered after the first one, and are then written together."""
_LOOK_S = 5.0
"""How often the thread looks for a new day, and whether another process has changed the file, while nothing happens."""
_MOST_WAITING = 10_000
"""So many records wait in memory while the file cannot be written. The oldest are given up then."""
_END_S = 3.0
"""Longest wait for the last records to be written when the program ends."""
_DAY_S = 24 * 3600
_MOST_DAYS = 1_000_000
"""A larger number of days means the same. Python cannot compute with all the numbers that a user may write."""

_INSERT = f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 (names of columns)
_KEY = "day, model_id, project"
_ADD_SUM = (
    f"INSERT INTO day_sums ({_KEY}, {', '.join((*COUNTS, *AMOUNTS))}) "  # noqa: S608 (names of columns)
    f"VALUES ({', '.join('?' * (3 + len(COUNTS) + len(AMOUNTS)))}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)
    # A number that nobody knows changes no sum, and a sum of such numbers alone stays unknown.
    + "".join(f", {name} = coalesce({name} + excluded.{name}, {name}, excluded.{name})" for name in AMOUNTS)
)
_ADD_FIRST_TOKENS = (
    f"INSERT INTO first_tokens ({_KEY}, bucket, answers) VALUES (?, ?, ?, ?, ?) "  # noqa: S608 (names of columns)
    "ON CONFLICT DO UPDATE SET answers = answers + excluded.answers"
)


class HistoryWriter:
    """The one thread that writes the history. Any thread may call `add`, and read `today`."""

    def __init__(self, path: Path, keep_days: int) -> None:
        """`keep_days`: for so many days the requests are kept. The sums per day are kept for ever."""
        self.keep_days = keep_days
        self._path = path
        self._queue: SimpleQueue[RequestRecord | None] = SimpleQueue()
        self._ending = threading.Event()
        self._today = DaySum(local_day(time.time()))
        self._thread = threading.Thread(target=self._work, name="history", daemon=True)
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[RequestRecord] = []
        self._trouble = ""
        """Why the file could not be written the last time; empty if it could. The log gets each trouble once."""
        self._pruned: tuple[str, int] | None = None
        """The day, and the days to keep, for which old requests were deleted last."""
        self._seen_version = 0
        """SQLite changes this number when another connection has changed the file."""

    @property
    def today(self) -> DaySum:
        """The requests of today to all models. It costs no look into the file."""
        day = local_day(time.time())
        return self._today if self._today.day == day else DaySum(day)

    def start(self) -> None:
        self._thread.start()

    def add(self, record: RequestRecord) -> None:
        """Hands over a record. It is in the file after about a quarter of a second."""
        self._queue.put(record)

    def close(self) -> None:
        """Writes what is left, and ends the thread, if it was started."""
        if self._thread.ident is None:
            return
        self._ending.set()
        self._queue.put(None)
        self._thread.join(_END_S)
        if self._thread.is_alive():
            log.warning("the history is not written to the end: its file cannot be written in time")

    def _work(self) -> None:
        is_over = False
        while not is_over:
            self._attempt()
            is_over = self._gather()
        self._attempt()
        if self._connection is not None:
            self._connection.close()

    def _gather(self) -> bool:
        """Waits for records, and takes those that come within BATCH_S. Returns whether the thread should end."""
        try:
            found = [self._queue.get(timeout=_LOOK_S)]
        except Empty:
            return False
        self._ending.wait(BATCH_S)
        with suppress(Empty):
            while True:
                found.append(self._queue.get_nowait())
        self._waiting = [*self._waiting, *(record for record in found if record is not None)][-_MOST_WAITING:]
        return None in found

    def _attempt(self) -> None:
        """Writes what waits. If that does not work, it waits on, and is tried again."""
        try:
            if self._connection is not None and not self._path.exists():  # somebody has deleted the file
                self._close()
            if self._connection is None and (self._waiting or self._path.exists()):
                self._connection = open_history(self._path)
            if self._connection is not None:
                self._write(self._connection)
            self._trouble = ""
        except (sqlite3.Error, OSError, HistoryUnusable) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("the history cannot be written: %s", error)
            self._recover(error)
        except Exception as error:  # what cannot be written must not end the history
            log.exception("records of the history are lost")
            self._waiting = []
            self._recover(error)

    def _write(self, connection: sqlite3.Connection) -> None:
        day = local_day(time.time())
        self._prune(connection, day)
        sums = list(merge((sum_record(one, local_day(one.began_at)) for one in self._waiting), _key).values())
        if self._waiting:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, map(to_row, self._waiting))
            connection.executemany(_ADD_SUM, map(_to_row, sums))
            buckets = [(*_key(one), *bucket) for one in sums for bucket in one.first_tokens.items()]
            connection.executemany(_ADD_FIRST_TOKENS, buckets)
            connection.execute("COMMIT")
            self._waiting = []
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._seen_version or day != self._today.day:
            self._seen_version = version
            sums, self._today = sum_days(connection, day), DaySum(day)
        self._today = merge([self._today, *(one for one in sums if one.day == day)], lambda one: one.day)[day]

    def _prune(self, connection: sqlite3.Connection, day: str) -> None:
        """Deletes the requests that are too old, once a day and whenever the user changes the number of days."""
        keep_days = self.keep_days
        if self._pruned != (day, keep_days):
            oldest_s = time.time() - min(keep_days, _MOST_DAYS) * _DAY_S
            connection.execute("DELETE FROM requests WHERE began_at < ?", (oldest_s,))
            self._pruned = (day, keep_days)

    def _recover(self, error: Exception) -> None:
        """Ends what was begun. A damaged file is kept aside, and the next attempt begins a new one."""
        connection = self._connection
        if connection is None:
            return
        with suppress(sqlite3.Error):
            connection.rollback()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            self._close()
            with suppress(OSError):  # on Windows another process may have it open
                keep_aside(self._path)

    def _close(self) -> None:
        """Closes the file, and forgets what it held. The next attempt reads it anew."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._seen_version = None, 0
        self._today = DaySum(self._today.day)


def local_day(unix_s: float) -> str:
    """Returns the date of a Unix time where the user is, in the form 2026-11-27."""
    return time.strftime("%Y-%m-%d", time.localtime(unix_s))


def _key(found: DaySum) -> tuple[str, str, str]:
    return found.day, found.model_id, found.project


def _to_row(found: DaySum) -> tuple[object, ...]:
    return *_key(found), *(getattr(found, name) for name in (*COUNTS, *AMOUNTS))
