"""The history as the browser reads it: sums, pages of requests, CSV, and a file that cannot be read."""

from __future__ import annotations

import csv
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.history import invent_requests, write_history
from tests.support.page import Browser
from tray_app.history.record import Outcome, RequestRecord

NOW_S = time.time()
DAY_S = 86_400
GLM = "z-ai/glm4.7"
OLD = RequestRecord(NOW_S - 40 * DAY_S, "nvidia", "old/model")
FAILED = RequestRecord(NOW_S, "nvidia", GLM, project="/a b", outcome=Outcome.FAILED, cause="NVIDIA is overloaded")
ANSWERED = RequestRecord(NOW_S, "nvidia", GLM, project="/a b", first_token_s=1.2, tokens_in=100)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.sqlite3"
    write_history(path, [OLD, FAILED, ANSWERED])
    return path


def test_the_sums_are_those_of_the_period_and_say_what_is_kept(browser: Browser, file: Path) -> None:
    sums = browser.read("/page/sums?days=7")
    assert (sums["total"]["requests"], sums["total"]["success_rate"]) == (2, 0.5)
    assert len(sums["bars"]) == 7
    assert sums["kept"] == {"is_kept": True, "days": 30, "file": str(file)}
    assert browser.read("/page/sums?days=0")["total"]["requests"] == 3
    assert len(browser.read("/page/sums")["bars"]) == 14


def test_requests_come_in_pages_by_their_keys(browser: Browser, tmp_path: Path) -> None:
    write_history(tmp_path / "history.sqlite3", invent_requests(3, 120, NOW_S))
    first = browser.read("/page/records?days=0")
    assert (len(first["requests"]), first["has_more"]) == (50, True)
    second = browser.read(f"/page/records?days=0&limit=500&before={first['requests'][-1]['number']}")
    assert (len(second["requests"]), second["has_more"]) == (70, False)
    keys = [found["number"] for found in (*first["requests"], *second["requests"])]
    assert keys == sorted(set(keys), reverse=True)


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("days=0", 3),
        ("days=30", 2),
        ("days=0&model=old/model", 1),
        ("days=0&model=", 0),
        ("days=0&project=/a%20b&outcome=failed", 1),
        ("days=0&project=", 1),
        ("days=0&outcome=refused%20here", 0),
        ("days=999999999999999999", 3),
        ("days=0&limit=2", 2),
    ],
)
def test_only_the_wanted_requests_are_shown(browser: Browser, query: str, found: int) -> None:
    assert len(browser.read(f"/page/records?{query}")["requests"]) == found


@pytest.mark.parametrize("query", ["days=x", "days=-1", "limit=1e3", "before=", "outcome=odd", f"days={'9' * 19}"])
def test_a_query_that_is_none_is_refused(browser: Browser, query: str) -> None:
    assert browser.request("GET", f"/page/records?{query}").status == 400


def test_csv_has_the_sums_or_all_wanted_requests(browser: Browser, tmp_path: Path) -> None:
    write_history(tmp_path / "history.sqlite3", [*invent_requests(3, 1200, NOW_S), FAILED])
    answer = browser.request("GET", "/page/history.csv?what=requests&days=0")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="requests-')
    rows = list(csv.DictReader(answer.raw.decode().splitlines()))
    assert (len(rows), rows[0]["cause"]) == (1201, "NVIDIA is overloaded")
    failed = browser.request("GET", f"/page/history.csv?what=requests&days=0&model={GLM}").raw.decode()
    assert failed.count("\n") == 2
    sums = list(csv.DictReader(browser.request("GET", "/page/history.csv?days=0").raw.decode().splitlines()))
    assert sum(int(row["requests"]) for row in sums) == 1201


def test_without_a_history_everything_is_empty(browser: Browser) -> None:
    assert browser.read("/page/sums")["total"] is None
    assert browser.read("/page/records") == {"requests": [], "has_more": False}
    assert browser.request("GET", "/page/history.csv").raw.count(b"\n") == 1


@pytest.mark.parametrize(
    "path", ["/page/sums", "/page/records", "/page/history.csv", "/page/history.csv?what=requests"]
)
def test_a_damaged_history_is_told_in_a_sentence(browser: Browser, file: Path, path: str) -> None:
    file.write_bytes(b"damaged " * 1000)
    answer = browser.request("GET", path)
    assert answer.status == 400
    assert "cannot be read" in answer.sentence


@pytest.mark.usefixtures("file")
def test_the_history_can_be_read_while_another_process_writes(browser: Browser, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM requests")
        assert len(browser.read("/page/records?days=0")["requests"]) == 3


def test_nobody_reads_the_history_without_the_proof(browser: Browser) -> None:
    assert browser.request("GET", "/page/history.csv", X_Page_Proof="x").status == 401
