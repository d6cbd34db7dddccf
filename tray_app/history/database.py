"""The file of the history: an SQLite database that only its user can read, made and renewed by numbered steps.

Several processes may use it at once. A process that is killed leaves it whole, because SQLite's log next to it (WAL)
holds each batch completely or not at all.
"""

from __future__ import annotations

import itertools
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tray_app.errors import AppError
from tray_app.files.private import claim_folder, open_private
from tray_app.history.schema import MIGRATIONS, migrate, read_version

log = logging.getLogger(__name__)

FILE_NAME = "history.sqlite3"
DEMO_FILE_NAME = "history-demo.sqlite3"
"""The file of the demo, whose canned answers must not be counted among real ones."""

SQLITE_VERSION = sqlite3.sqlite_version
"""The version of the library."""

_BUSY_S = 5.0
"""Longest wait for another process that is writing."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF
"""The bits of SQLite's extended error codes that say which kind of error it is."""
_COMPANIONS = ("", "-wal", "-shm")
"""What SQLite adds to the name of the file for the files that belong to it."""


class HistoryUnusable(AppError):
    """The file of the history cannot be used as it is. The message says why."""


def open_history(path: Path) -> sqlite3.Connection:
    """Opens the file for writing. It is created if it is missing, and a damaged one is kept aside.

    HistoryUnusable if a newer version of this program made it. OSError or sqlite3.Error if it cannot be opened or
    written.
    """
    claim_folder(path.parent, (f"{path.name}*",))
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))  # SQLite would let other users read a new file
    try:
        return _open_whole(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    keep_aside(path)
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    return _open_whole(path)


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """Opens the file for reading; None if there is none, or nothing is in it yet.

    HistoryUnusable if it is damaged, cannot be read, or a newer version of this program made it.
    """
    if not path.exists():
        return None
    try:
        connection = _connect(path)
        try:
            version = read_version(connection)
            if version > len(MIGRATIONS):
                raise _too_new(path)
            if version:
                migrate(connection)  # an older version of this program made it
                connection.execute("PRAGMA query_only = ON")
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
    except sqlite3.Error as error:
        raise HistoryUnusable(f"The history in {path} cannot be read: {error}.") from error
    return None


def is_damage(error: sqlite3.Error) -> bool:
    """Tells whether the error says that the file is damaged, or is no database at all."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & _PRIMARY_CODE in _DAMAGED


def keep_aside(path: Path) -> Path:
    """Renames the file, with what belongs to it, so that a new one can be begun. Returns its new path."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.stem}.damaged-{stamp}-{number}{path.suffix}" for number in itertools.count(1))
    kept = next(file for file in map(path.with_name, names) if not file.exists())
    for companion in _COMPANIONS:
        file = path.with_name(path.name + companion)
        if file.exists():
            file.rename(kept.with_name(kept.name + companion))
    log.warning("the history was damaged; it was kept as %s, and a new one is begun", kept)
    return kept


def list_damaged(path: Path) -> list[Path]:
    """Returns all files that `keep_aside` has kept."""
    return sorted(path.parent.glob(f"{path.stem}.damaged-*"))


def delete_history(path: Path) -> None:
    """Deletes all that is stored, even while the app runs, and overwrites it in the file.

    HistoryUnusable if that does not work, or if a newer version of this program made the file.
    """
    try:
        for file in list_damaged(path):
            file.unlink()
        if not path.exists():
            return
        with closing(_open_whole(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            connection.execute("BEGIN IMMEDIATE")
            for (table,) in tables:
                connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 (the names of our own tables)
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if is_damage(error):
            _delete_files(path)
            return
        raise HistoryUnusable(f"The history in {path} cannot be deleted: {error}.") from error
    except OSError as error:
        raise HistoryUnusable(f"The history in {path} cannot be deleted: {error.strerror}.") from error


def _delete_files(path: Path) -> None:
    for companion in _COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)


def _open_whole(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    try:
        if read_version(connection) > len(MIGRATIONS):
            raise _too_new(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            damage = sqlite3.DatabaseError(verdict)
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # Without "mode=rw" a missing file would be created, and for other users to read. None: no hidden transactions.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)


def _too_new(path: Path) -> HistoryUnusable:
    return HistoryUnusable(f"A newer version of this program made the history in {path}. It is left as it is.")
