"""The file of the history: its modes, its steps, damage, versions and deletion."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.history import write_history
from tray_app.history import database
from tray_app.history.database import (
    HistoryUnusable,
    delete_history,
    keep_aside,
    list_damaged,
    open_history,
)
from tray_app.history.reader import read_page, read_sums
from tray_app.history.record import RequestRecord
from tray_app.history.schema import MIGRATIONS, migrate

posix_only = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file modes of POSIX")
SECRET = "a-project-that-nobody-else-may-know"
RECORDS = [RequestRecord(1_800_000_000.0, project=f"/home/me/{SECRET}", tokens_in=5)] * 300


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@posix_only
def test_only_the_user_can_read_the_files_whatever_the_umask_is(path: Path) -> None:
    umask = os.umask(0)
    try:
        with closing(open_history(path)) as connection:
            connection.execute("INSERT INTO first_tokens VALUES ('', '', '', 0, 0)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(umask)
    assert modes == dict.fromkeys(["history.sqlite3", "history.sqlite3-wal", "history.sqlite3-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix_only
def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    write_history(path, RECORDS)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    open_history(path).close()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)


@posix_only
def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"(?i)links"):
        open_history(path)
    assert not (tmp_path / "elsewhere").exists()


def test_requests_that_an_older_version_recorded_have_no_kind_and_no_turn(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
        columns = "began_at, asked, model_id, reason, session_id, project, is_background, is_stream, total_s, tries"
        connection.execute(
            f"INSERT INTO requests ({columns}, outcome, error, cause) "
            "VALUES (5.0, 'a', 'b', 'tray', 'c', 'd', 0, 1, 2.0, 1, 'answered', '', '')"
        )
    write_history(path, [RequestRecord(6.0, kind="turn", turn=3)])
    newer, older = (found.record for found in read_page(path, 10))
    assert (older.asked, older.kind, older.turn) == ("a", "", None)
    assert (newer.kind, newer.turn) == ("turn", 3)


@pytest.mark.parametrize("exists", [False, True], ids=["no file", "an empty file"])
def test_a_file_of_version_0_gets_all_tables(path: Path, exists: bool) -> None:
    path.parent.mkdir()
    if exists:
        path.touch()
    open_history(path).close()
    assert version(path) == len(MIGRATIONS)
    assert not read_sums(path)


def test_a_further_step_keeps_what_is_stored(path: Path) -> None:
    write_history(path, RECORDS)
    steps = (*MIGRATIONS, "ALTER TABLE requests ADD COLUMN mood TEXT; UPDATE requests SET mood = 'good'")
    with closing(open_history(path)) as connection:
        migrate(connection, steps)
        migrate(connection, steps)
        assert connection.execute("SELECT count(*), min(mood), sum(tokens_in) FROM requests").fetchone() == (
            300,
            "good",
            1500,
        )
    assert version(path) == len(steps)


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    write_history(path, RECORDS)
    with closing(open_history(path)) as connection, pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, "DELETE FROM requests; this is no statement"))
    assert version(path) == len(MIGRATIONS)
    assert len(read_page(path, 1000)) == 300


def test_processes_that_begin_at_once_take_each_step_once(path: Path) -> None:
    problems: list[Exception] = []

    def begin() -> None:
        try:
            open_history(path).close()
        except (sqlite3.Error, OSError) as error:
            problems.append(error)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who comes in the moment in which another one switches the log on may be told that the file is busy.
    assert all("locked" in str(error) for error in problems)
    assert len(problems) < len(threads)
    assert version(path) == len(MIGRATIONS)


def test_a_file_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    write_history(path, RECORDS)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for use in (open_history, read_sums, delete_history):
        with pytest.raises(HistoryUnusable, match="newer version"):
            use(path)
    assert version(path) == 99


DAMAGES = {
    "no database": lambda content: b"nonsense" * len(content),
    "cut": lambda content: content[: len(content) // 2],
    "zeros inside": lambda content: content[:5000] + bytes(20_000) + content[25_000:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(path: Path, damage: object) -> None:
    assert callable(damage)
    write_history(path, RECORDS)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    write_history(path, RECORDS[:1])
    assert len(read_page(path, 1000)) == 1
    assert [file.read_bytes() for file in list_damaged(path)] == [damaged]


def test_several_damaged_files_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "20261127-120000")
    path.parent.mkdir()
    for content in (b"one", b"two", b"three"):
        path.write_bytes(content)
        keep_aside(path)
    assert {file.read_bytes() for file in list_damaged(path)} == {b"one", b"two", b"three"}


def test_deleted_requests_are_gone_from_the_bytes_of_the_files_even_while_the_file_is_open(path: Path) -> None:
    with closing(open_history(path)) as other:
        write_history(path, RECORDS)
        keep_aside_name = path.with_name("history.damaged-20261127-120000.sqlite3")
        keep_aside_name.write_bytes(path.read_bytes())
        assert any(SECRET.encode() in file.read_bytes() for file in path.parent.iterdir())
        delete_history(path)
        assert other.execute("SELECT count(*) FROM requests").fetchone() == (0,)
        for file in path.parent.iterdir():
            assert SECRET.encode() not in file.read_bytes(), file.name
    assert not keep_aside_name.exists()
    assert not read_sums(path)
    write_history(path, RECORDS)
    assert len(read_page(path, 1000)) == 300


def test_a_damaged_history_is_deleted_with_its_files(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"nonsense" * 1000)
    delete_history(path)
    assert not list(path.parent.iterdir())
    delete_history(path)  # there is nothing to delete
    assert not path.exists()


def test_a_history_that_cannot_be_deleted_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.0)
    write_history(path, RECORDS)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryUnusable, match="cannot be deleted: database is locked"):
            delete_history(path)
    assert len(read_page(path, 1000)) == 300
