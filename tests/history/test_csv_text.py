"""The history as CSV: its pieces, cells of what nobody knows, and texts that a spreadsheet would compute."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.history import write_history
from tray_app.history.csv_text import write_requests, write_sums
from tray_app.history.database import HistoryUnusable
from tray_app.history.reader import Wanted
from tray_app.history.record import RequestRecord


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


def test_a_long_history_comes_in_pieces_that_join_to_one_table(path: Path) -> None:
    write_history(path, [RequestRecord(1_800_000_000.0 + number, tries=number) for number in range(1200)])
    pieces = list(write_requests(path, Wanted(since=1_800_000_100.0)))
    assert [piece.count("\n") for piece in pieces] == [501, 500, 100]
    rows = list(csv.DictReader("".join(pieces).splitlines()))
    assert [int(row["tries"]) for row in rows] == list(range(1199, 99, -1))


def test_what_nobody_knows_is_empty_and_no_text_is_a_formula(path: Path) -> None:
    write_history(path, [RequestRecord(1_800_000_000.0, "=1+1", "@model", first_token_s=1.23456)])
    (request,) = csv.DictReader("".join(write_requests(path, Wanted())).splitlines())
    assert (request["asked"], request["model_id"]) == ("'=1+1", "'@model")
    assert (request["first_token_s"], request["tokens_in"]) == ("1.235", "")
    (found,) = csv.DictReader("".join(write_sums(path)).splitlines())
    assert (found["model_id"], found["requests"], found["tokens_in"]) == ("'@model", "1", "")
    assert 1.2 < float(found["first_token_s_p99"]) < 1.27


def test_without_requests_there_is_the_head_alone(path: Path) -> None:
    assert [piece.count("\n") for piece in write_requests(path, Wanted())] == [1]
    assert [piece.count("\n") for piece in write_sums(path)] == [1]


def test_a_file_that_cannot_be_read_is_named_before_the_first_piece(path: Path) -> None:
    path.write_bytes(b"damaged " * 1000)
    with pytest.raises(HistoryUnusable):
        next(write_requests(path, Wanted()))
