"""The tables of the history, made by numbered steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

MIGRATIONS = (
    """
    CREATE TABLE requests (
        id INTEGER PRIMARY KEY,
        began_at REAL NOT NULL,
        asked TEXT NOT NULL,
        model_id TEXT NOT NULL,
        reason TEXT NOT NULL,
        session_id TEXT NOT NULL,
        project TEXT NOT NULL,
        is_background INTEGER NOT NULL,
        is_stream INTEGER NOT NULL,
        queue_wait_s REAL,
        first_token_s REAL,
        total_s REAL NOT NULL,
        tries INTEGER NOT NULL,
        tokens_in INTEGER,
        tokens_out INTEGER,
        tokens_cached INTEGER,
        tool_calls INTEGER,
        outcome TEXT NOT NULL,
        error TEXT NOT NULL,
        cause TEXT NOT NULL
    );
    CREATE INDEX requests_by_time ON requests (began_at);
    CREATE TABLE day_sums (
        day TEXT NOT NULL,
        model_id TEXT NOT NULL,
        project TEXT NOT NULL,
        requests INTEGER NOT NULL,
        answered INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        left_early INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        tokens_in INTEGER,
        tokens_out INTEGER,
        tokens_cached INTEGER,
        tool_calls INTEGER,
        PRIMARY KEY (day, model_id, project)
    ) WITHOUT ROWID;
    CREATE TABLE first_tokens (
        day TEXT NOT NULL,
        model_id TEXT NOT NULL,
        project TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        answers INTEGER NOT NULL,
        PRIMARY KEY (day, model_id, project, bucket)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE requests ADD COLUMN kind TEXT NOT NULL DEFAULT '';
    ALTER TABLE requests ADD COLUMN turn INTEGER;
    """,
)
"""The steps that make the tables. The number of those that were taken is the file's `user_version`. A step that was
published is never changed: what comes later is a further step."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Takes the steps that the file lacks, each completely or not at all, even if several processes do so at once."""
    for number, step in enumerate(migrations, 1):
        if read_version(connection) >= number:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            if read_version(connection) < number:  # another process may have taken the step meanwhile
                for statement in filter(str.strip, step.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def read_version(connection: sqlite3.Connection) -> int:
    """Returns how many steps were taken."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
