"""The thread that writes the history: nothing that is whole is lost, whatever happens to the file or the process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.history import FOR_EVER, write_history
from tests.support.waiting import wait_for
from tray_app.history import database, writer
from tray_app.history.database import list_damaged, open_history
from tray_app.history.reader import read_all, read_page, read_sums
from tray_app.history.record import Outcome, RequestRecord
from tray_app.history.sums import DaySum
from tray_app.history.writer import HistoryWriter, local_day

ROOT = Path(__file__).resolve().parents[2]
NOW_S = time.time()
DAY_S = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def running(path: Path) -> Iterator[HistoryWriter]:
    found = HistoryWriter(path, 30)
    found.start()
    yield found
    found.close()


def count(path: Path) -> int:
    return sum(1 for _ in read_all(path))


def test_records_are_in_the_file_soon_and_today_knows_them_at_once_after_that(
    path: Path, running: HistoryWriter
) -> None:
    for number in range(14):
        running.add(RequestRecord(NOW_S, model_id="abc"[number % 3], tokens_in=13_000, tokens_out=None))
    wait_for(lambda: running.today.requests == 14, "all records are written")
    assert count(path) == 14
    assert (running.today.tokens_in, running.today.tokens_out) == (182_000, None)
    running.add(RequestRecord(NOW_S, outcome=Outcome.FAILED, tokens_out=9))
    wait_for(lambda: running.today.requests == 15, "one more")
    assert (running.today.failed, running.today.tokens_in, running.today.tokens_out) == (1, 182_000, 9)


def test_no_file_is_created_before_the_first_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    found = HistoryWriter(path, 30)
    found.start()
    found.close()
    assert not path.exists()
    assert found.today.requests == 0


def test_closing_writes_what_is_left_and_is_possible_without_a_start(path: Path) -> None:
    HistoryWriter(path, 30).close()
    write_history(path, [RequestRecord(NOW_S)] * 5000)
    assert count(path) == 5000


def test_todays_sums_are_read_from_the_file_at_the_start(path: Path) -> None:
    write_history(path, [RequestRecord(NOW_S, tokens_in=5)] * 3 + [RequestRecord(NOW_S - 3 * DAY_S)])
    found = HistoryWriter(path, 30)
    found.start()
    wait_for(lambda: found.today.requests == 3, "today's sums")
    found.close()
    assert found.today.tokens_in == 15


def test_at_midnight_today_begins_anew(running: HistoryWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the record is written")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + DAY_S)
    assert running.today == DaySum(local_day(now() + DAY_S))
    running.add(RequestRecord(NOW_S + DAY_S))
    wait_for(lambda: running.today.requests == 1, "the first record of the next day")


def test_old_requests_are_deleted_and_their_sums_stay_for_ever(path: Path) -> None:
    old, new = NOW_S - 31 * DAY_S, NOW_S - 29 * DAY_S
    write_history(path, [RequestRecord(old, tokens_in=1, first_token_s=2.0), RequestRecord(new, tokens_in=2)])
    sums = read_sums(path)
    assert count(path) == 2
    write_history(path, [], keep_days=30)
    assert [found.record.began_at for found in read_all(path)] == [new]
    assert read_sums(path) == sums
    write_history(path, [], keep_days=1)
    assert not count(path)
    assert read_sums(path) == sums


def test_another_number_of_days_counts_without_a_restart(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    write_history(path, [RequestRecord(NOW_S - 10 * DAY_S), RequestRecord(NOW_S)])
    found = HistoryWriter(path, 30)
    found.start()
    wait_for(lambda: found.today.requests == 1, "the file is read")
    assert count(path) == 2
    found.keep_days = 5
    wait_for(lambda: count(path) == 1, "the old request is deleted")
    found.close()


def test_sums_of_unknown_numbers_stay_unknown_in_the_file(path: Path) -> None:
    write_history(path, [RequestRecord(NOW_S, tries=1)])
    write_history(path, [RequestRecord(NOW_S, tries=1)])
    assert [(found.tries, found.tokens_in, found.tokens_cached) for found in read_sums(path)] == [(2, None, None)]
    write_history(path, [RequestRecord(NOW_S, tokens_in=5, tokens_cached=0)])
    write_history(path, [RequestRecord(NOW_S)])
    assert [(found.tokens_in, found.tokens_cached, found.requests) for found in read_sums(path)] == [(5, 0, 4)]


def test_each_model_and_project_has_its_own_sums(path: Path) -> None:
    records = [RequestRecord(NOW_S, model_id=model, project=project) for model in "ab" for project in ("", "/x", "/y")]
    write_history(path, records * 7)
    assert [(found.model_id, found.project, found.requests) for found in read_sums(path)] == [
        (model, project, 7) for model in "ab" for project in ("", "/x", "/y")
    ]


def test_half_characters_of_a_client_are_written_as_question_marks(path: Path) -> None:
    write_history(path, [RequestRecord(NOW_S, asked="a\ud800b", project="\udfff")])
    assert [(found.record.asked, found.record.project) for found in read_page(path, 9)] == [("a?b", "?")]


def test_a_record_that_cannot_be_written_does_not_end_the_history(
    path: Path, running: HistoryWriter, caplog: pytest.LogCaptureFixture
) -> None:
    running.add(RequestRecord(NOW_S, tokens_in=2**70))
    wait_for(lambda: "are lost" in caplog.text, "the fault is in the log")
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the next record is written")
    assert count(path) == 1


# ---- trouble with the file


@pytest.fixture
def existing(path: Path) -> None:
    """The file is there before any writer runs. Two that make it at once may find it locked."""
    open_history(path).close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.0)
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)


@pytest.mark.usefixtures("existing", "impatient")
def test_records_wait_while_another_process_holds_the_file(
    path: Path, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    running: HistoryWriter = request.getfixturevalue("running")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        running.add(RequestRecord(NOW_S))
        wait_for(lambda: "locked" in caplog.text, "the trouble is in the log")
        running.add(RequestRecord(NOW_S))
        other.execute("ROLLBACK")
    wait_for(lambda: running.today.requests == 2, "both are written")
    assert caplog.text.count("cannot be written") == 1
    assert count(path) == 2


def test_a_folder_in_the_place_of_the_file_costs_only_the_history(
    path: Path, running: HistoryWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    monkeypatch.setattr(writer, "_MOST_WAITING", 3)
    path.mkdir(parents=True)
    for number in range(5):
        running.add(RequestRecord(NOW_S + number))
    wait_for(lambda: "it is a folder" in caplog.text, "the trouble is in the log")
    path.rmdir()
    wait_for(lambda: running.today.requests, "the records are written when the folder is gone")
    assert [found.record.began_at for found in read_page(path, 9)] == [NOW_S + number for number in (4, 3, 2)]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the system's owner may write all files")
def test_a_read_only_file_is_read_and_costs_only_new_records(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_history(path, [RequestRecord(NOW_S)])
    path.chmod(0o400)
    write_history(path, [RequestRecord(NOW_S)])
    assert "cannot be written" in caplog.text
    assert count(path) == 1


def test_a_file_that_is_damaged_while_the_app_runs_is_kept_aside(
    path: Path, running: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the first record")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    path.write_bytes(b"\xff" * size)
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: list_damaged(path), "the damaged file is kept")
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests >= 1 and count(path) >= 1, "a new file is begun")


def test_what_another_process_deletes_is_no_longer_counted(
    path: Path, running: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the record is written")
    database.delete_history(path)
    wait_for(lambda: running.today.requests == 0, "today is empty")
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the file is still in use")
    assert count(path) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody delete a file that is open")
def test_a_file_that_somebody_deletes_is_begun_anew(
    path: Path, running: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOOK_S", 0.01)
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the record is written")
    for file in path.parent.iterdir():
        file.unlink()
    wait_for(lambda: running.today.requests == 0, "today is empty")
    running.add(RequestRecord(NOW_S))
    wait_for(lambda: running.today.requests == 1, "the next record is written")
    assert count(path) == 1


# ---- other processes

WRITE = """
import sys, time
from pathlib import Path
from tray_app.history.record import RequestRecord
from tray_app.history import writer
writer.BATCH_S = 0.002
found = writer.HistoryWriter(Path(sys.argv[1]), 30)
found.start()
for number in range(int(sys.argv[2])):
    found.add(RequestRecord(time.time(), model_id="m", project=sys.argv[3], tokens_in=1, first_token_s=1.0))
    if number % 10 == 0:
        time.sleep(0.0005)
        print(number, flush=True)
