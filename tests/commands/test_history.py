"""The command `history`: tables, CSV, deletion, and what it says about what is stored."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.history import write_history
from tray_app.commands.history import Wishes, history
from tray_app.commands.terminal import FAILED, OK, USAGE
from tray_app.history.reader import read_page, read_sums
from tray_app.history.record import Outcome, RequestRecord
from tray_app.history.writer import local_day
from tray_app.paths import Paths, find_paths
from tray_app.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
NOW_S = time.time()
TODAY = local_day(NOW_S)
DAY_S = 86_400
GLM = "z-ai/glm4.7"
ANSWERED = RequestRecord(
    NOW_S, "claude-x", GLM, project="/a", first_token_s=1.2, total_s=3.0, tries=1, tokens_in=180_000, tokens_out=4_500
)
FAILED_ONE = RequestRecord(
    NOW_S, "=1+1", GLM, project="/b", outcome=Outcome.FAILED, error="Overloaded", cause="NVIDIA is overloaded", tries=3
)
REFUSED = RequestRecord(NOW_S, outcome=Outcome.REFUSED, error="WrongServerKey")
OLD = RequestRecord(NOW_S - 40 * DAY_S, "claude-x", "old/model")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path)})


@pytest.fixture
def file(paths: Paths) -> Path:
    """A history with some requests of today and an old one."""
    path = paths.data / "history.sqlite3"
    write_history(path, [OLD, ANSWERED, ANSWERED, FAILED_ONE, REFUSED])
    return path


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert not err
    return out.splitlines()


def test_the_table_has_a_line_for_each_day_and_model(
    paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history(paths, Settings(), Wishes()) == OK
    head, *rows = lines(capsys)
    assert head.split() == ["day", "model", "requests", "answered", "tokens", "in", "cached", "out", "first", "token"]
    assert " ".join(rows[0].split()) == f"{TODAY} (no model asked) 1 - - - - -"
    assert " ".join(rows[1].split()) == f"{TODAY} {GLM} 3 67 % 360k - 9k 1.2 s"
    assert rows[2:] == [
        "",
        f"What is kept: each request for 30 days, and sums per day for ever, in {file}.",
        "No text of a prompt or an answer is in it, and no key. Tokens are those that NVIDIA counted.",
        rows[-1],
    ]
    assert "history --csv" in rows[-1]
    assert "history --delete" in rows[-1]


def test_more_days_show_older_sums(paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert file.exists()
    history(paths, Settings(), Wishes(days=1))
    assert "old/model" not in "\n".join(lines(capsys))
    history(paths, Settings(), Wishes(days=10**8))
    assert "old/model" in "\n".join(lines(capsys))


def test_the_details_are_the_newest_requests(paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert file.exists()
    assert history(paths, Settings(), Wishes(wants_details=True)) == OK
    _, refused, failed, answered, *_ = lines(capsys)
    assert "refused here" in refused
    assert "failed: NVIDIA is overloaded" in failed
    assert answered.split()[2:] == [GLM, "answered", "-", "1.2", "s", "3.0", "s", "180k", "-", "5k", "1"]


def test_csv_has_the_sums_of_each_project_and_empty_cells_for_what_nobody_knows(
    paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert file.exists()
    assert history(paths, Settings(), Wishes(as_csv=True)) == OK
    rows = list(csv.DictReader(io.StringIO("\n".join(lines(capsys)))))
    assert [(row["model_id"], row["project"], row["requests"]) for row in rows] == [
        ("", "", "1"),
        (GLM, "/a", "2"),
        (GLM, "/b", "1"),
    ]
    assert (rows[1]["tokens_in"], rows[1]["tokens_cached"], rows[2]["tokens_in"]) == ("360000", "", "")
    assert float(rows[1]["first_token_s_p50"]) == pytest.approx(1.2, rel=0.03)


def test_csv_of_the_details_has_each_request_and_no_formulas(
    paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert file.exists()
    history(paths, Settings(), Wishes(as_csv=True, wants_details=True))
    rows = list(csv.DictReader(io.StringIO("\n".join(lines(capsys)))))
    assert [row["outcome"] for row in rows] == ["refused here", "failed", "answered", "answered"]
    assert rows[1]["asked"] == "'=1+1"
    assert (rows[2]["first_token_s"], rows[1]["first_token_s"]) == ("1.2", "")
    assert rows[0]["local_time"].startswith(TODAY)


def test_without_a_history_it_says_so_and_creates_nothing(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert history(paths, Settings(keep_history=False, history_days=7), Wishes()) == OK
    text = "\n".join(lines(capsys))
    assert text.startswith("No requests were recorded in this time.")
    assert "each request for 7 days" in text
    assert '"keep_history" is false' in text
    assert not paths.data.exists()


def test_a_damaged_history_is_named_and_can_be_deleted(
    paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"nonsense" * 1000)
    assert history(paths, Settings(), Wishes()) == FAILED
    assert f"The history in {file} cannot be read" in capsys.readouterr().err
    assert history(paths, Settings(), Wishes(deletes=True, is_sure=True)) == OK
    assert not file.exists()


def test_a_deletion_without_a_terminal_needs_yes(paths: Paths, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history(paths, Settings(), Wishes(deletes=True)) == USAGE
    assert "Add --yes" in capsys.readouterr().err
    assert len(read_page(file, 9)) == 5
    assert history(paths, Settings(), Wishes(deletes=True, is_sure=True)) == OK
    assert not read_sums(file)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal, or a shell of POSIX")
@pytest.mark.parametrize(("answer", "left"), [("", 5), ("yes", 0)])
def test_a_deletion_at_a_terminal_asks_first(tmp_path: Path, file: Path, answer: str, left: int) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tray_app", "history", "--delete"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(30) == 0
    os.close(ours)
    assert len(read_page(file, 9)) == left


def test_the_command_line_reads_its_options(tmp_path: Path, file: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "CLAUDE_NVIDIA_TRAY_HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}
        command = [sys.executable, "-m", "tray_app", "history", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True)

    write_history(file, [RequestRecord(NOW_S, project="/Grüße")])
    done = run("--csv", "--days", "2")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "/Grüße" in done.stdout.decode()
    wrong = run("--days", "0")
    assert wrong.returncode == USAGE
    assert b"'0' is no whole number of 1 or more" in wrong.stderr
