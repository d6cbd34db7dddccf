"""Reading the history: pages by key, sums, and files that cannot be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.support.history import write_history
from tray_app.history.database import HistoryUnusable
from tray_app.history.reader import Wanted, read_all, read_page, read_sums
from tray_app.history.record import Outcome, Reason, RequestRecord

FULL = RequestRecord(
    began_at=1_800_000_000.25,
    asked="claude-x",
    model_id="z-ai/glm4.7",
    reason=Reason.TRAY,
    session_id="s",
    project="/home/me/project",
    is_background=True,
    is_stream=True,
    queue_wait_s=0.5,
    first_token_s=1.5,
    total_s=9.25,
    tries=2,
    tokens_in=100,
    tokens_out=10,
    tokens_cached=0,
    tool_calls=3,
    outcome=Outcome.FAILED,
    error="Overloaded",
    cause="NVIDIA is overloaded",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


def test_a_record_is_read_as_it_was_written(path: Path) -> None:
    empty = RequestRecord(1_800_000_000.0)
    write_history(path, [FULL, empty])
    assert [found.record for found in read_page(path, 10)] == [empty, FULL]


def test_pages_follow_each_other_without_gaps_even_while_requests_are_added(path: Path) -> None:
    write_history(path, [RequestRecord(1_800_000_000.0 + number, tries=number) for number in range(10)])
    first = read_page(path, 4)
    write_history(path, [FULL])
    second = read_page(path, 4, first[-1].key)
    third = read_page(path, 4, second[-1].key)
    assert [found.record.tries for found in (*first, *second, *third)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert not read_page(path, 4, third[-1].key)


def test_all_requests_since_a_time_are_read_in_pages(path: Path) -> None:
    write_history(path, [RequestRecord(1_800_000_000.0 + number) for number in range(1200)])
    times = [found.record.began_at for found in read_all(path, Wanted(since=1_800_000_100.0))]
    assert times == [1_800_000_000.0 + number for number in range(1199, 99, -1)]


@pytest.mark.parametrize(
    ("wanted", "tries"),
    [
        (Wanted(), [4, 3, 2, 1, 0]),
        (Wanted(since=1_800_000_002.0, until=1_800_000_004.0), [3, 2]),
        (Wanted(model_id="a/b"), [3, 1]),
        (Wanted(model_id=""), [0]),
        (Wanted(project="/home/\ud800"), [4]),
        (Wanted(project="", model_id="c/d"), [2]),
        (Wanted(outcome=Outcome.FAILED), [2]),
        (Wanted(outcome=Outcome.REFUSED), []),
    ],
)
def test_only_the_wanted_requests_are_read(path: Path, wanted: Wanted, tries: list[int]) -> None:
    kinds = [("", ""), ("a/b", ""), ("c/d", ""), ("a/b", "/x"), ("c/d", "/home/\ud800")]
    records = [
        RequestRecord(1_800_000_000.0 + number, model_id=model_id, project=project, tries=number)
        for number, (model_id, project) in enumerate(kinds)
    ]
    records[2] = msgspec.structs.replace(records[2], outcome=Outcome.FAILED)
    write_history(path, records)
    assert [found.record.tries for found in read_all(path, wanted)] == tries


def test_a_page_is_found_by_its_key_and_not_by_reading_all_requests(path: Path) -> None:
    write_history(path, [FULL])
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM requests WHERE id < 9 AND began_at >= 0 ORDER BY id DESC LIMIT 4"
        ).fetchall()
    assert ["USING INTEGER PRIMARY KEY" in step[-1] for step in plan] == [True]


def test_the_sums_are_those_of_the_days_that_are_wanted(path: Path) -> None:
    write_history(path, [RequestRecord(1_800_000_000.0), RequestRecord(1_800_000_000.0 + 10 * 86400)])
    days = [found.day for found in read_sums(path)]
    assert len(days) == 2
    assert [found.day for found in read_sums(path, days[1])] == days[1:]


def test_without_a_file_there_is_no_history_and_none_is_created(path: Path) -> None:
    assert (read_sums(path), read_page(path, 10), list(read_all(path))) == ([], [], [])
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00"])
def test_a_file_without_tables_has_no_history(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    if content:
        with pytest.raises(HistoryUnusable):
            read_sums(path)
    else:
        assert not read_sums(path)


def test_a_damaged_file_is_named_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"damaged " * 1000)
    with pytest.raises(HistoryUnusable, match="cannot be read"):
        read_sums(path)
    with pytest.raises(HistoryUnusable, match="cannot be read"):
        read_page(path, 1)
    assert path.read_bytes() == b"damaged " * 1000


def test_a_page_within_a_damaged_file_is_named(path: Path) -> None:
    write_history(path, [FULL] * 2000)
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(HistoryUnusable):
        list(read_all(path))


def test_a_request_that_is_none_is_named(path: Path) -> None:
    write_history(path, [FULL])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE requests SET outcome = 'odd'")
    with pytest.raises(HistoryUnusable, match="odd"):
        read_page(path, 1)