found.close()
"""


def start_writing(path: Path, records: int, project: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), str(records), project]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_leaves_each_batch_whole_or_not_at_all(path: Path) -> None:
    """The process is killed at moments of every kind: while it opens the file, within batches, and between them."""
    moments = random.Random(15)
    requests = 0
    for lines in (0, 1, 20, 60, None, None):
        with start_writing(path, 1_000_000) as process:
            assert process.stdout is not None
            if lines is None:
                wait_for(lambda before=requests: count(path) > before, "something is written")  # type: ignore[misc]
            for _ in range(lines or 0):
                process.stdout.readline()
            threading.Event().wait(moments.random() * 0.01)
            process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        with closing(open_history(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        sums = read_sums(path)
        requests = count(path)
        assert sum(found.requests for found in sums) == requests
        assert sum(found.tokens_in or 0 for found in sums) == requests
        assert sum(sum(found.first_tokens.values()) for found in sums) == requests
    assert requests
    assert not list_damaged(path)


def test_two_processes_write_into_one_file(path: Path) -> None:
    with start_writing(path, 2000, "/one") as one, start_writing(path, 2000, "/two") as two:
        one.communicate()
        two.communicate()
    assert (one.returncode, two.returncode) == (0, 0)
    assert {found.project: found.requests for found in read_sums(path)} == {"/one": 2000, "/two": 2000}
    assert count(path) == 4000


def test_a_history_for_ever_has_no_limit_that_the_clock_cannot_express(path: Path) -> None:
    write_history(path, [RequestRecord(0.0)], keep_days=FOR_EVER)
    assert count(path) == 1
